import type { BlockId } from '../../base/ids.ts';
import { SingleFlight } from '../single-flight.ts';

/** A handful of the greatest blocks. */
const BYTES_MAX = 32 * 1024 * 1024;

/**
 * Packed blocks that were unpacked to answer for a part of them. Who streams a block asks for one
 * part after the other, and each time the whole block has to be unpacked.
 */
export class UnpackedBlocks {
  /** Least recently used first. */
  readonly #blocks = new Map<BlockId, Buffer>();
  readonly #flights = new SingleFlight<BlockId, Buffer | undefined>();
  #bytes = 0;

  find(id: BlockId): Buffer | undefined {
    const bytes = this.#blocks.get(id);
    if (bytes === undefined) return undefined;
    this.#blocks.delete(id);
    this.#blocks.set(id, bytes);
    return bytes;
  }

  forget(id: BlockId): void {
    const bytes = this.#blocks.get(id);
    if (bytes === undefined) return;
    this.#blocks.delete(id);
    this.#bytes -= bytes.length;
  }

  /** What `unpack` answers, remembered; whoever asks meanwhile gets the same answer. */
  run(
    id: BlockId, unpack: () => Promise<Buffer | undefined>,
  ): Promise<Buffer | undefined> {
    return this.#flights.run(id, async () => {
      const bytes = await unpack();
      if (bytes !== undefined) this.add(id, bytes);
      return bytes;
    });
  }

  add(id: BlockId, bytes: Buffer): void {
    if (this.#blocks.has(id)) return;
    this.#blocks.set(id, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#blocks) {
      if (this.#bytes <= BYTES_MAX) return;
      this.#blocks.delete(oldest);
      this.#bytes -= length;
    }
  }
}
