/** Bodies of requests: as a stream for files, whole and bounded for everything else. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HoldfastError } from '../base/errors.ts';
import { bodyCut } from '../files/index.ts';
import type { BodySource, TakePiece } from '../files/index.ts';

/** Of a body that was refused unread, this much is dropped, so that the connection can stay. */
const DROP_BYTES_MAX = 64 * 1024;

/** undefined when the client did not say; 0 when there is no body. */
export function announcedBytes(req: IncomingMessage): number | undefined {
  const { 'content-length': length, 'transfer-encoding': encoding } = req.headers;
  if (encoding !== undefined) return undefined;
  return length === undefined ? 0 : Number(length);
}

/**
 * The body as the file service takes it. Pieces are handed over as they come from the socket;
 * while `take` asks to wait, the socket is not read, so a fast sender is held back by TCP.
 * (A pipeline of streams would do the same at twice the cost for small bodies.)
 */
export function bodySource(req: IncomingMessage): BodySource {
  return new RequestBody(req);
}

class RequestBody implements BodySource {
  readonly lengthBytes: number | undefined;
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage) {
    this.#req = req;
    this.lengthBytes = announcedBytes(req);
  }

  pour(take: TakePiece, signal?: AbortSignal): Promise<void> {
    if (this.lengthBytes === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const pouring = new Pouring(this.#req, take, { resolve, reject });
      if (signal !== undefined) pouring.watch(signal);
    });
  }
}

interface Outcome {
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/** One run through a body; it ends exactly once, and leaves no listener behind. */
class Pouring {
  readonly #req: IncomingMessage;
  readonly #take: TakePiece;
  readonly #outcome: Outcome;
  #signal: AbortSignal | undefined;
  #ended = false;
  readonly #onData = (piece: Buffer): void => this.#accept(piece);
  /** What the last piece is waiting for: a body that was buffered whole ends although paused. */
  #wait: Promise<void> | undefined;
  readonly #onEnd = (): void => {
    const finish = (): void => this.#end(this.#req.complete ? undefined : { error: bodyCut() });
    if (this.#wait === undefined) finish();
    else void this.#wait.then(finish, (error: unknown) => this.#end({ error }));
  };

  readonly #onCut = (): void => {
    if (!this.#req.complete || this.#wait === undefined) this.#end({ error: bodyCut() });
  };

  readonly #onAbort = (): void => this.#end({ error: this.#signal?.reason });

  constructor(req: IncomingMessage, take: TakePiece, outcome: Outcome) {
    this.#req = req;
    this.#take = take;
    this.#outcome = outcome;
    if (req.destroyed && !req.readableEnded) {
      this.#onCut();
      return;
    }
    req.on('end', this.#onEnd);
    req.on('error', this.#onCut);
    req.on('close', this.#onCut);
    req.on('data', this.#onData);
  }

  watch(signal: AbortSignal): void {
    if (this.#ended) return;
    this.#signal = signal;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  #accept(piece: Buffer): void {
    try {
      const wait = this.#take(piece);
      if (wait === undefined) return;
      this.#req.pause();
      this.#wait = wait;
      wait.then(() => this.#goOn(), (error: unknown) => this.#end({ error }));
    } catch (error) {
      this.#end({ error });
    }
  }

  #goOn(): void {
    this.#wait = undefined;
    const isLost = this.#req.destroyed && !this.#req.readableEnded;
    if (isLost) this.#end({ error: bodyCut() });
    else if (!this.#ended) this.#req.resume();
  }

  #end(failure: { error: unknown } | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const req = this.#req;
    req.off('data', this.#onData);
    req.off('end', this.#onEnd);
    req.off('close', this.#onCut);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (failure === undefined) {
      req.off('error', this.#onCut);
      this.#outcome.resolve();
      return;
    }
    // The listener for 'error' stays: a connection that breaks now must not end the process.
    req.pause();
    this.#outcome.reject(failure.error);
  }
}

/** The whole body. @throws too-large: over `bytesMax`, and no more is read; invalid `body-cut`. */
export async function readBounded(req: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const source = bodySource(req);
  const { lengthBytes } = source;
  if (lengthBytes !== undefined && lengthBytes > bytesMax) throw bodyTooLarge(bytesMax);
  const pieces: Uint8Array[] = [];
  let sumBytes = 0;
  await source.pour((piece) => {
    sumBytes += piece.length;
    if (sumBytes > bytesMax) throw bodyTooLarge(bytesMax);
    pieces.push(piece);
    return undefined;
  });
  return Buffer.concat(pieces, sumBytes);
}

function bodyTooLarge(bytesMax: number): HoldfastError {
  const message = `The body of this request can be ${bytesMax} bytes long at most.`;
  return new HoldfastError('too-large', 'protocols/readBounded', message, { facts: { bytesMax } });
}

/**
 * Call before an answer that goes out while the body is unread: a short rest is dropped and the
 * connection kept, a long one would cost more than a new connection, so the answer closes it.
 */
export function leaveBody(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) return;
  const bytes = announcedBytes(req);
  if (bytes === undefined || bytes > DROP_BYTES_MAX) res.shouldKeepAlive = false;
}
