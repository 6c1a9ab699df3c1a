/**
 * How much of what a server is asked may be tries of what has failed: of a whole process, however
 * many threads and callers it has.
 *
 * Each piece of work has a bound of its own for its tries. That says nothing about all of them
 * together: when everything fails, everything is tried again as often as it may be, and a server in
 * trouble gets a multiple of the load that was too much for it. So there is one purse for all who
 * speak to a server. Each piece of work puts the tenth part of a retry into it when it is begun;
 * time puts in some, so that a quiet process may always retry; and each retry takes one out. That
 * is the RetryBudget of Finagle (deposits by first tries, and a floor for each second), in the form
 * of a token bucket, as gRPC's retry throttling (proposal A6) has it.
 *
 * Two things differ. A retry that was answered is given back: what counts are those that failed,
 * too. After a failover everybody's work is tried again, and goes well; none of it waits for the
 * others' share. And an empty purse refuses nobody: it says "not yet", and who asked waits and asks
 * again, as long as the work may wait (see mariadb/patience.ts).
 *
 * So of the tries of a server that answers none of them, in any span of time, at most
 * RETRIES_SAVED_MAX + RETRY_SHARE x first tries + RETRIES_PER_SECOND x seconds are retries; of a
 * process that was quiet before, RETRIES_AT_REST in place of RETRIES_SAVED_MAX. Whether a commit
 * was done is asked in any case, and not counted in that: only who writes one after the other asks.
 *
 * The numbers lie in memory that threads share, and are changed with atomic steps.
 */

/** Of first tries. */
export const RETRY_SHARE = 0.1;
export const RETRIES_PER_SECOND = 10;
/** What time alone puts in; it is there at the beginning. */
export const RETRIES_AT_REST = 100;
/** What busy times may leave. */
export const RETRIES_SAVED_MAX = 500;
/** Left to those for whom others wait. */
export const RETRIES_FOR_MANY = 20;

/** In what the purse counts: a thousandth of a retry. */
const PARTS = 1_000;
const SHARE_PARTS = BigInt(RETRY_SHARE * PARTS);
/** So that time is not added up in crumbs. */
const FILL_EVERY_MS = 10;
const SECOND_MS = 1_000;

const CELLS = {
  purse: 0, filledAtMs: 1, firstTries: 2, retries: 3, slowed: 4, givenUp: 5,
} as const;
const CELLS_BYTES = BigInt64Array.BYTES_PER_ELEMENT * Object.keys(CELLS).length;

/** `one`: the work of one caller; `many`: others stand in line behind it; `outcome`: asks what
 *  became of a commit, and is never kept waiting. */
export type RetryRank = 'one' | 'many' | 'outcome';

/** Since the process began. */
export interface RetryFigures {
  /** Pieces of work. */
  readonly firstTries: number;
  readonly retries: number;
  /** Retries that had to wait because the budget was spent. */
  readonly slowed: number;
  /** Those of them that have waited in vain. */
  readonly givenUp: number;
}

/** Milliseconds that never run backwards, the same in all threads. */
function sharedNow(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

export class RetryBudget {
  /** To be handed to threads. */
  readonly shared: SharedArrayBuffer;
  readonly #cells: BigInt64Array;
  readonly #now: () => number;

  private constructor(shared: SharedArrayBuffer, now: () => number) {
    this.shared = shared;
    this.#cells = new BigInt64Array(shared);
    this.#now = now;
  }

  static make(now: () => number = sharedNow): RetryBudget {
    const budget = new RetryBudget(new SharedArrayBuffer(CELLS_BYTES), now);
    Atomics.store(budget.#cells, CELLS.purse, BigInt(RETRIES_AT_REST * PARTS));
    Atomics.store(budget.#cells, CELLS.filledAtMs, BigInt(Math.floor(now())));
    return budget;
  }

  /** The same budget as that of whoever made this memory; without it one that nobody shares. */
  static of(shared: SharedArrayBuffer | undefined): RetryBudget {
    return shared === undefined ? RetryBudget.make() : new RetryBudget(shared, sharedNow);
  }

  get figures(): RetryFigures {
    const of = (cell: keyof typeof CELLS): number => Number(Atomics.load(this.#cells, CELLS[cell]));
    return {
      firstTries: of('firstTries'), retries: of('retries'), slowed: of('slowed'),
      givenUp: of('givenUp'),
    };
  }

  /** A piece of work is begun. */
  begin(): void {
    Atomics.add(this.#cells, CELLS.firstTries, 1n);
    this.#put(SHARE_PARTS, RETRIES_SAVED_MAX);
  }

  /** Takes one retry out; false: there is none for this rank, ask again later. */
  take(rank: RetryRank): boolean {
    this.#fill();
    const leaving = rank === 'one' ? RETRIES_FOR_MANY : 0;
    if (rank !== 'outcome' && !this.#takeOut(leaving)) return false;
    Atomics.add(this.#cells, CELLS.retries, 1n);
    return true;
  }

  /** A retry was answered. */
  giveBack(rank: RetryRank): void {
    if (rank !== 'outcome') this.#put(BigInt(PARTS), RETRIES_SAVED_MAX);
  }

  noteSlowed(): void {
    Atomics.add(this.#cells, CELLS.slowed, 1n);
  }

  noteGivenUp(): void {
    Atomics.add(this.#cells, CELLS.givenUp, 1n);
  }

  #takeOut(leaving: number): boolean {
    const least = BigInt((leaving + 1) * PARTS);
    for (let has = this.#load(CELLS.purse); has >= least;) {
      const found = Atomics.compareExchange(this.#cells, CELLS.purse, has, has - BigInt(PARTS));
      if (found === has) return true;
      has = found;
    }
    return false;
  }

  /** Never beyond `max` retries; what is there stays. */
  #put(parts: bigint, max: number): void {
    const most = BigInt(max * PARTS);
    for (let has = this.#load(CELLS.purse); has < most;) {
      const wanted = has + parts < most ? has + parts : most;
      const found = Atomics.compareExchange(this.#cells, CELLS.purse, has, wanted);
      if (found === has) return;
      has = found;
    }
  }

  /** What time has put in since somebody last looked: one of those who look at once adds it. */
  #fill(): void {
    const nowMs = BigInt(Math.floor(this.#now()));
    const atMs = this.#load(CELLS.filledAtMs);
    if (nowMs - atMs < FILL_EVERY_MS) return;
    if (Atomics.compareExchange(this.#cells, CELLS.filledAtMs, atMs, nowMs) !== atMs) return;
    this.#put((nowMs - atMs) * BigInt(RETRIES_PER_SECOND * PARTS / SECOND_MS), RETRIES_AT_REST);
  }

  #load(cell: number): bigint {
    return Atomics.load(this.#cells, cell);
  }
}

/** The budgets of a process, one for each server or cluster, known by where its first node is: a
 *  shard in trouble spends nothing of the others'. */
export class RetryBudgets implements Iterable<readonly [server: string, RetryBudget]> {
  readonly #budgets = new Map<string, RetryBudget>();

  /** `server`: host and port. */
  of(server: string): RetryBudget {
    const known = this.#budgets.get(server);
    if (known !== undefined) return known;
    const budget = RetryBudget.make();
    this.#budgets.set(server, budget);
    return budget;
  }

  [Symbol.iterator](): Iterator<readonly [server: string, RetryBudget]> {
    return this.#budgets.entries();
  }
}
