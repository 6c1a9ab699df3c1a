/** A block: 1 to 4 MiB of immutable bytes, named by their SHA-256. */
import { createHash, hash } from 'node:crypto';
import { HoldfastError } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';

export const BLOCK_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Bytes together with the id that they hash to. Only `Block.of` and `BlockBuilder` make one, so a
 * store need not hash a second time. The pieces must not be changed by anyone afterwards.
 */
export class Block {
  readonly id: BlockId;
  /** In order; kept as they came from the network, so that nothing is copied. */
  readonly pieces: readonly Uint8Array[];
  readonly sizeBytes: number;

  private constructor(id: BlockId, pieces: readonly Uint8Array[], sizeBytes: number) {
    this.id = id;
    this.pieces = pieces;
    this.sizeBytes = sizeBytes;
  }

  /** @throws invalid: not 1 to BLOCK_BYTES_MAX bytes. */
  static of(pieces: readonly Uint8Array[]): Block {
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) {
      checkSize(only.length);
      return new Block(hash('sha256', only) as BlockId, pieces, only.length);
    }
    const hasher = createHash('sha256');
    let sizeBytes = 0;
    for (const piece of pieces) {
      sizeBytes += piece.length;
      hasher.update(piece);
    }
    checkSize(sizeBytes);
    return new Block(hasher.digest('hex') as BlockId, pieces, sizeBytes);
  }

  /** For who has hashed while the bytes arrived: `id` must be the SHA-256 of the pieces. */
  static hashed(id: BlockId, pieces: readonly Uint8Array[], sizeBytes: number): Block {
    checkSize(sizeBytes);
    return new Block(id, pieces, sizeBytes);
  }
}

function checkSize(sizeBytes: number): void {
  if (sizeBytes >= 1 && sizeBytes <= BLOCK_BYTES_MAX) return;
  throw new HoldfastError('invalid', 'storage/Block', 'A block holds 1 byte to 4 MiB.', {
    facts: { sizeBytes },
  });
}
