/**
 * How fast a sweep goes: never faster than its budget, and slower the longer the database takes.
 *
 * While a chunk is written nobody else writes into that shard. So chunks shrink until they are
 * written quickly, and after each the database is left alone for a multiple of what it took and of
 * what was waited for others: a sweep never has more than a tenth of a writer's time, and a
 * database that answers ten times as slowly, or that others queue for, is swept as much more
 * slowly.
 */
import type { SweptRows } from './schema-target.ts';

/** So long others may have to wait for a chunk; or twice as long as the shortest one took, since a
 *  commit alone may take longer on a slow disk. */
const HELD_MS_MAX = 5;
const LEAST_TIMES = 2;
const FEW_ROWS = 2;
const REST_TIMES = 9;
const REST_TIMES_WAITED = 2;
const REST_MS_MAX = 30_000;
/** The first one shows what the database can do. */
const FIRST_ROWS = 16;
const GROWTH = 1.5;
/** A chunk is at most what the budget allows in so long. */
const CHUNK_MS = 250;

export class SweepPace {
  readonly #rowsPerSecond: number;
  readonly #rowsMax: number;
  #rows: number;
  /** Of chunks so small that they show what the commit takes. */
  #leastMs: number | undefined;

  constructor(rowsPerSecond: number, rowsMax: number) {
    this.#rowsPerSecond = rowsPerSecond;
    this.#rowsMax = Math.max(1, Math.min(rowsMax, Math.floor(rowsPerSecond * CHUNK_MS / 1000)));
    this.#rows = Math.min(FIRST_ROWS, this.#rowsMax);
  }

  /** Of the next chunk. */
  get rows(): number {
    return this.#rows;
  }

  /** For how many milliseconds to rest after a chunk. */
  restAfter({ upgradedCount, waitedMs, heldMs }: SweptRows): number {
    if (upgradedCount <= FEW_ROWS) this.#leastMs = Math.min(this.#leastMs ?? heldMs, heldMs);
    const mostMs = Math.max(HELD_MS_MAX, LEAST_TIMES * (this.#leastMs ?? 0));
    if (heldMs > mostMs) this.#rows = Math.max(1, Math.floor(this.#rows / 2));
    else if (heldMs < mostMs / GROWTH) {
      this.#rows = Math.min(this.#rowsMax, Math.ceil(this.#rows * GROWTH));
    }
    const fairMs = upgradedCount / this.#rowsPerSecond * 1000 - waitedMs - heldMs;
    const calmMs = REST_TIMES * heldMs + REST_TIMES_WAITED * waitedMs;
    return Math.max(fairMs, Math.min(calmMs, REST_MS_MAX));
  }
}
