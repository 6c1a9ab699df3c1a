/** WebSockets (RFC 6455): taking a connection over, and a bound for what waits in each. */
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket, WebSocketServer } from 'ws';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock, Exchange } from '../../platform/index.ts';
import { HEARTBEAT_MS, SLOW_MS } from './event-parts.ts';

/** Longest message that is taken from a client: a password. */
const MESSAGE_BYTES_MAX = 4 * 1024;
const GOODBYE_MS = 1_000;
/** Silences after a ping before a client counts as gone. */
const SILENCES_MAX = 2;

/** Codes of RFC 6455, section 7.4.1. */
export const CLOSE = { ending: 1001, denied: 1008, failed: 1011, later: 1013 } as const;

let made: WebSocketServer | undefined;

/** Loaded for the first connection: no start has to wait for it. At once, since nobody listens to
 *  the connection meanwhile. */
function server(): WebSocketServer {
  made ??= makeServer();
  return made;
}

function makeServer(): WebSocketServer {
  const library = createRequire(import.meta.url)('ws') as typeof import('ws');
  // Without compression: it would cost each connection some hundred kilobytes.
  return new library.WebSocketServer({
    noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX,
  });
}

/** One open WebSocket. At most one message waits in it. */
export class OpenSocket {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #cancel: (() => void)[] = [];
  readonly #waiting: string[] = [];
  #takes: ((text: string | undefined) => void) | undefined;
  #silences = 0;
  /** Fires when it is closed, from whichever side. */
  readonly closed: AbortSignal;

  private constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    const gone = new AbortController();
    this.closed = gone.signal;
    socket.on('error', () => socket.terminate()); // Such as a message that is too long.
    socket.on('pong', () => {
      this.#silences = 0;
    });
    socket.on('ping', () => {
      this.#silences = 0; // It answers by itself.
    });
    socket.on('close', () => {
      for (const cancel of this.#cancel.splice(0)) cancel();
      this.#takes?.(undefined);
      gone.abort();
    });
    this.#beat();
  }

  /** `exchange` ends it when the server drains. @throws unavailable: it was answered that it does
   *  not ask as it should, or it has gone. */
  static async take(
    exchange: Exchange, { socket, head, clock }: { socket: Duplex; head: Buffer; clock: Clock },
  ): Promise<OpenSocket> {
    const { req, res, signal } = exchange;
    if (socket.destroyed) throw notTaken();
    const webSockets = server(); // While a failure can still be answered.
    res.detachSocket(socket as Parameters<typeof res.detachSocket>[0]);
    const taken = await new Promise<WebSocket>((resolve, reject) => {
      // Of a client that is turned away nothing else is heard.
      socket.once('close', () => reject(notTaken()));
      webSockets.handleUpgrade(req, socket, head, resolve);
    });
    const open = new OpenSocket(taken, clock);
    const end = (): void => open.close(CLOSE.ending, 'ending');
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    return open;
  }

  #beat(): void {
    this.#cancel.push(this.#clock.after(HEARTBEAT_MS, () => {
      this.#cancel.length = 0;
      this.#silences += 1;
      if (this.#silences > SILENCES_MAX) this.#socket.terminate();
      else this.#socket.ping();
      this.#beat();
    }));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** True once it is out of our hands; false: it is closed, or not taken in SLOW_MS. */
  send(text: string | Buffer): Promise<boolean> {
    if (!this.isOpen) return Promise.resolve(false);
    return new Promise((resolve) => {
      const cancel = this.#clock.after(SLOW_MS, () => resolve(false));
      this.#socket.send(text, { binary: false }, (error) => {
        cancel();
        resolve(error === undefined || error === null);
      });
    });
  }

  /** Hears at most `max` messages before `onText` is set; others are dropped. */
  hear(max: number): void {
    this.#socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      const text = textOf(data);
      if (this.#takes !== undefined) this.#takes(text);
      else if (this.#waiting.length < max) this.#waiting.push(text);
    });
  }

  /** The next message; undefined: none came in time, or it is closed. */
  next(timeoutMs: number): Promise<string | undefined> {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined || !this.isOpen) return Promise.resolve(waiting);
    return new Promise((resolve) => {
      const cancel = this.#clock.after(timeoutMs, () => this.#takes?.(undefined));
      this.#takes = (text) => {
        cancel();
        this.#takes = undefined;
        resolve(text);
      };
    });
  }

  onText(act: (text: string) => void): void {
    for (const text of this.#waiting.splice(0)) act(text);
    this.#socket.on('message', (data, isBinary) => {
      if (!isBinary) act(textOf(data));
    });
  }

  /** Says why. Who does not answer is cut. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    const cancel = this.#clock.after(GOODBYE_MS, () => this.#socket.terminate());
    this.#socket.once('close', cancel);
  }
}

function notTaken(): HoldfastError {
  const message = 'The connection did not become a WebSocket. Connect again.';
  return new HoldfastError('unavailable', 'events/OpenSocket.take', message);
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString();
}
