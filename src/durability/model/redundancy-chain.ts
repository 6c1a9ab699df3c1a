/**
 * The Markov chain of one set of disks that keep volumes together: copies, or the shards of an
 * erasure set. State i: i shards are gone and being repaired. The last state: something is lost.
 *
 * - Every cause of failure takes one shard or several (a host with two of them), whichever are left
 *   there. Which shards are gone already is taken as chance: exact as long as each cause takes one
 *   shard or all, close otherwise.
 * - Repairs run side by side: i lost shards are repaired i times as fast as one.
 * - A damaged place (a record that rotted, a sector that cannot be read) stays unknown until the
 *   scrub comes by. It does harm only where too few sound shards are left at that very place.
 */
import type { Chain } from './absorbing-chain.ts';

export interface FailureCause {
  /** Events a year, of each of the `sources`. */
  readonly perYear: number;
  /** How many disks, hosts, racks or zones of this kind hold `takes` shards each. */
  readonly sources: number;
  readonly takes: number;
}

export interface SilentDamage {
  /** Places on one shard that can be damaged one by one: blocks. */
  readonly places: number;
  /** Events a year at one place of one shard. */
  readonly perPlaceYear: number;
  /** Mean time until damage is found and mended. */
  readonly exposureYears: number;
}

export interface RedundantSet {
  readonly shards: number;
  /** So many may be gone without loss. */
  readonly tolerated: number;
  readonly causes: readonly FailureCause[];
  /** Mean time from the failure of a shard until it is whole again elsewhere. */
  readonly repairYears: number;
  /** Left out: only the loss of whole volumes counts. */
  readonly damage?: SilentDamage;
}

export function chainOf(set: RedundantSet): Chain {
  const { tolerated, repairYears } = set;
  const end = tolerated + 1;
  const rates = Array.from({ length: end + 1 }, () => new Array<number>(end + 1).fill(0));
  for (let gone = 0; gone <= tolerated; gone++) {
    const row = rates[gone] as number[];
    const add = (to: number, perYear: number): void => {
      row[to] = (row[to] as number) + perYear;
    };
    if (gone > 0) add(gone - 1, gone / repairYears);
    for (const cause of set.causes) addCause(set, cause, gone, add);
    add(end, damagePerYear(set, gone));
  }
  return rates;
}

function addCause(
  set: RedundantSet, cause: FailureCause, gone: number, add: (to: number, perYear: number) => void,
): void {
  const { shards, tolerated } = set;
  const { perYear, sources, takes } = cause;
  for (let fresh = 1; fresh <= Math.min(takes, shards - gone); fresh++) {
    if (takes - fresh > gone) continue;
    const ways = choose(shards - gone, fresh) * choose(gone, takes - fresh);
    const rate = (sources * perYear * ways) / choose(shards, takes);
    const goneThen = gone + fresh;
    if (goneThen > tolerated) {
      add(tolerated + 1, rate);
      continue;
    }
    const hidden = hiddenLoss(set, goneThen);
    add(tolerated + 1, rate * hidden);
    add(goneThen, rate * (1 - hidden));
  }
}

/** The chance that, with `gone` shards away, some place turns out to have been damaged already on
 *  too many of the others. */
function hiddenLoss({ shards, tolerated, damage }: RedundantSet, gone: number): number {
  if (damage === undefined) return 0;
  const needed = tolerated + 1 - gone;
  const damaged = -Math.expm1(-damage.perPlaceYear * damage.exposureYears);
  const places = damage.places * choose(shards - gone, needed) * damaged ** needed;
  return -Math.expm1(-places);
}

/** How often a year fresh damage hits a place where nothing more may be damaged. */
function damagePerYear({ shards, tolerated, damage }: RedundantSet, gone: number): number {
  if (damage === undefined) return 0;
  const others = tolerated - gone;
  const damaged = -Math.expm1(-damage.perPlaceYear * damage.exposureYears);
  const fatal = choose(shards - gone - 1, others) * damaged ** others;
  return damage.places * (shards - gone) * damage.perPlaceYear * Math.min(1, fatal);
}

/** Binomial coefficient; 0 when there is no way. */
export function choose(from: number, count: number): number {
  if (count < 0 || count > from) return 0;
  let ways = 1;
  for (let at = 1; at <= count; at++) ways = (ways * (from - count + at)) / at;
  return ways;
}
