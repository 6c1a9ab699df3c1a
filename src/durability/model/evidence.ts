/**
 * What the verifiers' counts prove by themselves, without any model.
 *
 * Events that come by chance at a steady rate follow Poisson's law. When `seen` events came in a
 * time that would have shown `mu` on average, then with 95 % confidence mu is at most the value for
 * which `seen` or fewer would come in 5 % of all worlds. With nothing seen that is 3.0: the rule of
 * three. (For a flat prior Bayes gives the same bound.)
 */
import { assert } from '../../base/assert.ts';

const BISECTIONS = 200;

/** Probability of at most `seen` events when `expected` are expected. */
export function poissonAtMost(seen: number, expected: number): number {
  if (expected === 0) return 1;
  // Each term from its logarithm, so that none overflows.
  let sum = 0;
  let logTerm = -expected;
  for (let count = 0; count <= seen; count++) {
    if (count > 0) logTerm += Math.log(expected / count);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/** The most that can be expected, with this confidence, when `seen` events were seen. */
export function upperBound(seen: number, confidence = 0.95): number {
  assert(Number.isSafeInteger(seen) && seen >= 0, 'events are counted in whole numbers');
  if (seen > 1000) return largeBound(seen, confidence);
  let low = seen;
  let high = 10 + 3 * seen - Math.log1p(-confidence);
  for (let step = 0; step < BISECTIONS && high - low > low * 1e-12; step++) {
    const middle = (low + high) / 2;
    if (poissonAtMost(seen, middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return high;
}

/** The least that must be expected, with this confidence, when `seen` events were seen. */
export function lowerBound(seen: number, confidence = 0.95): number {
  if (seen === 0) return 0;
  if (seen > 1000) return 2 * seen - largeBound(seen, confidence);
  let low = 0;
  let high = seen;
  for (let step = 0; step < BISECTIONS && high - low > high * 1e-12; step++) {
    const middle = (low + high) / 2;
    if (1 - poissonAtMost(seen - 1, middle) < 1 - confidence) low = middle;
    else high = middle;
  }
  return low;
}

/** Above a thousand events the law is a bell curve: 1.645 deviations for 95 %. */
function largeBound(seen: number, confidence: number): number {
  const deviations = confidence >= 0.99 ? 2.326 : 1.645;
  return seen + deviations * Math.sqrt(seen) + 1;
}

export interface Evidence {
  /** Over which time the counts were made. */
  readonly periodMs: number;
  /** Blocks that are kept, on average over the period. */
  readonly blocksKept: number;
  /** Checks of one copy or shard of a block, repetitions included. */
  readonly blocksChecked: number;
  readonly bytesChecked: number;
  /** Mean time between two checks of the same copy. */
  readonly checkIntervalMs: number;
  /** Copies found damaged. */
  readonly blocksBad: number;
  /** Of these, made good from another copy. */
  readonly repairsDone: number;
  /** Blocks of which no sound copy was left. */
  readonly blocksLost: number;
  /** Share of the blocks kept that was checked at least once in the period. */
  readonly coverage: number;
  readonly disks?: { readonly diskYears: number; readonly lost: number };
}

export interface RateBounds {
  readonly seen: number;
  readonly perYear: number;
  readonly atLeast: number;
  readonly atMost: number;
}

export interface EvidenceResult {
  /** Per block and year. */
  readonly blockLoss: RateBounds;
  /** Per terabyte and year. */
  readonly damage: RateBounds;
  /** Per disk and year. */
  readonly disks?: RateBounds;
  /** Found damaged and neither repaired nor lost: still open. */
  readonly waiting: number;
}

const YEAR_MS = 365.25 * 24 * 3600 * 1000;

/** `seen` events in `exposure` years of one thing. */
function bounds(seen: number, exposure: number): RateBounds {
  const over = (events: number): number => (exposure > 0 ? events / exposure : Infinity);
  return {
    seen,
    perYear: exposure > 0 ? seen / exposure : 0,
    atLeast: exposure > 0 ? lowerBound(seen) / exposure : 0,
    atMost: over(upperBound(seen)),
  };
}

export function weighEvidence(evidence: Evidence): EvidenceResult {
  const { periodMs, blocksKept, coverage, blocksLost, blocksBad, disks } = evidence;
  const watchedYears = Math.min(evidence.checkIntervalMs, periodMs) / YEAR_MS;
  const blockYears = (blocksKept * coverage * periodMs) / YEAR_MS;
  const terabyteYears = (evidence.bytesChecked / 1e12) * watchedYears;
  return {
    blockLoss: bounds(blocksLost, blockYears),
    damage: bounds(blocksBad, terabyteYears),
    ...(disks !== undefined && { disks: bounds(disks.lost, disks.diskYears) }),
    waiting: Math.max(0, blocksBad - evidence.repairsDone - blocksLost),
  };
}
