/** One request and its answer. What not every request needs is worked out on first use. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../log.ts';
import type { RouteTally } from './http-tally.ts';
import { plainAddress } from './trusted-proxies.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Unique over this and other runs of the program; the client reads it in `X-Request-Id`. */
  readonly requestId: string;
  /** When the request came, by the clock that never runs backwards. */
  readonly startedMs: number;
  readonly log: Logger;
  /** The client's address; X-Forwarded-For counts only when it comes from a trusted proxy. */
  readonly address: string;
  /** `scheme://host[:port]` as the client used it. */
  readonly origin: string;
  /** Fires when the client goes away or the drain deadline passes. Created on first use. */
  readonly signal: AbortSignal;
  /** Raw, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * Answers one exchange and resolves when it is done with it.
 *
 * Refusing before reading: answer without touching `req`. A client that sent
 * `Expect: 100-continue` is asked for its body only when the handler first reads.
 * Read bodies by `bodyOf(exchange)`: leaving a plain `for await` over `req` early, by an error say,
 * cuts the connection before the answer is out.
 * What it throws becomes a 500 with the request id or, once headers were sent, a cut connection.
 */
export type HttpHandler = (exchange: Exchange) => Promise<void>;

export interface ExchangeContext {
  readonly log: Logger;
  readonly proxies: TrustedProxies;
  readonly secure: boolean;
  /** What stands in for a missing or malformed Host header. */
  readonly ownHost: string;
}

const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?$/;

export class HttpExchange implements Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  readonly path: string;
  readonly startedMs: number;
  /** Where this exchange is counted once it is over. */
  tally: RouteTally | undefined;
  /** The client waits to be asked for its body, and nobody has asked. */
  awaitsContinue = false;
  /** Its handler has returned or thrown. */
  handled = false;
  /** It waits for what may never happen. */
  isWaiting = false;
  /** Its answer is out, or its connection gone. */
  closed = false;
  /** Where it stands among those in flight; below 0 when it is over. */
  place = -1;
  readonly #context: ExchangeContext;
  readonly #search: string;
  #log: Logger | undefined;
  #address: string | undefined;
  #origin: string | undefined;
  #query: URLSearchParams | undefined;
  #abort: AbortController | undefined;
  #abortReason: Error | undefined;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    options: { requestId: string; startedMs: number; context: ExchangeContext },
  ) {
    this.req = req;
    this.res = res;
    this.requestId = options.requestId;
    this.startedMs = options.startedMs;
    this.#context = options.context;
    const target = targetOf(req.url ?? '/');
    const mark = target.indexOf('?');
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.#search = mark < 0 ? '' : target.slice(mark + 1);
  }

  get log(): Logger {
    return (this.#log ??= this.#context.log.child({ requestId: this.requestId }));
  }

  get address(): string {
    return (this.#address ??= this.#findAddress());
  }

  get origin(): string {
    return (this.#origin ??= this.#findOrigin());
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search));
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#abortReason !== undefined) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  get aborted(): boolean {
    return this.#abortReason !== undefined;
  }

  /** Whether the next step is the client's: to send more of the body, or to take of the answer. */
  get clientOwes(): boolean {
    if (this.req.socket.writableLength > 0) return true;
    const hasRoom = this.req.readableLength < this.req.readableHighWaterMark;
    return !this.req.complete && !this.awaitsContinue && hasRoom;
  }

  /** Fires `signal`, now or when it is first asked for. */
  abort(reason: Error): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#abort?.abort(reason);
  }

  #findAddress(): string {
    const near = plainAddress(this.req.socket.remoteAddress ?? '');
    const forwarded = this.req.headers['x-forwarded-for'];
    if (forwarded === undefined || !this.#context.proxies.has(near)) return near;
    return this.#context.proxies.clientOf(near, String(forwarded));
  }

  #findOrigin(): string {
    const { headers, socket } = this.req;
    const { proxies, secure, ownHost } = this.#context;
    const trusted = proxies.has(plainAddress(socket.remoteAddress ?? ''));
    const forwardedScheme = trusted ? firstOf(headers['x-forwarded-proto']) : undefined;
    const forwardedHost = trusted ? firstOf(headers['x-forwarded-host']) : undefined;
    const isHttps = forwardedScheme === undefined ? secure : forwardedScheme === 'https';
    const host = forwardedHost ?? headers.host ?? '';
    return `${isHttps ? 'https' : 'http'}://${HOST.test(host) ? host : ownHost}`;
  }
}

/** Proxies may send the absolute form (RFC 9112, section 3.2.2): its path is what counts. */
function targetOf(url: string): string {
  if (url.startsWith('/')) return url;
  const authority = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url);
  if (authority === null) return url; // `*`, for OPTIONS.
  const rest = url.slice(authority[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** With several proxies in a row, the first entry is what the client itself used. */
function firstOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  const first = text?.split(',', 1)[0]?.trim();
  return first === undefined || first === '' ? undefined : first;
}

/** The body's chunks. Leaving the loop early keeps the connection, so that an answer can go out.
 *  @throws the stream's own error when the client goes away before the end. */
export function bodyOf(exchange: Exchange): AsyncIterable<Buffer> {
  return exchange.req.iterator({ destroyOnReturn: false });
}
