/** How long work on a database server is tried again: a few times, with pauses that grow and are
 *  never the same for two. */
import { stayAwake } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { systemRandom } from '../random.ts';
import { isPassing, serverFault } from './faults.ts';

/** Whoever waits for the work is told to come again after that. */
export const FAILING_MAX_MS = 10_000;
/** The first included. */
export const TRIES_MAX = 8;
const PAUSE_FIRST_MS = 25;
const PAUSE_MAX_MS = 2_000;

/** Tries again what failed with an error that passes. @throws as `act` the last time. */
export async function patiently<T>(clock: Clock, act: () => Promise<T>): Promise<T> {
  const latest = clock.monotonic() + FAILING_MAX_MS;
  for (let tried = 1; ; tried += 1) {
    try {
      return await act();
    } catch (error) {
      const fault = serverFault(error);
      const isOver = tried >= TRIES_MAX || clock.monotonic() > latest;
      if (fault === undefined || !isPassing(fault) || isOver) throw error;
    }
    await pause(clock, tried);
  }
}

async function pause(clock: Clock, tried: number): Promise<void> {
  const longestMs = Math.min(PAUSE_FIRST_MS * 2 ** tried, PAUSE_MAX_MS);
  const pauseMs = longestMs * (500 + systemRandom.below(500)) / 1_000;
  const mayEnd = stayAwake();
  await new Promise<void>((resolve) => {
    clock.after(pauseMs, resolve);
  });
  mayEnd();
}
