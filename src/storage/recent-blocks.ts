import type { BlockId } from '../base/ids.ts';

/** What keeping a block costs besides its bytes, roughly: id, map entry, buffer object. */
const OVERHEAD_BYTES = 512;
/** One part in so many goes when there is no more room. */
const EVICTED_SHARE = 8;

export interface RecentLimits {
  /** Greater blocks are not kept… */
  recentBlockBytesMax: number;
  /** …and of those that are, so many bytes in all. 0 switches it off. */
  recentBytesMax: number;
}

export const RECENT_DEFAULTS: RecentLimits = {
  recentBlockBytesMax: 64 * 1024,
  recentBytesMax: 32 * 1024 ** 2,
};

interface RecentBlock {
  readonly bytes: Buffer;
  /** It was found since it came, or since it was last spared. */
  wasFound: boolean;
}

/**
 * Small blocks that were written or read lately: reading them again costs no system call.
 *
 * The oldest go first, but one that was found meanwhile is spared once (the clock algorithm): so a
 * find is one look into the map, where keeping the order of last use would take three.
 */
export class RecentBlocks {
  readonly #blockBytesMax: number;
  readonly #bytesMax: number;
  /** Those that came, or were spared, longest ago first. */
  readonly #blocks = new Map<BlockId, RecentBlock>();
  #bytes = 0;

  constructor(limits: RecentLimits) {
    this.#blockBytesMax = limits.recentBlockBytesMax;
    this.#bytesMax = limits.recentBytesMax;
  }

  find(id: BlockId): Buffer | undefined {
    const block = this.#blocks.get(id);
    if (block === undefined) return undefined;
    block.wasFound = true;
    return block.bytes;
  }

  /** The pieces are copied: they may be small parts of big network buffers. */
  add(id: BlockId, pieces: readonly Uint8Array[], sizeBytes: number): void {
    if (sizeBytes > this.#blockBytesMax || this.#bytesMax === 0 || this.#blocks.has(id)) return;
    // From the shared pool when tiny: neighbours there are as old and leave at the same time.
    const bytes = Buffer.allocUnsafe(sizeBytes);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#blocks.set(id, { bytes, wasFound: false });
    this.#bytes += sizeBytes + OVERHEAD_BYTES;
    if (this.#bytes > this.#bytesMax) this.#evict();
  }

  forget(id: BlockId): void {
    const block = this.#blocks.get(id);
    if (block === undefined) return;
    this.#blocks.delete(id);
    this.#bytes -= block.bytes.length + OVERHEAD_BYTES;
  }

  /** Many at once: a Map keeps the holes of what was deleted in front, and each look for its oldest
   *  entry steps over all of them. */
  #evict(): void {
    const goalBytes = this.#bytesMax - this.#bytesMax / EVICTED_SHARE;
    // Who was spared comes again at the end of this walk, and then goes: so it ends.
    for (const [oldest, block] of this.#blocks) {
      if (this.#bytes <= goalBytes) return;
      this.#blocks.delete(oldest);
      if (block.wasFound) {
        block.wasFound = false;
        this.#blocks.set(oldest, block);
      } else {
        this.#bytes -= block.bytes.length + OVERHEAD_BYTES;
      }
    }
  }
}
