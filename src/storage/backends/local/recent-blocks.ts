import type { BlockId } from '../../../base/ids.ts';

/** What keeping a block costs besides its bytes, roughly: id, map entry, buffer object. */
const OVERHEAD_BYTES = 512;
/** One part in so many goes when there is no more room. */
const EVICTED_SHARE = 8;

/** Small blocks that were written or read lately: reading them again costs no system call. */
export class RecentBlocks {
  readonly #blockBytesMax: number;
  readonly #bytesMax: number;
  /** Least recently used first. */
  readonly #blocks = new Map<BlockId, Buffer>();
  #bytes = 0;

  constructor(limits: { recentBlockBytesMax: number; recentBytesMax: number }) {
    this.#blockBytesMax = limits.recentBlockBytesMax;
    this.#bytesMax = limits.recentBytesMax;
  }

  find(id: BlockId): Buffer | undefined {
    const bytes = this.#blocks.get(id);
    if (bytes === undefined) return undefined;
    this.#blocks.delete(id);
    this.#blocks.set(id, bytes);
    return bytes;
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
    this.#blocks.set(id, bytes);
    this.#bytes += sizeBytes + OVERHEAD_BYTES;
    if (this.#bytes > this.#bytesMax) this.#evict();
  }

  /** Many at once: a Map keeps the holes of what was deleted in front, and each look for its oldest
   *  entry steps over all of them. */
  #evict(): void {
    const goalBytes = this.#bytesMax - this.#bytesMax / EVICTED_SHARE;
    for (const [oldest, { length }] of this.#blocks) {
      if (this.#bytes <= goalBytes) return;
      this.#blocks.delete(oldest);
      this.#bytes -= length + OVERHEAD_BYTES;
    }
  }
}
