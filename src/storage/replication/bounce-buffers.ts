/**
 * Memory for reads that may be given up. A disk that answers late still writes into the memory it
 * was handed, when that may long hold something else: so such reads never go straight into the
 * caller's memory.
 */
const KEPT_BYTES_MIN = 64 * 1024;
const KEPT_BYTES_MAX = 8 * 1024 ** 2;
const KEPT_PER_SIZE = 4;

/** Big buffers are used again: at most four of each power of two, 64 MiB in all. */
export class BounceBuffers {
  readonly #kept = new Map<number, Buffer[]>();

  /** At least so long, with whatever was in it. */
  take(lengthBytes: number): Buffer {
    if (lengthBytes < KEPT_BYTES_MIN || lengthBytes > KEPT_BYTES_MAX) {
      return Buffer.allocUnsafeSlow(lengthBytes);
    }
    const size = 2 ** Math.ceil(Math.log2(lengthBytes));
    return this.#kept.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
  }

  /** Only when nothing is under way into it any more. */
  giveBack(buffer: Buffer): void {
    const { length } = buffer;
    const isKept = length >= KEPT_BYTES_MIN && length <= KEPT_BYTES_MAX;
    if (!isKept || !Number.isInteger(Math.log2(length))) return;
    const kept = this.#kept.get(length) ?? [];
    if (kept.length < KEPT_PER_SIZE) kept.push(buffer);
    this.#kept.set(length, kept);
  }
}
