/** What failed sign-ins have come to, and where all servers of an installation keep that. */
import type { ThrottleLimits } from './config.ts';

export interface FailureCount {
  /** As of `countedAtMs`: it fades from then on. */
  readonly count: number;
  readonly countedAtMs: number;
  /** Until then nothing is tried. */
  readonly openAtMs: number;
  /** Of what was tried and wrong: TAG_DIGITS each, the last ones. */
  readonly tags: readonly string[];
}

export const TAG_DIGITS = 4;
export const TAGS_MAX = 32;
/** Of one question. */
export const FAILURE_NAMES_MAX = 4;

export interface KeptCount extends FailureCount {
  /** Afterwards it is forgotten. */
  readonly keepMs: number;
}

export interface CountsNow {
  /** By name; those that are not there, or have been kept long enough, are left out. */
  readonly counts: ReadonlyMap<string, FailureCount>;
  /** By the clock of the store, as all times of it. */
  readonly nowMs: number;
}

/**
 * Counts by name, shared by all servers. A name is a keyed hash in 64 digits, so that nobody who
 * reads them learns who was aimed at.
 *
 * At most FAILURE_NAMES_MAX names at a time. Bounded: what was kept long enough goes within a
 * minute or two, and beyond `countMax` those that would be forgotten first. Durability: none is
 * promised; what is lost was a failure that counts no more. Errors: `unavailable` and `busy`.
 */
export interface FailureCounts {
  read(names: readonly string[]): Promise<CountsNow>;

  /** Puts what `act` answers in place of what is there, with nobody in between; undefined: it is
   *  forgotten. What is not answered stays. `act` may be asked more than once. */
  update(
    names: readonly string[],
    act: (now: CountsNow) => ReadonlyMap<string, KeptCount | undefined>,
  ): Promise<void>;

  /** Calm when called twice. */
  close(): Promise<void>;
}

/** One failure more, some time after the last one. */
export function afterFailure(
  { count, ageMs }: { count: number; ageMs: number },
  { freeCount, delayMs, delayMaxMs }: ThrottleLimits, halfLifeMs: number,
): { count: number; waitMs: number } {
  const counted = faded(count, ageMs, halfLifeMs) + 1;
  const excess = Math.ceil(counted - freeCount);
  const waitMs = excess <= 0 ? 0 : Math.min(delayMaxMs, delayMs * 2 ** (excess - 1));
  return { count: counted, waitMs };
}

export function faded(count: number, ageMs: number, halfLifeMs: number): number {
  return count * 0.5 ** (Math.max(0, ageMs) / halfLifeMs);
}
