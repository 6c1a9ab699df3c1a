/**
 * How fast a sweep goes: never faster than its budget, and slower the longer the database takes.
 *
 * While a chunk is written nobody else writes into that shard. So chunks shrink until they are
 * written quickly, and after each the database is left alone for a multiple of what it took, the
 * wait for others included: a sweep never has more than a fifth of a writer's time, and a database
 * that answers ten times as slowly, or that others queue for, is swept ten times as slowly.
 */
import type { SweptRows } from './schema-target.ts';

/** Nobody waits longer than this for a chunk, once it has found its size. */
const HELD_MS_MAX = 20;
const REST_TIMES = 4;
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
    if (heldMs > HELD_MS_MAX) this.#rows = Math.max(1, Math.floor(this.#rows / 2));
    else if (heldMs < HELD_MS_MAX / GROWTH) {
      this.#rows = Math.min(this.#rowsMax, Math.ceil(this.#rows * GROWTH));
    }
    const tookMs = waitedMs + heldMs;
    const fairMs = upgradedCount / this.#rowsPerSecond * 1000 - tookMs;
    return Math.max(fairMs, Math.min(REST_TIMES * tookMs, REST_MS_MAX));
  }
}
