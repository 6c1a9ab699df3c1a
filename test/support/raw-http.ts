/** HTTP by hand over a socket: for what no well-behaved library would send. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { within } from './deadline.ts';

/** So long nothing more may come behind the last answer that is wanted. */
const QUIET_MS = 1_500;

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
  await within(60_000, 'Connecting', once(socket, 'connect'));
  return socket;
}

/** Sends bytes as they are; reads until the server closes, or is silent after so many answers. */
export async function sendRaw(
  port: number, request: string | Uint8Array | readonly (string | Uint8Array)[],
  options: { answers?: number } = {},
): Promise<RawAnswer> {
  const socket = await openSocket(port);
  try {
    const reading = readAll(socket, options.answers ?? 1);
    const pieces = Array.isArray(request) ? request : [request];
    for (const piece of pieces as readonly (string | Uint8Array)[]) {
      if (!socket.writable) break;
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
      if (!socket.write(bytes)) await drained(socket);
    }
    return answerOf(await within(60_000, 'Reading the answer', reading));
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

async function readAll(socket: Socket, answers: number): Promise<string> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const text = (): string => Buffer.concat(pieces).toString('latin1');
    const finish = (): void => resolve(text());
    socket.setTimeout(QUIET_MS);
    socket.on('timeout', () => {
      const count = answerOf(text()).statuses.filter((status) => status >= 200).length;
      if (count >= answers) finish();
      else socket.setTimeout(QUIET_MS);
    });
    socket.on('data', (bytes: Buffer) => pieces.push(bytes));
    socket.on('close', finish);
  });
}

export function answerOf(text: string): RawAnswer {
  const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, code]) => Number(code));
  const final = statuses.find((status) => status >= 200);
  return { status: final, text, statuses };
}
