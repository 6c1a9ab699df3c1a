/** A fleet as the model sees it: disks in their failure domains, and how each class is kept. */
import { HoldfastError } from '../../base/errors.ts';
import type { DomainLevel } from '../../storage/index.ts';
import { ASSUMPTION_NAMES } from './assumptions-table.ts';
import type { AssumptionName, Figure } from './assumptions-table.ts';

export interface FleetDisk {
  readonly id: string;
  readonly host: string;
  readonly rack: string;
  readonly zone: string;
  readonly capacityBytes: number;
  /** What a repair of this disk has to make again. */
  readonly usedBytes: number;
  /** Of this disk or its model; else the fleet's assumption holds. */
  readonly lossesPerYear?: number;
}

/** `acknowledged`: with so many copies a write counts as done (W); the others follow. */
export type Redundancy =
  | { readonly kind: 'replicas'; readonly copies: number; readonly acknowledged: number }
  | { readonly kind: 'erasure'; readonly data: number; readonly parity: number };

export interface StorageClass {
  readonly name: string;
  readonly redundancy: Redundancy;
  /** Volumes with users' data: neither copies nor parity count. */
  readonly volumes: number;
  /** Of these, how many take writes, so that an off-site copy lags behind. */
  readonly openVolumes: number;
  readonly volumeBytes: number;
  readonly blockBytes: number;
  /** True when sealed volumes are also kept off-site. */
  readonly offsite: boolean;
}

export interface Fleet {
  readonly disks: readonly FleetDisk[];
  readonly classes: readonly StorageClass[];
  readonly assumptions: Partial<Readonly<Record<AssumptionName, Figure>>>;
}

const SHARDS_MAX = 20;
const DISKS_MAX = 100_000;
const CLASSES_MAX = 100;

/** Shards of one set, and how many of them may be gone. */
export function shapeOf(redundancy: Redundancy): { shards: number; tolerated: number } {
  if (redundancy.kind === 'replicas') {
    return { shards: redundancy.copies, tolerated: redundancy.copies - 1 };
  }
  return { shards: redundancy.data + redundancy.parity, tolerated: redundancy.parity };
}

/** What the model needs to know of the disks: all of them together. */
export interface DiskSummary {
  /** How many different disks, hosts, racks and zones there are. */
  readonly domains: Readonly<Record<DomainLevel, number>>;
  readonly usedBytes: number;
}

export function summarizeDisks(disks: readonly FleetDisk[]): DiskSummary {
  // A rack `1` in another zone is another rack: names count together with those above.
  const count = (path: (disk: FleetDisk) => string[]): number => {
    return new Set(disks.map((disk) => JSON.stringify(path(disk)))).size;
  };
  return {
    domains: {
      disk: count(({ id }) => [id]),
      host: count(({ zone, rack, host }) => [zone, rack, host]),
      rack: count(({ zone, rack }) => [zone, rack]),
      zone: count(({ zone }) => [zone]),
    },
    usedBytes: disks.reduce((total, { usedBytes }) => total + usedBytes, 0),
  };
}

/** @throws invalid, with all that is wrong. */
export function checkFleet({ disks, classes, assumptions }: Fleet): void {
  const wrong: string[] = [];
  const need = (holds: boolean, complaint: string): void => {
    if (!holds) wrong.push(complaint);
  };
  const isAmount = (value: number): boolean => Number.isFinite(value) && value >= 0;
  need(disks.length > 0 && disks.length <= DISKS_MAX, `1 to ${DISKS_MAX} disks are needed`);
  need(classes.length > 0 && classes.length <= CLASSES_MAX, 'at least one storage class is needed');
  need(summarizeDisks(disks).domains.disk === disks.length, 'every disk needs an id of its own');
  for (const { id, usedBytes, capacityBytes, lossesPerYear } of disks) {
    const sound = isAmount(usedBytes) && isAmount(capacityBytes) && usedBytes <= capacityBytes;
    need(sound, `disk ${id}: used bytes must be from 0 to its capacity`);
    need(isAmount(lossesPerYear ?? 0), `disk ${id}: the loss rate must be 0 or more`);
  }
  for (const kept of classes) checkClass(kept, disks.length, need);
  for (const name of ASSUMPTION_NAMES) {
    const value = assumptions[name]?.value ?? 1;
    const mayBeZero = name.includes('Loss') || name.startsWith('degraded') ||
      name.startsWith('damage') || name === 'offsiteUnusable';
    need(isAmount(value) && (value > 0 || mayBeZero), `${name}: ${value} is out of range`);
  }
  if (wrong.length === 0) return;
  const message = `The fleet cannot be judged: ${wrong.slice(0, 20).join('; ')}.`;
  throw new HoldfastError('invalid', 'durability/checkFleet', message);
}

function checkClass(
  kept: StorageClass, diskCount: number, need: (holds: boolean, complaint: string) => void,
): void {
  const { name, redundancy, volumes, openVolumes, volumeBytes, blockBytes } = kept;
  const { shards, tolerated } = shapeOf(redundancy);
  const whole = [shards, tolerated, volumes, openVolumes].every((value) => {
    return Number.isSafeInteger(value) && value >= 0;
  });
  need(whole && shards >= 1, `class ${name}: counts must be whole numbers`);
  need(shards <= SHARDS_MAX, `class ${name}: at most ${SHARDS_MAX} copies or shards`);
  need(shards > tolerated, `class ${name}: there must be data beside the parity`);
  need(shards <= diskCount, `class ${name}: needs ${shards} disks, there are ${diskCount}`);
  need(openVolumes <= volumes, `class ${name}: more open volumes than volumes`);
  need(blockBytes > 0 && volumeBytes >= blockBytes, `class ${name}: sizes are out of range`);
  if (redundancy.kind !== 'replicas') return;
  const { acknowledged, copies } = redundancy;
  need(acknowledged >= 1 && acknowledged <= copies, `class ${name}: W must be from 1 to N`);
}
