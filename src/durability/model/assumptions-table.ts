/** The numbers that the model rests on: what each means, and what is taken when nobody says. */

/** Where a figure comes from, so that nobody takes a guess for a measurement. */
export type Origin = 'given' | 'measured' | 'default';

export interface Figure {
  readonly value: number;
  readonly origin: Origin;
}

export type Unit = 'per-year' | 'per-terabyte-year' | 'ms' | 'bytes-per-second' | 'share';

export interface AssumptionInfo {
  readonly label: string;
  readonly unit: Unit;
  readonly usual: number;
  /** What it means, and for a default where it comes from. One line. */
  readonly meaning: string;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const ASSUMPTIONS = {
  diskLossesPerYear: {
    label: 'disks lost', unit: 'per-year', usual: 0.02,
    meaning: 'share of the disks that die in a year; large fleets publish 1 to 2 %',
  },
  hostLossesPerYear: {
    label: 'hosts lost', unit: 'per-year', usual: 0.002,
    meaning: 'all disks of a host at once: controller, power supply, mistaken hands; a guess',
  },
  rackLossesPerYear: {
    label: 'racks lost', unit: 'per-year', usual: 0.0005,
    meaning: 'all disks of a rack at once: surge, water; a guess',
  },
  zoneLossesPerYear: {
    label: 'zones lost', unit: 'per-year', usual: 0.0001,
    meaning: 'a whole site: fire, flood; a guess',
  },
  damagePerTerabyteYear: {
    label: 'silent damage', unit: 'per-terabyte-year', usual: 0.1,
    meaning: 'places that rot or turn unreadable unnoticed; above what studies of disks report',
  },
  scrubIntervalMs: {
    label: 'scrub round', unit: 'ms', usual: 7 * DAY_MS,
    meaning: 'every byte is read again within this time',
  },
  detectMs: {
    label: 'time to notice', unit: 'ms', usual: 15 * MINUTE_MS,
    meaning: 'a disk or filer that is missing so long counts as lost',
  },
  repairBytesPerSecond: {
    label: 'repair rate', unit: 'bytes-per-second', usual: 50e6,
    meaning: 'bytes read for repair; the rate limit, or what past repairs reached',
  },
  replaceMs: {
    label: 'time to replace', unit: 'ms', usual: 3 * DAY_MS,
    meaning: 'until a new disk is there; counts only where no other place is free',
  },
  offsiteUnusable: {
    label: 'off-site copy bad', unit: 'share', usual: 0.001,
    meaning: 'chance that it cannot be read back when it is needed; a guess',
  },
  degradedVolumesPerYear: {
    label: 'volumes closed early', unit: 'per-year', usual: 0,
    meaning: 'acknowledged with fewer copies than wanted, after a failed or slow write',
  },
} as const satisfies Readonly<Record<string, AssumptionInfo>>;

export type AssumptionName = keyof typeof ASSUMPTIONS;
export type Assumptions = Readonly<Record<AssumptionName, Figure>>;

export const ASSUMPTION_NAMES = Object.keys(ASSUMPTIONS) as AssumptionName[];

/** Fills in what was not said. `ownRates`: of each disk that has a loss rate of its own; undefined
 *  for the others. The result has the mean over all disks. */
export function settleAssumptions(
  known: Partial<Assumptions>, ownRates: readonly (number | undefined)[] = [],
): Assumptions {
  const settled: Partial<Record<AssumptionName, Figure>> = {};
  for (const name of ASSUMPTION_NAMES) {
    settled[name] = known[name] ?? { value: ASSUMPTIONS[name].usual, origin: 'default' };
  }
  const complete = settled as Assumptions;
  if (ownRates.every((own) => own === undefined)) return complete;
  const fleetwide = complete.diskLossesPerYear.value;
  const sum = ownRates.reduce<number>((total, own) => total + (own ?? fleetwide), 0);
  return { ...complete, diskLossesPerYear: { value: sum / ownRates.length, origin: 'given' } };
}

/** The rate that past repairs reached; undefined when there was none. */
export function measuredRepairRate(
  repairs: readonly { readonly readBytes: number; readonly tookMs: number }[],
): Figure | undefined {
  const bytes = repairs.reduce((total, { readBytes }) => total + readBytes, 0);
  const ms = repairs.reduce((total, { tookMs }) => total + tookMs, 0);
  return bytes > 0 && ms > 0 ? { value: (bytes / ms) * 1000, origin: 'measured' } : undefined;
}
