/** Cuts a stream of bytes into blocks while it arrives. */
import { createHash, hash, type Hash } from 'node:crypto';
import type { BlockId } from '../base/ids.ts';
import { Block, BLOCK_BYTES_MAX } from './block.ts';

/**
 * Takes the pieces of a file as they come from the network and gives out blocks of exactly
 * BLOCK_BYTES_MAX bytes, the last one shorter. Bytes are hashed as they arrive and never copied:
 * a piece across a boundary is shared by both blocks.
 *
 * The caller must not change the pieces afterwards. A piece that is a small part of a bigger buffer
 * keeps all of that buffer in memory until its block is stored, so a reader with its own pool hands
 * in copies.
 */
export class BlockCutter {
  readonly #blockBytes: number;
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;
  /** Not begun before a second piece comes: for one piece a single call is faster. */
  #hasher: Hash | undefined;

  /** `blockBytes` is given by tests only. */
  constructor(blockBytes: number = BLOCK_BYTES_MAX) {
    this.#blockBytes = blockBytes;
  }

  /** Bytes that wait for the rest of their block. */
  get pendingBytes(): number {
    return this.#sizeBytes;
  }

  /** Returns the blocks that this piece completes, in order. */
  push(piece: Uint8Array): Block[] {
    const blocks: Block[] = [];
    for (let at = 0; at < piece.length; ) {
      const take = Math.min(piece.length - at, this.#blockBytes - this.#sizeBytes);
      this.#add(take === piece.length ? piece : piece.subarray(at, at + take));
      at += take;
      if (this.#sizeBytes === this.#blockBytes) blocks.push(this.#cut());
    }
    return blocks;
  }

  /** The last block, or undefined when the bytes ended at a boundary. Then starts anew. */
  finish(): Block | undefined {
    return this.#sizeBytes === 0 ? undefined : this.#cut();
  }

  #add(part: Uint8Array): void {
    const [first] = this.#pieces;
    if (first !== undefined) {
      this.#hasher ??= createHash('sha256').update(first);
      this.#hasher.update(part);
    }
    this.#pieces.push(part);
    this.#sizeBytes += part.length;
  }

  #cut(): Block {
    const only = this.#pieces[0] as Uint8Array;
    const digest = this.#hasher?.digest('hex') ?? hash('sha256', only);
    const block = Block.hashed(digest as BlockId, this.#pieces, this.#sizeBytes);
    this.#pieces = [];
    this.#sizeBytes = 0;
    this.#hasher = undefined;
    return block;
  }
}
