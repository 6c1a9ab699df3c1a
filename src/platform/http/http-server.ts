/**
 * The program's HTTP server: plain node:http with firm limits, one place that catches, and a drain.
 *
 * A handler gets an Exchange and answers on Node's own `res`; nothing is buffered or wrapped, since
 * file bodies pass through here. What this class adds per request is a small object, one listener
 * and one header.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:https';
import { isIPv6 } from 'node:net';
import type { Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { asRequest, isMarked } from '../sql/request-mark.ts';
import { HttpExchange } from './exchange.ts';
import type { ExchangeContext, HttpHandler } from './exchange.ts';
import { ExchangesInFlight } from './exchanges-in-flight.ts';
import { HttpTally } from './http-tally.ts';
import type { TallyTotals } from './http-tally.ts';
import { HEADERS_MAX, listen, makeNodeServer, readTls } from './listener.ts';
import type { ListenAddress, NodeServer, TlsFiles } from './listener.ts';
import { RouteTable } from './route-table.ts';
import type { Route, RouteMatch } from './route-table.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import { Upgrades } from './upgrades.ts';
import type { TracedResponse } from './traced-response.ts';
import { answerPlainly, askWhenRead, discardRest, failExchange } from './answers.ts';

export type HttpState = 'starting' | 'serving' | 'draining' | 'closed';

export interface HttpServerOptions {
  readonly listen: ListenAddress;
  readonly log: Logger;
  readonly clock: Clock;
  /** With routes it serves at once; without, it answers 503 until `serve` is called. */
  readonly routes?: readonly Route[];
  /** Stays at 503 until `serve` is called although there are routes: only `always` ones answer. */
  readonly isStarting?: boolean;
  readonly tls?: TlsFiles;
  readonly trustedProxies?: TrustedProxies;
  readonly metrics?: Metrics;
  /** Answers while starting and draining, in place of the routes. */
  readonly gate?: HttpHandler;
  /** True for a client that is to be sent `100 Continue` although it did not ask. */
  readonly earlyContinue?: (req: IncomingMessage) => boolean;
  /** A connection is cut when the client neither sends nor takes a byte it owes for so long. */
  readonly idleTimeoutMs?: number;
}

const IDLE_TIMEOUT_MS = 120_000;
/** After the drain deadline, how long aborted handlers may take to clean up. */
const ABORT_GRACE_MS = 5_000;
const DRAIN_RETRY_SECONDS = 5;
const START_RETRY_SECONDS = 2;
const NO_ANSWER =
  new HoldfastError('internal', 'platform/HttpServer', 'A handler returned without an answer.');

export class HttpServer {
  readonly url: string;
  readonly port: number;
  readonly #server: NodeServer;
  readonly #options: HttpServerOptions;
  readonly #context: ExchangeContext;
  readonly #idleTimeoutMs: number;
  readonly #inFlight = new ExchangesInFlight();
  readonly #upgrades: Upgrades;
  readonly #tally = new HttpTally();
  readonly #idPrefix = randomBytes(6).toString('base64url');
  readonly #gateMatch: RouteMatch;
  readonly #nowhereMatch: RouteMatch;
  #routes: RouteTable;
  #state: HttpState = 'starting';
  #requestCount = 0;
  #waitingCount = 0;
  #whenQuiet: (() => void) | undefined;

  private constructor(server: NodeServer, options: HttpServerOptions, port: number) {
    const { host } = options.listen;
    const secure = options.tls !== undefined;
    const ownHost = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
    this.#server = server;
    this.#options = options;
    this.#upgrades = new Upgrades(options.clock);
    this.port = port;
    this.url = `${secure ? 'https' : 'http'}://${ownHost}`;
    const proxies = options.trustedProxies ?? TrustedProxies.none;
    this.#context = { log: options.log, proxies, secure, ownHost };
    this.#idleTimeoutMs = options.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
    const gate = options.gate ?? ((exchange) => this.#answerGate(exchange));
    this.#gateMatch = this.#special('gate', gate);
    this.#nowhereMatch = this.#special('none', async ({ res }) => answerPlainly(res, 404));
    this.#routes = new RouteTable(options.routes ?? [], this.#tally);
    if (options.routes !== undefined && options.isStarting !== true) this.#state = 'serving';
    options.metrics?.addText(() => this.#tally.text());
  }

  /** Listens. @throws unavailable: the address is taken or not allowed; invalid: bad TLS files. */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    let nodeServer: NodeServer;
    const wanting = { upgrade: (_: IncomingMessage): boolean => false };
    try {
      nodeServer = await makeNodeServer(options.tls, (req) => wanting.upgrade(req));
    } catch (cause) {
      if (cause instanceof HoldfastError) throw cause;
      const message = 'The TLS certificate and key do not fit each other, or are damaged.';
      throw new HoldfastError('invalid', 'platform/HttpServer.open', message, { cause });
    }
    const { port } = await listen(nodeServer, options.listen);
    const server = new HttpServer(nodeServer, options, port);
    wanting.upgrade = (req) => server.#wantsUpgrade(req);
    server.#attach();
    return server;
  }

  get state(): HttpState {
    return this.#state;
  }

  /** Exchanges whose answer is not out yet, but for those that wait for something to happen. */
  get inFlight(): number {
    return this.#inFlight.size - this.#waitingCount;
  }

  /** What was answered since the start. */
  totals(): TallyTotals {
    return this.#tally.totals();
  }

  /** Ends the start-up, or replaces the routes of a serving server. */
  serve(routes: readonly Route[]): void {
    this.#routes = new RouteTable(routes, this.#tally);
    if (this.#state === 'starting') this.#state = 'serving';
  }

  /** Reads certificate and key again; open connections keep the old ones.
   *  @throws invalid: they cannot be read or do not fit; the old ones then stay in use. */
  async reloadTls(): Promise<void> {
    const { tls } = this.#options;
    if (tls === undefined || !(this.#server instanceof TlsServer)) return;
    const pair = await readTls(tls);
    try {
      this.#server.setSecureContext(pair);
    } catch (cause) {
      const message = 'The TLS certificate and key do not fit each other. The old ones stay.';
      throw new HoldfastError('invalid', 'platform/HttpServer.reloadTls', message, { cause });
    }
  }

  /**
   * Stops accepting, closes idle connections, and waits for the exchanges in flight. When
   * `deadlineMs` has passed their signals fire, and what is still open is cut a moment later.
   * Resolves when no handler runs any more, or when the grace after the deadline is over.
   */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'draining';
    const { clock, log } = this.#options;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { res } of this.#inFlight.now()) res.shouldKeepAlive = false;
    const reason = new HoldfastError('unavailable', 'platform/HttpServer', 'Shutting down.');
    for (const exchange of this.#inFlight.now()) if (exchange.isWaiting) exchange.abort(reason);
    const upgradesEnded = this.#upgrades.drain();
    this.#server.closeIdleConnections();
    const cancelAbort = clock.after(deadlineMs, () => {
      log.warn({ requests: this.#inFlight.size }, 'drain deadline passed, aborting requests');
      for (const exchange of this.#inFlight.now()) exchange.abort(reason);
    });
    const quiet = new Promise<void>((resolve) => {
      this.#whenQuiet = resolve;
    });
    let cancelCut = (): void => undefined;
    const cut = new Promise<void>((resolve) => {
      cancelCut = clock.after(deadlineMs + ABORT_GRACE_MS, resolve);
    });
    if (this.#inFlight.size > 0) await Promise.race([quiet, cut]);
    cancelAbort();
    cancelCut();
    await upgradesEnded;
    this.#server.closeAllConnections();
    await closed;
    this.#state = 'closed';
  }

  #attach(): void {
    const { earlyContinue } = this.#options;
    this.#server.on('request', (req: IncomingMessage, res: TracedResponse) => {
      if (earlyContinue?.(req) === true) res.writeContinue();
      this.#begin(this.#exchangeOf(req, res));
    });
    this.#server.on('checkContinue', (req: IncomingMessage, res: TracedResponse) => {
      const exchange = this.#exchangeOf(req, res);
      askWhenRead(exchange);
      this.#begin(exchange);
    });
    this.#upgrades.attach(this.#server, {
      makeExchange: (req, res) => this.#exchangeOf(req, res),
      find: ({ path }) => (
        this.#state === 'serving' ? this.#routes.find(path)?.route.upgrade : undefined),
    });
    this.#server.setTimeout(this.#idleTimeoutMs, (socket) => this.#onSilence(socket));
    this.#server.on('tlsClientError', (err) => {
      this.#options.log.debug({ err }, 'TLS handshake failed');
    });
    this.#server.on('error', (err) => this.#options.log.error({ err }, 'the listener failed'));
  }

  /** Asked for a protocol that nobody speaks here, a request is answered as if it had not asked. */
  #wantsUpgrade({ url = '/', headers }: IncomingMessage): boolean {
    if (headers.upgrade?.toLowerCase() !== 'websocket') return false;
    return this.#routes.find(url.split('?', 1)[0] ?? '/')?.route.upgrade !== undefined;
  }

  #exchangeOf(req: IncomingMessage, res: TracedResponse): HttpExchange {
    this.#requestCount += 1;
    const requestId = `${this.#idPrefix}-${this.#requestCount.toString(36)}`;
    res.requestId = requestId;
    const startedMs = this.#options.clock.monotonic();
    return new HttpExchange(req, res, { requestId, startedMs, context: this.#context });
  }

  #begin(exchange: HttpExchange): void {
    const { req, res } = exchange;
    const match = this.#match(exchange);
    exchange.tally = match.tally;
    this.#inFlight.add(exchange);
    if (match.route.waits === true) {
      exchange.isWaiting = true;
      this.#waitingCount += 1;
    }
    res.on('close', () => this.#onClose(exchange));
    if (req.rawHeaders.length > HEADERS_MAX * 2) {
      res.shouldKeepAlive = false;
      answerPlainly(res, 431);
      exchange.handled = true;
      return;
    }
    this.#run(exchange, match.route.handler);
  }

  #match(exchange: HttpExchange): RouteMatch {
    const match = this.#routes.find(exchange.path);
    if (this.#state === 'serving') return match ?? this.#nowhereMatch;
    exchange.res.shouldKeepAlive = false;
    return match?.route.always === true ? match : this.#gateMatch;
  }

  /** The one place that catches what handlers throw. Without async: that would cost every request
   *  another promise and two more turns of the microtask queue. */
  #run(exchange: HttpExchange, handler: HttpHandler): void {
    let answered: Promise<void>;
    try {
      answered = isMarked(exchange.req.method) ? asRequest(exchange.requestId, () =>
        handler(exchange)) : handler(exchange);
    } catch (error) {
      this.#finish(exchange, error);
      return;
    }
    answered.then(
      () => this.#finish(exchange, undefined),
      (error: unknown) => this.#finish(exchange, error ?? new Error('a handler threw nothing')),
    );
  }

  #finish(exchange: HttpExchange, error: unknown): void {
    const { res } = exchange;
    const fault = error ?? (res.writableEnded || res.destroyed ? undefined : NO_ANSWER);
    if (fault !== undefined) failExchange(exchange, fault);
    exchange.handled = true;
    this.#settle(exchange);
  }

  #onClose(exchange: HttpExchange): void {
    const { req, res } = exchange;
    const durationMs = this.#options.clock.monotonic() - exchange.startedMs;
    exchange.tally?.observe(req.method, res.writableFinished ? res.statusCode : 'cut', durationMs);
    exchange.closed = true;
    if (!res.writableFinished) {
      exchange.abort(new HoldfastError('unavailable', 'platform/HttpServer', 'The client left.'));
    } else if (!req.complete) {
      discardRest(req, this.#options.clock);
    }
    this.#settle(exchange);
  }

  /** An exchange is over when its handler has returned and its answer is out or cut. */
  #settle(exchange: HttpExchange): void {
    if (!exchange.closed || !exchange.handled) return;
    if (this.#inFlight.delete(exchange) && exchange.isWaiting) this.#waitingCount -= 1;
    if (this.#state !== 'draining') return;
    this.#server.closeIdleConnections();
    if (this.#inFlight.size === 0) this.#whenQuiet?.();
  }

  /** No byte moved for a while. Whose turn was it? Only a client that owes something is cut. */
  #onSilence(socket: Socket): void {
    const exchange = this.#inFlight.now().find(({ req }) => req.socket === socket);
    if (exchange !== undefined && !exchange.clientOwes) {
      socket.setTimeout(this.#idleTimeoutMs);
      return;
    }
    if (exchange !== undefined) exchange.log.info({}, 'cut a connection that stood still');
    socket.destroy();
  }

  #special(name: string, handler: HttpHandler): RouteMatch {
    return { route: { prefix: '/', name, handler }, tally: this.#tally.route(name) };
  }

  async #answerGate({ res }: { res: ServerResponse }): Promise<void> {
    const starting = this.#state === 'starting';
    res.setHeader('Retry-After', starting ? START_RETRY_SECONDS : DRAIN_RETRY_SECONDS);
    answerPlainly(res, 503, starting ? 'Holdfast is starting.' : 'Holdfast is shutting down.');
  }
}
