import type { BlockId } from '../base/ids.ts';

/** Most blocks in one page of `listUnneeded`, and in one call of `need` or `condemn`. */
export const RECLAIM_PAGE_MAX = 1_000;

/**
 * What a garbage collector needs of a block store, and what protects uploads from it.
 *
 * A census finds out what is needed: it begins, is told of every block that anything refers to,
 * and then whatever it was not told of, and nobody has put or claimed since it began, is unneeded.
 * All of this is memory: the store condemns nothing that it was not told to condemn since it was
 * opened. Being told of a block (by a put, a claim, a census) takes a condemnation back, until the
 * very moment at which the block is dropped. One census at a time: beginning one ends the one
 * before.
 *
 * Every method without a promise answers at once, and no other work comes between what it looks at
 * and what it changes. A condemned block is still read like any other.
 */
export interface BlockReclaim {
  /** A claim with nothing in it. Whoever is about to refer to blocks opens one before the first
   *  put, and releases it when the reference is durable or given up. */
  claim(): BlockClaim;

  /** Before a census of a store that others write to as well: learns what they have done. */
  prepare(): Promise<void>;

  /** Answers the census's number: above all before it. */
  beginCensus(): number;

  /** These blocks are referred to. Answers those that the store does not have.
   *  @throws conflict: this census is over. */
  need(census: number, ids: readonly BlockId[]): BlockId[];

  /** Looks again for what `need` did not find: answers the blocks that are not there. */
  lookFor(ids: readonly BlockId[]): Promise<BlockId[]>;

  /** Everything that nobody needs, ascending by id, in pages of at most RECLAIM_PAGE_MAX. Blocks
   *  that are put meanwhile are needed. @throws conflict: this census is over. */
  listUnneeded(census: number): AsyncIterable<readonly UnneededBlock[]>;

  /** Condemns those of the blocks that are still unneeded in this census, and answers them. From
   *  then on the store may drop them. @throws conflict: this census is over. */
  condemn(census: number, ids: readonly BlockId[]): BlockId[];

  state(): ReclaimState;
}

export interface UnneededBlock {
  id: BlockId;
  sizeBytes: number;
}

export interface ReclaimState {
  /** Claims that were opened and not released. */
  openClaims: number;
  /** Of the latest census; 0 before the first. */
  census: number;
  condemnedCount: number;
  condemnedBytes: number;
}

/** While it is open no census misses its blocks. It lives as long as the process at most: a
 *  reference that was not durable when the process died was never made. */
export interface BlockClaim {
  /** Before the put of a block. True when the store is known to have it. */
  add(id: BlockId): boolean;
  /** Before a reference to a block that is there already. True when the store has it: it stays.
   *  @throws busy, unavailable: only a store that others write to as well. */
  hold(id: BlockId): boolean | Promise<boolean>;
  /** Calm when called twice. */
  release(): void;
}
