/**
 * Gives back what a burst of uploads has left. V8 frees pieces of bodies that outlived its nursery
 * only when it marks the whole heap. It does that again and again while pieces come, and after the
 * last of them not at all: their memory, often 30 MiB, would stay taken until the next burst.
 */
import { getHeapStatistics } from 'node:v8';
import type { Clock } from './clock.ts';

const LOOK_MS = 1_000;
const MIB = 1024 * 1024;
/** One more marking, of some 30 ms, is worth that much. A burst has one for each 40 MiB or so. */
const WORTH_BYTES = 16 * MIB;
/** Between two looks; else a burst is still going on. */
const QUIET_BYTES = MIB;

/** Looks once a second. `collect` marks the whole heap; without it nothing is done (Node has it
 *  when it was started with --expose-gc, as the launcher does). Returns what ends the watch. */
export function watchBursts({
  clock, collect = globalThis.gc, externalBytes = () => getHeapStatistics().external_memory,
}: {
  clock: Clock;
  collect?: (() => unknown) | undefined;
  /** What buffers take, living and dead. */
  externalBytes?: () => number;
}): () => void {
  if (collect === undefined) return () => undefined;
  let last = externalBytes();
  let living = last;
  let cancel = (): void => undefined;
  const look = (): void => {
    const now = externalBytes();
    const isQuiet = Math.abs(now - last) < QUIET_BYTES;
    last = now;
    living = Math.min(living, now);
    if (isQuiet && now - living >= WORTH_BYTES) {
      collect();
      last = externalBytes();
      living = last;
    }
    cancel = clock.after(LOOK_MS, look);
  };
  cancel = clock.after(LOOK_MS, look);
  return () => cancel();
}
