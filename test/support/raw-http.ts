/** HTTP by hand over a socket: for what no well-behaved library would send. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { within } from './deadline.ts';

export interface RawAnswer {
  /** undefined when the connection was closed without an answer. */
  readonly status: number | undefined;
  readonly text: string;
  /** Statuses of all the answers on this connection, in order. */
  readonly statuses: readonly number[];
}

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined); // The server may cut hostile connections at any time.
  await within(5_000, 'Connecting', once(socket, 'connect'));
  return socket;
}

/** Sends bytes as they are; reads until the server closes, or until `quietMs` passed in silence. */
export async function sendRaw(
  port: number, request: string | Uint8Array | readonly (string | Uint8Array)[],
  options: { quietMs?: number; timeoutMs?: number } = {},
): Promise<RawAnswer> {
  const socket = await openSocket(port);
  try {
    const reading = readAll(socket, options.quietMs ?? 1_500);
    const pieces = Array.isArray(request) ? request : [request];
    for (const piece of pieces as readonly (string | Uint8Array)[]) {
      if (!socket.writable) break;
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
      if (!socket.write(bytes)) await drained(socket);
    }
    return answerOf(await within(options.timeoutMs ?? 20_000, 'Reading the answer', reading));
  } finally {
    socket.destroy();
  }
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

async function readAll(socket: Socket, quietMs: number): Promise<string> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const finish = (): void => resolve(Buffer.concat(pieces).toString('latin1'));
    socket.setTimeout(quietMs, finish);
    socket.on('data', (bytes: Buffer) => pieces.push(bytes));
    socket.on('close', finish);
  });
}

export function answerOf(text: string): RawAnswer {
  const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, code]) => Number(code));
  const final = statuses.find((status) => status >= 200);
  return { status: final, text, statuses };
}
