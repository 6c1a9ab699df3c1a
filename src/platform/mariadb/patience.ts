/**
 * How long work on a database server is tried again.
 *
 * What fails because the server is away, or busy, is tried a few times, with pauses that grow and
 * are never the same for two. What was undone because another transaction came first is another
 * matter: the server is well, and who waits for long only lets the other come first again. At two
 * nodes of a cluster one writer would have all turns, and the other none for seconds. So that is
 * tried again after a moment that does not grow, for as long as anybody may be kept waiting.
 */
import { stayAwake } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { systemRandom } from '../random.ts';
import { isBeaten, isPassing, serverFault } from './faults.ts';

/** Whoever waits for the work is told to come again after that. */
export const FAILING_MAX_MS = 10_000;
/** The first included; those that came second not counted. */
export const TRIES_MAX = 8;
const PAUSE_FIRST_MS = 25;
const PAUSE_MAX_MS = 2_000;
/** Of who came second. */
export const BEATEN_PAUSE_MAX_MS = 50;

/** Of one piece of work. */
export class Tries {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #latest: number;
  readonly #triesMax: number;
  #failedCount = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, triesMax = TRIES_MAX) {
    this.#clock = clock;
    this.#triesMax = triesMax;
    this.#latest = clock.monotonic() + FAILING_MAX_MS;
  }

  /** In how many milliseconds the work may be tried again that failed with this; undefined: it may
   *  not. */
  pauseAfter(error: unknown): number | undefined {
    const fault = serverFault(error);
    if (fault === undefined || !isPassing(fault) || this.#clock.monotonic() > this.#latest) {
      return undefined;
    }
    if (isBeaten(error)) return shareOf(BEATEN_PAUSE_MAX_MS);
    this.#failedCount += 1;
    if (this.#failedCount >= this.#triesMax) return undefined;
    return shareOf(Math.min(PAUSE_FIRST_MS * 2 ** this.#failedCount, PAUSE_MAX_MS));
  }
}

/** Half of it, or more. */
function shareOf(longestMs: number): number {
  return longestMs * (500 + systemRandom.below(500)) / 1_000;
}

/** Tries again what failed with an error that passes. @throws as `act` the last time. */
export async function patiently<T>(
  clock: Clock, act: () => Promise<T>, triesMax = TRIES_MAX,
): Promise<T> {
  const tries = new Tries(clock, triesMax);
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const pauseMs = tries.pauseAfter(error);
      if (pauseMs === undefined) throw error;
      await rest(clock, pauseMs);
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
