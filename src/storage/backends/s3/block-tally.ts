/** How many blocks there are, without asking each time: counted once, kept up by puts. */
import type { BlockId } from '../../../base/ids.ts';

/** More puts than this while it counts, and the figures may be a little too high. */
const OWN_MAX = 1_000_000;

export class BlockTally {
  blockCount = 0;
  storedBytes = 0;
  /** Blocks that this process puts while it counts: the puts count them, the listing must not. */
  readonly #own = new Set<BlockId>();
  /** Blocks whose put has failed, and that were not counted. */
  readonly #doubtful = new Set<BlockId>();
  #counting = false;

  startCounting(): void {
    this.#counting = true;
  }

  /** The counting has ended, or was given up. */
  endCounting(): void {
    this.#counting = false;
    this.#own.clear();
  }

  /** A put is about to write a block that is not there. */
  expect(id: BlockId): void {
    if (this.#counting && this.#own.size < OWN_MAX) this.#own.add(id);
  }

  /** Such a put has failed: the block may be there or not. */
  doubt(id: BlockId): void {
    if (this.#doubtful.size < OWN_MAX) this.#doubtful.add(id);
  }

  /** The block is there now; `wasAbsent` before. */
  stored(id: BlockId, sizeBytes: number, wasAbsent: boolean): void {
    const wasDoubtful = this.#doubtful.size > 0 && this.#doubtful.delete(id);
    if (!wasAbsent && !wasDoubtful) return;
    this.blockCount++;
    this.storedBytes += sizeBytes;
  }

  listed(id: BlockId, sizeBytes: number): void {
    if (this.#own.has(id)) return;
    this.blockCount++;
    this.storedBytes += sizeBytes;
  }
}
