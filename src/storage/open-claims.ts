import type { BlockId } from '../base/ids.ts';
import type { BlockClaim } from './block-reclaim.ts';

/** The claims of one store. `touch` tells the store that a block is needed now, and answers whether
 *  it has the block. Memory: one entry for each block of each open claim, as many as the uploads
 *  under way have blocks; the uploads keep the same list themselves. */
export class OpenClaims {
  readonly #touch: (id: BlockId) => boolean;
  readonly #open = new Set<ReadonlySet<BlockId>>();

  constructor(touch: (id: BlockId) => boolean) {
    this.#touch = touch;
  }

  get count(): number {
    return this.#open.size;
  }

  open(): BlockClaim {
    const ids = new Set<BlockId>();
    this.#open.add(ids);
    return {
      add: (id) => {
        ids.add(id);
        return this.#touch(id);
      },
      release: () => {
        this.#open.delete(ids);
      },
    };
  }

  /** At the beginning of a census: what is claimed counts from the start. */
  touchAll(): void {
    for (const ids of this.#open) {
      for (const id of ids) this.#touch(id);
    }
  }
}
