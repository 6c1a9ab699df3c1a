/**
 * From a fleet to the losses that must be expected of it.
 *
 * Volumes that lie on the same disks are lost together, so losses are counted by set of disks, not
 * by volume. And a host that dies takes part in many sets at once: what failures of hosts, racks
 * and zones do by themselves is counted by sets of hosts, racks and zones. Sets share disks, and
 * what fails in one tends to fail in the others; adding them up as if they had nothing in common
 * can only overstate the loss.
 */
import { lossBeforeReturn, lossWithin } from './absorbing-chain.ts';
import type { Assumptions } from './assumptions-table.ts';
import { shapeOf } from './fleet.ts';
import type { DomainLevel } from '../../storage/index.ts';
import type { DiskSummary, StorageClass } from './fleet.ts';
import { placementOf, setCount } from './placement.ts';
import type { LevelPlacement, Placement } from './placement.ts';
import { chainOf } from './redundancy-chain.ts';
import type { FailureCause, RedundantSet, SilentDamage } from './redundancy-chain.ts';

const YEAR_MS = 365.25 * 24 * 3600 * 1000;
const TERABYTE = 1e12;

/** Expected events a year. For small values the same as their probability. */
export interface ClassLoss {
  readonly name: string;
  readonly spread: DomainLevel;
  readonly hasSpare: boolean;
  /** Mean time from a failure until all is whole again. */
  readonly repairMs: number;
  /** Events in which at least one block is gone for good. */
  readonly blockLossesPerYear: number;
  /** Events in which at least one whole volume is gone for good. */
  readonly volumeLossesPerYear: number;
  /** Probability that one given volume is lost whole in a year. */
  readonly oneVolumeLoss: number;
}

export interface FleetLoss {
  readonly classes: readonly ClassLoss[];
  readonly blockLossesPerYear: number;
  readonly volumeLossesPerYear: number;
}

/** The fleet must have been checked, the assumptions settled. */
export function fleetLoss(
  disks: DiskSummary, classes: readonly StorageClass[], assumptions: Assumptions,
): FleetLoss {
  const losses = classes.map((kept) => classLoss({ disks, kept, assumptions }));
  const sum = (pick: (loss: ClassLoss) => number): number => {
    return losses.reduce((total, loss) => total + pick(loss), 0);
  };
  return {
    classes: losses,
    blockLossesPerYear: sum(({ blockLossesPerYear }) => blockLossesPerYear),
    volumeLossesPerYear: sum(({ volumeLossesPerYear }) => volumeLossesPerYear),
  };
}

interface Case {
  readonly disks: DiskSummary;
  readonly kept: StorageClass;
  readonly assumptions: Assumptions;
}

function classLoss(given: Case): ClassLoss {
  const { kept, disks } = given;
  const placement = placementOf(disks, kept);
  const { name } = kept;
  const { spread, hasSpare } = placement;
  const all = setOf(given, placement.levels, hasSpare);
  const base = { name, spread, hasSpare, repairMs: all.repairYears * YEAR_MS };
  if (kept.volumes === 0) {
    return { ...base, blockLossesPerYear: 0, volumeLossesPerYear: 0, oneVolumeLoss: 0 };
  }
  const volumesPerSet = setCount(kept) / (placement.levels[0] as LevelPlacement).sets;
  const blocks = yearlyLosses(given, placement, damageOf(given, volumesPerSet));
  const volumes = yearlyLosses(given, placement, undefined);
  // Who loses a set of disks loses all its volumes; who loses a damaged block, that one volume's.
  const volumeLossesPerYear = volumes * offsiteGap(given, volumesPerSet);
  const singles = Math.max(0, blocks - volumes) * offsiteGap(given, 1);
  return {
    ...base,
    blockLossesPerYear: volumeLossesPerYear + singles,
    volumeLossesPerYear,
    oneVolumeLoss: lossWithin(chainOf(all), 1) * offsiteGap(given, 1),
  };
}

/** Sums up, from zones down to disks, what each level adds, times the sets of that level. */
function yearlyLosses(
  given: Case, { levels, hasSpare }: Placement, damage: SilentDamage | undefined,
): number {
  let total = 0;
  let above = 0;
  for (let at = levels.length - 1; at >= 0; at--) {
    const set = setOf(given, levels.slice(at), hasSpare);
    const withDamage = damage !== undefined && at === 0 ? { ...set, damage } : set;
    const perYear = -Math.log1p(-Math.min(1 - 2 ** -53, lossWithin(chainOf(withDamage), 1)));
    total += Math.max(0, perYear - above) * (levels[at] as LevelPlacement).sets;
    above = perYear;
  }
  return total + lossesOfDegraded(given, levels, hasSpare);
}

/** One set under the failures of the given levels only. */
function setOf(given: Case, levels: readonly LevelPlacement[], hasSpare: boolean): RedundantSet {
  const causes = levels.flatMap(({ level, shares }): FailureCause[] => {
    return shares.map((share) => ({ perYear: eventsPerYear(given, level), ...share }));
  });
  const repairYears = repairYearsOf(given, levels, hasSpare);
  return { ...shapeOf(given.kept.redundancy), causes, repairYears };
}

function eventsPerYear({ assumptions }: Case, level: DomainLevel): number {
  const { diskLossesPerYear, hostLossesPerYear, rackLossesPerYear, zoneLossesPerYear } =
    assumptions;
  return {
    disk: diskLossesPerYear, host: hostLossesPerYear, rack: rackLossesPerYear,
    zone: zoneLossesPerYear,
  }[level].value;
}

/** Mean over the causes, weighed by how many shards each takes: a lost host is more to repair. */
function repairYearsOf(
  given: Case, levels: readonly LevelPlacement[], hasSpare: boolean,
): number {
  const { assumptions, disks, kept } = given;
  const { detectMs, replaceMs, repairBytesPerSecond } = assumptions;
  const { redundancy } = kept;
  const readFor = redundancy.kind === 'erasure' ? redundancy.data : 1;
  const waitMs = detectMs.value + (hasSpare ? 0 : replaceMs.value);
  let weight = 0;
  let weighted = 0;
  for (const { level, domains, shares } of levels) {
    const bytes = (disks.usedBytes / domains) * readFor;
    const repairMs = waitMs + (bytes / repairBytesPerSecond.value) * 1000;
    const shards = shares.reduce((sum, { takes, sources }) => sum + takes * sources, 0);
    const perYear = eventsPerYear(given, level) * shards;
    weight += perYear;
    weighted += perYear * repairMs;
  }
  return (weight === 0 ? waitMs : weighted / weight) / YEAR_MS;
}

function damageOf({ assumptions, kept }: Case, volumesPerSet: number): SilentDamage {
  const { damagePerTerabyteYear, scrubIntervalMs } = assumptions;
  const { volumeBytes, blockBytes } = kept;
  return {
    places: (volumesPerSet * volumeBytes) / blockBytes,
    perPlaceYear: (damagePerTerabyteYear.value * blockBytes) / TERABYTE,
    exposureYears: scrubIntervalMs.value / 2 / YEAR_MS, // Damage comes at any point of a round.
  };
}

/** Volumes that were acknowledged with W of N copies begin their life with N - W copies missing. */
function lossesOfDegraded(
  given: Case, levels: readonly LevelPlacement[], hasSpare: boolean,
): number {
  const { redundancy } = given.kept;
  if (redundancy.kind !== 'replicas') return 0;
  const missing = redundancy.copies - redundancy.acknowledged;
  const chance = lossBeforeReturn(chainOf(setOf(given, levels, hasSpare)), missing);
  return given.assumptions.degradedVolumesPerYear.value * chance;
}

/** The share of losses that the off-site copy does not make good: it is unusable, or one of the
 *  volumes that were lost together was still taking writes and so not copied yet. */
function offsiteGap({ assumptions, kept }: Case, volumesAtOnce: number): number {
  if (!kept.offsite) return 1;
  const young = Math.min(1, (volumesAtOnce * kept.openVolumes) / kept.volumes);
  return young + (1 - young) * assumptions.offsiteUnusable.value;
}
