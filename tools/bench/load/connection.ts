/**
 * One keep-alive connection of the load client: sends ready-made bytes, reads one answer.
 *
 * The read buffer is allocated once and reused, and nothing is built per request but a promise:
 * that is what keeps the client cheaper than the servers it measures.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { ResponseParser } from './response-parser.ts';
import type { ResponseParserOptions } from './response-parser.ts';

const SILENCE_MAX_MS = 60_000;

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The server took the request and never answered: to send it again would hide that. */
class Silence extends Error {}

/** Produces the pieces of a long body. A piece may be reused once the next one is asked for. */
export type BodySource = () => Buffer | undefined;

interface Exchange {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Connection {
  readonly parser = new ResponseParser();
  /** How many sockets were opened in all: more than one means that the server closes them. */
  openedCount = 0;
  readonly #endpoint: Endpoint;
  readonly #readBuffer: Buffer;
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;
  /** Answers that the present socket has brought. */
  #servedCount = 0;

  constructor(endpoint: Endpoint, readBufferBytes = 64 * 1024) {
    this.#endpoint = endpoint;
    this.#readBuffer = Buffer.allocUnsafeSlow(readBufferBytes);
  }

  /**
   * Sends one request and waits for the whole answer, which `parser` then describes. One exchange
   * at a time. A connection that the server closed between two requests is opened again, once.
   * @throws Error: connection refused or broken, or a minute of silence.
   */
  async exchange(request: Buffer, options?: ResponseParserOptions): Promise<void> {
    const servedBefore = this.#servedCount;
    try {
      await this.#exchangeOnce(request, options);
    } catch (error) {
      this.close();
      const isStale = servedBefore > 0 && this.parser.head === '' && !(error instanceof Silence);
      if (!isStale) throw error;
      await this.#exchangeOnce(request, options);
    }
    if (!this.parser.isKeepAlive) this.close();
  }

  /** Connects ahead of the first request. @throws Error: connection refused. */
  async open(): Promise<void> {
    const socket = (this.#socket ??= this.#open());
    if (socket.connecting) await once(socket, 'connect');
  }

  /** Like `exchange`, with a body of any length made piece by piece as the socket takes it. */
  async upload(head: Buffer, body: BodySource): Promise<void> {
    const answered = this.#exchangeOnce(head);
    const sent = this.#pump(body);
    await Promise.all([answered, sent]);
    if (!this.parser.isKeepAlive) this.close();
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #exchangeOnce(request: Buffer, options?: ResponseParserOptions): Promise<void> {
    this.parser.reset(options);
    const socket = (this.#socket ??= this.#open());
    return new Promise((resolve, reject) => {
      this.#exchange = { resolve, reject };
      socket.write(request);
    });
  }

  async #pump(body: BodySource): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    for (let piece = body(); piece !== undefined; piece = body()) {
      const next = piece;
      await new Promise<void>((resolve, reject) => {
        socket.write(next, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(error);
        });
      });
    }
  }

  #open(): Socket {
    this.openedCount += 1;
    this.#servedCount = 0;
    const onread = {
      buffer: this.#readBuffer,
      callback: (count: number, buffer: Uint8Array): boolean => {
        this.#take(buffer as Buffer, count);
        return true;
      },
    };
    const { host, port } = this.#endpoint;
    const socket = connect({ host, port, noDelay: true, onread });
    socket.setTimeout(SILENCE_MAX_MS, () => socket.destroy(new Silence('a minute of silence')));
    socket.on('error', (error) => this.#fail(socket, error));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      if (this.parser.end()) this.#finish();
      else this.#fail(socket, new Error('the server closed the connection'));
    });
    return socket;
  }

  #take(buffer: Buffer, count: number): void {
    try {
      if (this.parser.push(buffer.subarray(0, count))) this.#finish();
    } catch (error) {
      this.#socket?.destroy();
      this.#reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(socket: Socket, error: Error): void {
    if (this.#socket === socket) this.#socket = undefined;
    this.#reject(error);
  }

  #finish(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#servedCount += 1;
    exchange?.resolve();
  }

  #reject(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.reject(error);
  }
}
