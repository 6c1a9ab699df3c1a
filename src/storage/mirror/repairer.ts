import { isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import { Block } from '../block.ts';
import type { BlockStore } from '../block-store.ts';
import type { MirrorCounters } from './mirror-limits.ts';

export interface RepairerParts {
  readonly first: BlockStore;
  readonly second: BlockStore;
  readonly repairsMax: number;
  readonly counts: MirrorCounters;
}

/**
 * Writes blocks anew into the first store from the second, one after the other. The reason is
 * looked for again at the moment of acting: a block that can be read by then is left alone, and
 * while the first store cannot be reached nothing is known to be wrong with it.
 */
export class Repairer {
  readonly #parts: RepairerParts;
  readonly #waiting = new Set<BlockId>();
  #working: Promise<void> | undefined;
  #isClosing = false;

  constructor(parts: RepairerParts) {
    this.#parts = parts;
  }

  /** Takes note of a block that the first store lacks or has damaged. When too many wait, the next
   *  read of it will say so again. */
  offer(id: BlockId): void {
    const { repairsMax, counts } = this.#parts;
    if (this.#isClosing || this.#waiting.has(id)) return;
    if (this.#waiting.size >= repairsMax) {
      counts.skippedRepairs += 1;
      return;
    }
    this.#waiting.add(id);
    this.#working ??= this.#work();
  }

  /** Waits for the repair under way, and forgets the others. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    const { counts } = this.#parts;
    for (const id of this.#waiting) {
      if (this.#isClosing) break;
      try {
        if (await this.#isBad(id)) {
          await this.#repair(id);
          counts.repaired += 1;
        }
      } catch {
        // Neither lost nor new: the next read or verifier that meets the damage reports it.
        counts.failedRepairs += 1;
      }
      this.#waiting.delete(id);
    }
    this.#working = undefined;
  }

  async #isBad(id: BlockId): Promise<boolean> {
    try {
      await this.#parts.first.get(id);
      return false;
    } catch (error) {
      if (isKind(error, 'corrupt') || isKind(error, 'not-found')) return true;
      throw error;
    }
  }

  /** Read back afterwards: a put that took the damaged block for a sound one repaired nothing. */
  async #repair(id: BlockId): Promise<void> {
    const { first, second } = this.#parts;
    const block = Block.of([await second.get(id)]);
    if (block.id !== id) throw new Error('the second store answered other bytes');
    await first.put(block);
    await first.get(id);
  }
}
