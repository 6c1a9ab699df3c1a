import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import {
  RECLAIM_PAGE_MAX, type BlockClaim, type BlockReclaim, type ReclaimState, type UnneededBlock,
} from '../../block-reclaim.ts';
import { OpenClaims } from '../../open-claims.ts';
import type { SharedClaims } from '../../open-claims.ts';
import type { BlockIndex } from './block-index.ts';

/** Of a store that others write to as well. */
export interface OtherWriters extends SharedClaims {
  readonly prepare: () => Promise<void>;
  readonly lookFor: (ids: readonly BlockId[]) => Promise<BlockId[]>;
}

/** BlockReclaim on the index: which census met a block is a number in its slot, so a census costs
 *  no memory, and telling of a block costs one look into the table. */
export class LocalReclaim implements BlockReclaim {
  readonly #index: BlockIndex;
  readonly #list: () => AsyncIterable<BlockId>;
  readonly #claims: OpenClaims;
  readonly #others: OtherWriters | undefined;
  readonly #key = Buffer.alloc(32);

  /** `list` yields all ids in ascending order. */
  constructor(
    index: BlockIndex, list: () => AsyncIterable<BlockId>, others?: OtherWriters,
  ) {
    this.#index = index;
    this.#list = list;
    this.#others = others;
    this.#claims = new OpenClaims((id) => this.#touch(id), others);
  }

  /** See LeavingView. */
  get quietRound(): number {
    return this.#claims.quietRound;
  }

  async prepare(): Promise<void> {
    await this.#others?.prepare();
  }

  async lookFor(ids: readonly BlockId[]): Promise<BlockId[]> {
    return this.#others === undefined ? [...ids] : this.#others.lookFor(ids);
  }

  claim(): BlockClaim {
    return this.#claims.open();
  }

  beginCensus(): number {
    const census = this.#index.beginCensus();
    this.#claims.touchAll();
    return census;
  }

  need(census: number, ids: readonly BlockId[]): BlockId[] {
    this.#check(census);
    return ids.filter((id) => !this.#touch(id));
  }

  async *listUnneeded(census: number): AsyncGenerator<readonly UnneededBlock[]> {
    let page: UnneededBlock[] = [];
    this.#check(census);
    for await (const id of this.#list()) {
      this.#check(census);
      const sizeBytes = this.#index.unmet(this.#keyOf(id), 0);
      if (sizeBytes === undefined) continue;
      page.push({ id, sizeBytes });
      if (page.length < RECLAIM_PAGE_MAX) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }

  condemn(census: number, ids: readonly BlockId[]): BlockId[] {
    this.#check(census);
    return ids.filter((id) => this.#index.condemn(this.#keyOf(id), 0));
  }

  state(): ReclaimState {
    const { census, condemnedCount, condemnedBytes } = this.#index;
    return { openClaims: this.#claims.count, census, condemnedCount, condemnedBytes };
  }

  #touch(id: BlockId): boolean {
    return this.#index.touch(this.#keyOf(id), 0) !== undefined;
  }

  #keyOf(id: BlockId): Buffer {
    this.#key.write(id, 0, 32, 'hex');
    return this.#key;
  }

  #check(census: number): void {
    if (census === this.#index.census) return;
    const message = 'Another census has begun meanwhile; this one is over.';
    throw new HoldfastError('conflict', 'storage/BlockReclaim', message, {
      code: 'census-over', facts: { census, latest: this.#index.census },
    });
  }
}
