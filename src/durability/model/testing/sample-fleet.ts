/** Fleets for the tests: plain, and changed where a test needs it. */
import type { Fleet, FleetDisk, StorageClass } from '../fleet.ts';

/** Disks in hosts in racks in zones, dealt out in turn. */
export function disksIn(
  count: number, { hosts = count, racks = 1, zones = 1 }: Readonly<Record<string, number>> = {},
): FleetDisk[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `disk${at}`, host: `host${at % hosts}`, rack: `rack${at % racks}`,
    zone: `zone${at % zones}`, capacityBytes: 8e12, usedBytes: 4e12,
  }));
}

export function replicated(copies: number, changes: Partial<StorageClass> = {}): StorageClass {
  return {
    name: 'standard', redundancy: { kind: 'replicas', copies, acknowledged: copies },
    volumes: 1000, openVolumes: 2, volumeBytes: 2 ** 30, blockBytes: 2 ** 20, offsite: false,
    ...changes,
  };
}

export function sampleFleet(changes: Partial<Fleet> = {}): Fleet {
  return {
    disks: disksIn(12, { hosts: 4 }), classes: [replicated(3)], assumptions: {}, ...changes,
  };
}

/** Nothing happens but what a test switches on. */
export const STILL = {
  diskLossesPerYear: { value: 0, origin: 'given' },
  hostLossesPerYear: { value: 0, origin: 'given' },
  rackLossesPerYear: { value: 0, origin: 'given' },
  zoneLossesPerYear: { value: 0, origin: 'given' },
  damagePerTerabyteYear: { value: 0, origin: 'given' },
} as const;
