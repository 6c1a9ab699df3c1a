/** One HTTP request and its whole answer, or an error when nothing moves any more. Knows nothing of
 *  object stores. */
import type {
  Agent as HttpAgent, ClientRequest, IncomingHttpHeaders, IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { nodeHttp } from '../../../platform/index.ts';
import type { Clock } from '../../../platform/index.ts';

export interface WireRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** As it goes over the wire: escaped, with the query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  pieces: readonly Uint8Array[];
}

export interface WireAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface WireLimits {
  /** How long not a byte may move, in either direction. */
  silenceMs: number;
  /** A longer answer is not read to its end. */
  bodyBytesMax: number;
}

export interface WireOptions {
  endpoint: URL;
  socketsMax: number;
  ca: string | undefined;
  clock: Clock;
}

/** On a line of 10 Mbit/s that sixteen puts share, one part takes three seconds. */
const PART_BYTES = 256 * 1024;

export type WireTrouble = 'timeout' | 'broken' | 'too-long';

/** The answer did not come, or not whole. Stays inside this folder. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly trouble: WireTrouble;

  constructor(trouble: WireTrouble, cause?: unknown) {
    super(`The exchange with the object store failed: ${trouble}.`, { cause });
    this.trouble = trouble;
  }
}

export class ObjectWire {
  readonly #options: WireOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #request: typeof nodeHttp.request;

  constructor(options: WireOptions) {
    const { endpoint, socketsMax, ca } = options;
    const isTls = endpoint.protocol === 'https:';
    const common = { keepAlive: true, maxSockets: socketsMax };
    this.#options = options;
    this.#agent = isTls
      ? new HttpsAgent({ ...common, ...(ca && { ca }) })
      : new nodeHttp.Agent(common);
    this.#request = isTls ? httpsRequest : nodeHttp.request;
  }

  /** Resolves with any answer that arrived whole.
   *  @throws WireError; the signal's reason. The connection is closed then. */
  exchange(wanted: WireRequest, limits: WireLimits, signal: AbortSignal): Promise<WireAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>();
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const { endpoint, clock } = this.#options;
    const sent = this.#request({
      agent: this.#agent,
      host: endpoint.hostname.replace(/^\[|\]$/g, ''),
      port: endpoint.port === '' ? undefined : endpoint.port,
      method: wanted.method,
      path: wanted.path,
      headers: wanted.headers,
    });
    const fail = (error: unknown): void => {
      reject(error as Error);
      sent.destroy();
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    let stopTimer = (): void => undefined;
    let settled = false;
    const noteProgress = (): void => {
      stopTimer();
      if (settled) return;
      stopTimer = clock.after(limits.silenceMs, () => fail(new WireError('timeout')));
    };
    noteProgress();
    let answered = false;
    // A service that refuses closes before it has read the body. What it says counts then, and a
    // connection that breaks in the midst of the answer is seen there.
    sent.on('error', (error) => {
      if (!answered) fail(new WireError('broken', error));
    });
    sent.on('response', (answer) => {
      answered = true;
      answer.on('data', noteProgress);
      gather(answer, limits.bodyBytesMax, resolve, fail);
    });
    sendPieces(sent, wanted.pieces, noteProgress);
    return promise.finally(() => {
      settled = true;
      stopTimer();
      signal.removeEventListener('abort', onAbort);
    });
  }

  /** Ends idle connections, and what still goes on over others. */
  close(): void {
    this.#agent.destroy();
  }
}

/** In parts that are small enough to show whether a slow line still moves. */
function sendPieces(
  sent: ClientRequest, pieces: readonly Uint8Array[], onProgress: () => void,
): void {
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += PART_BYTES) {
      sent.write(piece.subarray(from, from + PART_BYTES), onProgress);
    }
  }
  sent.end();
}

function gather(
  answer: IncomingMessage, bytesMax: number,
  resolve: (answer: WireAnswer) => void, fail: (error: unknown) => void,
): void {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  answer.on('data', (part: Buffer) => {
    sizeBytes += part.length;
    if (sizeBytes > bytesMax) fail(new WireError('too-long'));
    else parts.push(part);
  });
  answer.on('error', (error) => fail(new WireError('broken', error)));
  answer.on('end', () => {
    // A body that was cut off ends here too; only `complete` tells the two apart.
    if (!answer.complete) return fail(new WireError('broken'));
    const body = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, sizeBytes);
    return resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
  });
}
