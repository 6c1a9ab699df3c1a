/** The bounds of a cache, and what it counts. */

export interface CacheLimits {
  /** What the cached files may take of the disk together, in whole units of 4 KiB. */
  readonly bytesMax: number;
  /** Each cached block costs about 300 bytes of memory. */
  readonly blocksMax: number;
  /** Blocks from behind that wait in memory to be cached; beyond it they are simply not cached. */
  readonly fillBytesMax: number;
  /** Reads of the cache's disk at once, and how many may wait in line. */
  readonly readsMax: number;
  /** Reads from the store behind at once. */
  readonly fetchesMax: number;
  /** How many reads may wait for their turn; the next one is refused as busy. */
  readonly waitingMax: number;
  /** A cache disk that takes longer is left alone for a while. */
  readonly deadlineMs: number;
  /** How long listing the folder may take; without a listing nothing is cached. */
  readonly openDeadlineMs: number;
  /** How long a cache that is full, broken or slow is left alone; doubles while it stays slow. */
  readonly pauseMs: number;
}

export const CACHE_DEFAULTS: CacheLimits = {
  bytesMax: 10 * 1024 ** 3,
  blocksMax: 500_000,
  fillBytesMax: 64 * 1024 ** 2,
  readsMax: 16,
  fetchesMax: 32,
  waitingMax: 4096,
  deadlineMs: 2000,
  openDeadlineMs: 30_000,
  pauseMs: 30_000,
};

/** Why the cache is left alone: its disk has no room, refuses, or takes too long. */
export type CachePause = 'full' | 'failed' | 'slow';

/** Since the start, except for the last three, which say how it is now. */
export interface CacheCounters {
  /** Reads answered from the cache. */
  hits: number;
  hitBytes: number;
  /** Reads that had to go behind. */
  misses: number;
  /** Blocks that were written into the cache. */
  fills: number;
  /** Not cached: too much was waiting, or the cache was left alone. */
  skippedFills: number;
  failedFills: number;
  evictions: number;
  evictedBytes: number;
  /** Entries that were damaged or unreadable: dropped, and read from behind. */
  bad: number;
  /** Entries whose file had vanished. */
  gone: number;
  blockCount: number;
  storedBytes: number;
  paused: CachePause | undefined;
}
