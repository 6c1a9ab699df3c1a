import type { BlockId } from '../../base/ids.ts';

/** How long nobody puts a block of which the removal may still happen: longer than a service takes
 *  a request's signature (15 minutes). */
export const GOING_MS = 16 * 60 * 1000;
/** Blocks of one store that are listed at a time. */
export const LISTED_MAX = 100_000;
/** Blocks in one call of `take`, `left` or `strike`. */
export const LISTED_PAGE_MAX = 64;

export interface ListedRound {
  readonly id: BlockId;
  /** In which it was announced. */
  readonly round: number;
}

/**
 * Blocks that a collector is about to remove from a store that several nodes write to. It settles
 * between the collector and who stores the same bytes again: see docs/adr/0048-several-nodes.md.
 *
 * A block is announced; then it is either struck off, by who needs it, or taken, by the collector,
 * and never both. What was taken is going: it may be put again once it has left.
 *
 * All methods may run concurrently, of any number of processes. Durability: an answer survives a
 * power cut. Errors: `unavailable` and `busy` from every method; doing it again is right.
 */
export interface LeavingList {
  /** Lists blocks under a new round. One that is listed already keeps its round. */
  announce(store: string, ids: readonly BlockId[]): Promise<void>;

  /** The number of the latest round, of all stores; 0 before the first. */
  readRound(): Promise<number>;

  /** What is listed, going or not, and the latest round as of the same moment. */
  read(store: string): Promise<{ round: number; blocks: ListedRound[] }>;

  /** Those of the blocks that are listed in this round or an earlier one, and that nobody has
   *  struck off: from now on they are going. */
  take(store: string, ids: readonly BlockId[], round: number): Promise<BlockId[]>;

  /** Blocks that were taken have left the store, or stay in it after all. */
  left(store: string, ids: readonly BlockId[]): Promise<void>;

  /** Somebody needs these. Answers those that are going: they cannot be relied upon until they have
   *  left, or GOING_MS are over. */
  strike(store: string, ids: readonly BlockId[]): Promise<BlockId[]>;

  /** Forgets what was announced in this round or an earlier one, and not taken. */
  prune(store: string, round: number): Promise<void>;

  /** Calm when called twice. From then on every method is refused with `unavailable`. */
  close(): Promise<void>;
}
