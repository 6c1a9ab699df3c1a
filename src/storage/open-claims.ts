import type { BlockId } from '../base/ids.ts';
import type { BlockClaim } from './block-reclaim.ts';

/** Of a store that others write to as well: see shared/leaving-view.ts. */
export interface SharedClaims {
  readonly round: () => number;
  readonly hold: (id: BlockId) => Promise<boolean>;
}

/** The claims of one store. `touch` tells the store that a block is needed now, and answers whether
 *  it has the block. Memory: one entry for each block of each open claim, as many as the uploads
 *  under way have blocks; the uploads keep the same list themselves. */
export class OpenClaims {
  readonly #touch: (id: BlockId) => boolean;
  readonly #shared: SharedClaims | undefined;
  /** With the round that was known when each was opened. */
  readonly #open = new Map<ReadonlySet<BlockId>, number>();

  constructor(touch: (id: BlockId) => boolean, shared?: SharedClaims) {
    this.#touch = touch;
    this.#shared = shared;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Everything that is claimed was claimed under this round or a later one. */
  get quietRound(): number {
    return Math.min(this.#shared?.round() ?? 0, ...this.#open.values());
  }

  open(): BlockClaim {
    const ids = new Set<BlockId>();
    this.#open.set(ids, this.#shared?.round() ?? 0);
    const add = (id: BlockId): boolean => {
      ids.add(id);
      return this.#touch(id);
    };
    return {
      add,
      hold: (id) => {
        const isKnown = add(id);
        return this.#shared === undefined ? isKnown : this.#shared.hold(id);
      },
      release: () => {
        this.#open.delete(ids);
      },
    };
  }

  /** At the beginning of a census: what is claimed counts from the start. */
  touchAll(): void {
    for (const ids of this.#open.keys()) {
      for (const id of ids) this.#touch(id);
    }
  }
}
