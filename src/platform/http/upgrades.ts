/**
 * Connections that leave HTTP: a client asks for another protocol (RFC 9110, section 7.8), and a
 * route takes the socket over. They are no requests any more, so draining ends them by itself:
 * their signals fire at once, and what is still open a moment later is cut.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../clock.ts';
import { failExchange } from './answers.ts';
import type { Exchange, HttpExchange } from './exchange.ts';
import type { NodeServer } from './listener.ts';
import { TracedResponse } from './traced-response.ts';

/**
 * Takes a connection over. To refuse, it answers on the exchange's `res`, or throws: that becomes a
 * 500. Once it has taken the socket it owns it: it listens to its errors, bounds what waits in it,
 * and ends it soon after the exchange's signal has fired. `head` is what came behind the request.
 */
export type UpgradeHandler = (exchange: Exchange, socket: Duplex, head: Buffer) => Promise<void>;

/** How long a socket may take to say goodbye when the server drains. */
const GOODBYE_MS = 1_000;

export class Upgrades {
  readonly #clock: Clock;
  readonly #open = new Map<Duplex, HttpExchange>();
  #whenNone: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#open.size;
  }

  /** `makeExchange` and `find` as for requests; without a handler it is answered 503. */
  attach(server: NodeServer, parts: {
    makeExchange: (req: IncomingMessage, res: TracedResponse) => HttpExchange;
    find: (exchange: HttpExchange) => UpgradeHandler | undefined;
  }): void {
    server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      const res = new TracedResponse(req);
      res.shouldKeepAlive = false;
      res.assignSocket(socket as Parameters<TracedResponse['assignSocket']>[0]);
      // It was refused. Nobody reads from it any more, so its other end would never be heard.
      res.on('finish', () => {
        socket.once('finish', () => socket.destroy());
        socket.end();
      });
      const exchange = parts.makeExchange(req, res);
      this.#open.set(socket, exchange);
      // Before anybody else listens: an error without a listener would end the program.
      socket.on('error', (err) => exchange.log.debug({ err }, 'an upgraded connection failed'));
      socket.on('close', () => this.#forget(socket));
      this.#run(exchange, { handler: parts.find(exchange), socket, head });
    });
  }

  #run(
    exchange: HttpExchange,
    { handler, socket, head }: {
      handler: UpgradeHandler | undefined; socket: Duplex; head: Buffer;
    },
  ): void {
    if (handler === undefined) {
      const headers = ['Retry-After', '5', 'Content-Length', '0', 'Connection', 'close'];
      exchange.res.writeHead(503, headers).end();
      return;
    }
    handler(exchange, socket, head).catch((error: unknown) => {
      if (exchange.res.headersSent || socket.destroyed) socket.destroy();
      else failExchange(exchange, error);
    });
  }

  #forget(socket: Duplex): void {
    const exchange = this.#open.get(socket);
    this.#open.delete(socket);
    exchange?.abort(new HoldfastError('unavailable', 'platform/Upgrades', 'The client left.'));
    if (this.#open.size === 0) this.#whenNone?.();
  }

  /** Ends all of them. Resolves when none is left. */
  async drain(): Promise<void> {
    if (this.#open.size === 0) return;
    const none = new Promise<void>((resolve) => {
      this.#whenNone = resolve;
    });
    const reason = new HoldfastError('unavailable', 'platform/Upgrades', 'Shutting down.');
    for (const exchange of this.#open.values()) exchange.abort(reason);
    const cancel = this.#clock.after(GOODBYE_MS, () => {
      for (const socket of this.#open.keys()) socket.destroy();
    });
    await none;
    cancel();
  }
}
