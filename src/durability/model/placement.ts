/** How the shards of a class lie in the failure domains, and how many different sets that makes. */
import { DOMAIN_LEVELS } from '../../storage/index.ts';
import type { DomainLevel } from '../../storage/index.ts';
import { shapeOf } from './fleet.ts';
import type { DiskSummary, StorageClass } from './fleet.ts';
import { choose } from './redundancy-chain.ts';

export interface LevelPlacement {
  readonly level: DomainLevel;
  /** Domains of this level in the fleet. */
  readonly domains: number;
  /** How the shards of one set share the domains: [{ takes: 2, sources: 1 }, { takes: 1, … }]. */
  readonly shares: readonly { readonly takes: number; readonly sources: number }[];
  /** Different sets of domains of this level that are expected to be in use. */
  readonly sets: number;
}

export interface Placement {
  /** The largest kind of domain of which every shard has one to itself. */
  readonly spread: DomainLevel;
  /** One domain of that kind is free to take a lost shard. */
  readonly hasSpare: boolean;
  /** From disk to zone. */
  readonly levels: readonly LevelPlacement[];
}

/** Follows the placement rule: no two shards in one domain, as far up as there are enough. */
export function placementOf({ domains: count }: DiskSummary, kept: StorageClass): Placement {
  const { shards } = shapeOf(kept.redundancy);
  const enough = DOMAIN_LEVELS.filter((level) => count[level] >= shards);
  const spread = enough.at(-1) ?? 'disk';
  const levels = DOMAIN_LEVELS.map((level): LevelPlacement => {
    const domains = count[level];
    const ways = enough.includes(level)
      ? choose(count[spread], shards) * (domains / count[spread]) ** shards
      : 1;
    return { level, domains, shares: evenShares(shards, domains),
      sets: setsInUse(ways, setCount(kept)) };
  });
  return { spread, hasSpare: count[spread] > shards, levels };
}

/** Sets of volumes that are kept together: a volume with its copies, or an erasure set. */
export function setCount({ redundancy, volumes }: StorageClass): number {
  return redundancy.kind === 'replicas' ? volumes : Math.ceil(volumes / redundancy.data);
}

/** 5 shards in 3 domains: two domains hold 2, one holds 1. */
function evenShares(shards: number, domains: number): { takes: number; sources: number }[] {
  const used = Math.min(shards, domains);
  const fewer = Math.floor(shards / used);
  const fuller = shards % used;
  const shares = [
    { takes: fewer + 1, sources: fuller }, { takes: fewer, sources: used - fuller },
  ];
  return shares.filter(({ sources }) => sources > 0);
}

/** Expected number of different sets when each of `picks` chooses one of `ways`. */
function setsInUse(ways: number, picks: number): number {
  if (ways <= 1) return Math.min(1, picks);
  return -ways * Math.expm1(picks * Math.log1p(-1 / ways));
}
