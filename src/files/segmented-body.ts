/**
 * One long body, stored as a row of parts: what has arrived when the connection breaks stays. Each
 * part is durable before the next one begins, so memory holds no more than one part's blocks.
 */
import type { BodySource, TakePiece } from './body.ts';

/** Small enough that little is sent twice, large enough that few parts are made. */
export const SEGMENT_BYTES = 32 * 1024 * 1024;

/**
 * Hands `body` to `put`, piece after piece of at most SEGMENT_BYTES. Resolves with the number of
 * bytes that `put` has taken. When the body breaks off, what had arrived is put first.
 * @throws what the body or `put` throws.
 */
export async function putInSegments(
  body: BodySource, put: (segment: BodySource) => Promise<void>,
  options: { signal?: AbortSignal; segmentBytes?: number } = {},
): Promise<number> {
  const { signal, segmentBytes = SEGMENT_BYTES } = options;
  let current: Segment | undefined;
  let totalBytes = 0;
  const begin = (): Segment => {
    const segment = new Segment();
    segment.stored = put(segment);
    segment.stored.catch(() => undefined); // Told where it is awaited.
    return segment;
  };
  const end = async (): Promise<void> => {
    const ending = current;
    current = undefined;
    if (ending === undefined) return;
    ending.finish();
    await ending.stored;
    totalBytes += ending.takenBytes;
  };
  let taking: Promise<unknown> = Promise.resolve();
  const take = (piece: Uint8Array): Promise<void> => {
    const taken = takeAll(piece);
    taking = taken.catch(() => undefined); // Told to the body.
    return taken;
  };
  const takeAll = async (piece: Uint8Array): Promise<void> => {
    for (let at = 0; at < piece.length;) {
      current ??= begin();
      const room = segmentBytes - current.takenBytes;
      const part = piece.subarray(at, at + room);
      await current.give(part);
      at += part.length;
      if (current.takenBytes >= segmentBytes) await end();
    }
  };
  try {
    await body.pour(take, signal);
  } finally {
    await taking; // A segment that ended with a piece half taken would count what it does not hold.
    await end();
  }
  return totalBytes;
}

class Segment implements BodySource {
  readonly lengthBytes = undefined;
  takenBytes = 0;
  stored: Promise<void> = Promise.resolve();
  readonly #ready = Promise.withResolvers<TakePiece>();
  readonly #done = Promise.withResolvers<undefined>();

  async pour(take: TakePiece): Promise<void> {
    this.#ready.resolve(take);
    await this.#done.promise;
  }

  /** Rejects as soon as storing it has failed. */
  async give(piece: Uint8Array): Promise<void> {
    const failed = this.stored.then(() => new Promise<never>(() => undefined));
    const take = await Promise.race([this.#ready.promise, failed]);
    await Promise.race([take(piece), failed]);
    this.takenBytes += piece.length;
  }

  finish(): void {
    this.#done.resolve(undefined);
  }
}
