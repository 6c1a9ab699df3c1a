import { HoldfastError } from '../base/errors.ts';

/** Takes one piece; a promise says "wait for me before you hand me the next". */
export type TakePiece = (piece: Uint8Array) => Promise<void> | undefined;

/** Bytes on their way in, pushed: a network body, or a buffer in tests. */
export interface BodySource {
  /** As announced; undefined when the sender did not say. */
  readonly lengthBytes: number | undefined;

  /** Hands over every piece, in order, and resolves at the end. May be called once.
   *  @throws invalid `body-cut`: the sender went away or sent less than announced; whatever
   *  `take` threw. */
  pour(take: TakePiece, signal?: AbortSignal): Promise<void>;
}

/** A body that is there already. */
export function bodyOf(...pieces: readonly Uint8Array[]): BodySource {
  return {
    lengthBytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
    async pour(take, signal) {
      for (const piece of pieces) {
        signal?.throwIfAborted();
        await take(piece);
      }
    },
  };
}

export function bodyCut(): HoldfastError {
  const message = 'The connection ended before the whole body had arrived. Nothing was stored.';
  return new HoldfastError('invalid', 'files/BodySource', message, { code: 'body-cut' });
}
