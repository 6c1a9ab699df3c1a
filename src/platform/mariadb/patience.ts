/**
 * How long work on a database server is tried again.
 *
 * What fails because the server is away, or busy, is tried a few times, with pauses that grow and
 * are never the same for two. What was undone because another transaction came first is another
 * matter: the server is well, and who waits for long only lets the other come first again. At two
 * nodes of a cluster one writer would have all turns, and the other none for seconds. So that is
 * tried again after a moment that does not grow, for as long as anybody may be kept waiting.
 *
 * All work of a process together has a budget of retries for each server (see retry-budget.ts).
 * While that is spent, work waits for its next try in place of failing, with pauses that grow, and
 * asks no server meanwhile. It fails when nobody can be kept waiting any longer.
 */
import { HoldfastError } from '../../base/errors.ts';
import { stayAwake } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { systemRandom } from '../random.ts';
import type { RetryBudget, RetryRank } from '../retry-budget.ts';
import { RetriesSpent, isBeaten, isPassing, serverFault } from './faults.ts';

/** Whoever waits for the work is told to come again after that. */
export const FAILING_MAX_MS = 10_000;
/** The first included; those that came second not counted. */
export const TRIES_MAX = 8;
const PAUSE_FIRST_MS = 25;
const PAUSE_MAX_MS = 2_000;
/** Of who came second. */
export const BEATEN_PAUSE_MAX_MS = 50;
/** Of who is alone, and waits for what time puts into the budget. */
const SLOWED_PAUSE_FIRST_MS = 100;
export const SLOWED_PAUSE_MAX_MS = 1_000;

export interface Patience {
  clock: Pick<Clock, 'monotonic'>;
  budget: RetryBudget;
  triesMax?: number;
  /** Whether others stand in line behind the work. */
  rank?: RetryRank;
  /** For how long the work may wait because the budget is spent. */
  slowedMaxMs?: number;
  /** Nobody wants the work to be done any more. */
  isOver?: () => boolean;
}

/** Of one piece of work. Whoever begins it tells the budget. */
export class Tries {
  readonly #patience: Patience;
  readonly #triesMax: number;
  readonly #latest: number;
  #slowedLeftMs: number;
  #failedCount = 0;
  /** The try under way was taken out of the budget. */
  #isRetry = false;

  constructor(patience: Patience) {
    this.#patience = patience;
    this.#triesMax = patience.triesMax ?? TRIES_MAX;
    this.#slowedLeftMs = patience.slowedMaxMs ?? FAILING_MAX_MS;
    this.#latest = patience.clock.monotonic() + FAILING_MAX_MS;
  }

  /** The server has answered. */
  answered(): void {
    const { budget, rank = 'one' } = this.#patience;
    if (this.#isRetry) budget.giveBack(rank);
    this.#isRetry = false;
  }

  /** The pauses, in milliseconds, after which the work may be tried again that failed with this;
   *  one is over before the next is asked for. @throws `error`, or RetriesSpent with it: it may
   *  not. */
  * pausesAfter(error: unknown): Generator<number, void, void> {
    const fault = serverFault(error);
    if (fault === undefined || !isPassing(fault)) {
      if (!isRetryable(error)) this.answered();
      throw error;
    }
    this.#isRetry = false;
    const longestMs = this.#longestPauseAfter(error);
    const isSlowed = yield* this.#slowedBy(() => new RetriesSpent(fault, error));
    this.#isRetry = true;
    if (!isSlowed) yield shareOf(longestMs);
  }

  #longestPauseAfter(error: unknown): number {
    if (this.#isLate) throw error;
    if (isBeaten(error)) return BEATEN_PAUSE_MAX_MS;
    this.#failedCount += 1;
    if (this.#failedCount >= this.#triesMax) throw error;
    return Math.min(PAUSE_FIRST_MS * 2 ** this.#failedCount, PAUSE_MAX_MS);
  }

  get #isLate(): boolean {
    return this.#patience.clock.monotonic() > this.#latest;
  }

  /** Answers whether it had to wait. @throws what `spent` makes. */
  * #slowedBy(spent: () => RetriesSpent): Generator<number, boolean, void> {
    const { budget, rank = 'one', isOver } = this.#patience;
    let longestMs = SLOWED_PAUSE_FIRST_MS;
    for (let isSlowed = false; !budget.take(rank); isSlowed = true) {
      if (!isSlowed) budget.noteSlowed();
      if (this.#slowedLeftMs <= 0 || this.#isLate || isOver?.() === true) {
        budget.noteGivenUp();
        throw spent();
      }
      const pauseMs = shareOf(longestMs);
      this.#slowedLeftMs -= pauseMs;
      longestMs = Math.min(longestMs * 2, SLOWED_PAUSE_MAX_MS);
      yield pauseMs;
    }
    return longestMs > SLOWED_PAUSE_FIRST_MS;
  }
}

/** What was given up before the server said anything. */
function isRetryable(error: unknown): boolean {
  return error instanceof HoldfastError && error.retryable;
}

/** Half of it, or more. */
function shareOf(longestMs: number): number {
  return longestMs * (500 + systemRandom.below(500)) / 1_000;
}

/** Tries again what failed with an error that passes. @throws as `act` the last time;
 *  RetriesSpent: it was not tried again, or not as often as it might have been, as the budget was
 *  spent. */
export async function patiently<T>(
  patience: Patience & { clock: Clock }, act: () => Promise<T>,
): Promise<T> {
  const tries = new Tries(patience);
  patience.budget.begin();
  for (;;) {
    try {
      const answer = await act();
      tries.answered();
      return answer;
    } catch (error) {
      for (const pauseMs of tries.pausesAfter(error)) await rest(patience.clock, pauseMs);
    }
  }
}

/** Keeps the process, whatever else there is to do. */
export async function rest(clock: Clock, pauseMs: number): Promise<void> {
  const mayEnd = stayAwake();
  await new Promise<void>((resolve) => {
    clock.after(pauseMs, resolve);
  });
  mayEnd();
}
