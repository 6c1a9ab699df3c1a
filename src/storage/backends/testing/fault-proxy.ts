/**
 * An HTTP proxy for tests that makes the faults of networks and object stores: it stands in front
 * of a real server and spoils what a rule names. Everything else goes through unchanged, with the
 * host name that the client has signed.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../../../platform/index.ts';

export type Fault =
  | 'error-500' // The service fails.
  | 'slow-down' // 503, with the word that asks for fewer requests.
  | 'reset-request' // The connection breaks while the request's body is on its way.
  | 'cut-request' // The same, and the service has got half of the body.
  | 'reset-response' // It breaks in the middle of the answer's body.
  | 'lost-answer' // The request is carried out, the answer never comes back.
  | 'hang' // No answer, and no end of the connection.
  | 'dropped' // Acknowledged with all the right checksums, and not stored.
  | 'corrupt-request' // One bit of the request's body is another.
  | 'corrupt-response' // One bit of the answer's body is another.
  | 'slow' // The answer comes in small pieces with pauses.
  | 'answer'; // What the rule says.

export interface FaultRule {
  fault: Fault;
  /** Which requests; all when left out. */
  method?: string;
  path?: RegExp;
  /** How many requests; all when left out. */
  times?: number;
  /** Of `slow`: the pause before each of 16 pieces. */
  pauseMs?: number;
  /** Of `answer`. */
  answer?: { status: number; body: string; headers?: OutgoingHttpHeaders };
}

interface ActiveRule extends FaultRule {
  left: number;
}

const BODY_BYTES_MAX = 16 * 1024 * 1024;
const PIECES = 16;

export class FaultProxy {
  readonly #server: Server;
  readonly #upstream: URL;
  readonly #clock: Clock;
  readonly #sockets = new Set<Socket>();
  #rules: ActiveRule[] = [];
  /** Requests so far, as `GET /path`. */
  readonly seen: string[] = [];
  /** The faults that were made. */
  readonly made: Fault[] = [];

  private constructor(upstream: URL, clock: Clock) {
    this.#upstream = upstream;
    this.#clock = clock;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(upstream: string, clock: Clock): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(upstream), clock);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on requests that fit are spoiled; the first rule that fits counts. */
  spoil(rule: FaultRule): void {
    this.#rules.push({ ...rule, left: rule.times ?? Infinity });
  }

  /** From now on all is well. Requests that hang go on hanging. */
  heal(): void {
    this.#rules = [];
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.seen.push(`${request.method} ${request.url}`);
    const rule = this.#take(request);
    if (rule !== undefined) this.made.push(rule.fault);
    if (rule?.fault === 'reset-request') return breakOff(request);
    const body = await bodyOf(request);
    switch (rule?.fault) {
      case 'error-500':
        return say(response, 500, errorXml('InternalError'));
      case 'slow-down':
        return say(response, 503, errorXml('SlowDown'));
      case 'answer':
        return sayWhat(response, rule);
      case 'dropped':
        return acknowledge(response, body);
      case 'hang':
        return undefined;
      default:
        return this.#forward(request, response, body, rule);
    }
  }

  #take({ method, url = '' }: IncomingMessage): ActiveRule | undefined {
    const rule = this.#rules.find((each) => {
      const fits = each.method === undefined || each.method === method;
      return each.left > 0 && fits && (each.path?.test(url) ?? true);
    });
    if (rule !== undefined) rule.left--;
    return rule;
  }

  async #forward(
    request: IncomingMessage, response: ServerResponse, body: Buffer, rule?: ActiveRule,
  ): Promise<void> {
    const sent = httpRequest({
      host: this.#upstream.hostname,
      port: this.#upstream.port,
      method: request.method,
      path: request.url,
      headers: request.headers,
    });
    if (rule?.fault === 'cut-request') {
      sent.on('error', () => request.socket.destroy());
      sent.write(body.subarray(0, body.length >> 1), () => sent.destroy(new Error('cut')));
      return;
    }
    sent.end(rule?.fault === 'corrupt-request' ? flipped(body) : body);
    const [answer] = await once(sent, 'response') as [IncomingMessage];
    const bytes = await bodyOf(answer);
    if (rule?.fault === 'lost-answer') {
      request.socket.destroy();
      return;
    }
    const headers = { ...answer.headers };
    // The length is told even where the service sent pieces, so that half a body is half a body.
    delete headers['transfer-encoding'];
    if (request.method !== 'HEAD') headers['content-length'] = String(bytes.length);
    response.writeHead(answer.statusCode ?? 500, headers);
    switch (rule?.fault) {
      case 'reset-response':
        response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy());
        return;
      case 'corrupt-response':
        response.end(flipped(bytes));
        return;
      case 'slow':
        this.#trickle(response, bytes, rule.pauseMs ?? 1000);
        return;
      default:
        response.end(bytes);
    }
  }

  #trickle(response: ServerResponse, bytes: Buffer, pauseMs: number): void {
    const step = Math.max(1, Math.ceil(bytes.length / PIECES));
    const send = (from: number): void => {
      if (response.destroyed) return;
      if (from >= bytes.length) {
        response.end();
        return;
      }
      response.write(bytes.subarray(from, from + step));
      this.#clock.after(pauseMs, () => send(from + step));
    };
    response.flushHeaders();
    this.#clock.after(pauseMs, () => send(0));
  }
}

export function errorXml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code>`
    + '<Message>made by the proxy</Message></Error>';
}

function sayWhat(response: ServerResponse, { answer }: FaultRule): void {
  say(response, answer?.status ?? 500, answer?.body ?? '', answer?.headers);
}

function say(
  response: ServerResponse, status: number, body: string, headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(body);
}

function acknowledge(response: ServerResponse, body: Buffer): void {
  const digest = (name: string) => createHash(name).update(body);
  response.writeHead(200, {
    etag: `"${digest('md5').digest('hex')}"`,
    'x-amz-checksum-sha256': digest('sha256').digest('base64'),
  }).end();
}

/** Breaks the connection when the first bytes of the body are there, if one comes. */
function breakOff(request: IncomingMessage): void {
  const breakNow = (): void => void request.socket.destroy();
  request.once('data', breakNow);
  request.once('end', breakNow);
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.length >> 1;
  if (at < copy.length) copy[at] = (copy[at] as number) ^ 0x04;
  return copy;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > BODY_BYTES_MAX) throw new Error('The body is too big for the proxy.');
    parts.push(part);
  }
  return Buffer.concat(parts, sizeBytes);
}
