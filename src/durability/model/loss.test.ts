import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settleAssumptions } from './assumptions-table.ts';
import type { AssumptionName } from './assumptions-table.ts';
import { summarizeDisks } from './fleet.ts';
import type { FleetDisk, StorageClass } from './fleet.ts';
import { fleetLoss } from './loss.ts';
import type { FleetLoss } from './loss.ts';
import { placementOf } from './placement.ts';
import { disksIn, replicated, STILL } from './testing/sample-fleet.ts';

type Values = Partial<Record<AssumptionName, number>>;

function lossOf(disks: readonly FleetDisk[], kept: StorageClass, values: Values): FleetLoss {
  const known = Object.entries(values).map(([name, value]) => {
    return [name, { value, origin: 'given' as const }] as const;
  });
  const assumptions = settleAssumptions({ ...STILL, ...Object.fromEntries(known) });
  return fleetLoss(summarizeDisks(disks), [kept], assumptions);
}

function near(found: number, wanted: number, tolerance: number): void {
  assert.ok(Math.abs(found / wanted - 1) < tolerance, `${found} instead of ${wanted}`);
}

const YEAR_MS = 365.25 * 24 * 3600 * 1000;
/** Repair takes just the time to notice. */
const FAST: Values = { repairBytesPerSecond: 1e18 };

describe('The placement', () => {
  it('gives every copy the largest domain of its own that there is', () => {
    const spreadOf = (disks: FleetDisk[], copies: number): string => {
      return placementOf(summarizeDisks(disks), replicated(copies)).spread;
    };
    assert.equal(spreadOf(disksIn(12, { hosts: 4 }), 3), 'host');
    assert.equal(spreadOf(disksIn(12, { hosts: 4 }), 5), 'disk');
    assert.equal(spreadOf(disksIn(12, { hosts: 6, racks: 3, zones: 3 }), 3), 'zone');
    assert.equal(spreadOf(disksIn(1), 1), 'zone');
  });

  it('takes racks of the same name in two zones for two', () => {
    const disks = disksIn(4, { hosts: 4, racks: 1, zones: 2 });
    assert.equal(summarizeDisks(disks).domains.rack, 2);
  });

  it('shares nine shards among four hosts evenly, and knows when a place is free', () => {
    const cold = replicated(1, { redundancy: { kind: 'erasure', data: 6, parity: 3 } });
    const placed = placementOf(summarizeDisks(disksIn(12, { hosts: 4 })), cold);
    const host = placed.levels.find(({ level }) => level === 'host');
    assert.deepEqual(host?.shares, [{ takes: 3, sources: 1 }, { takes: 2, sources: 3 }]);
    assert.equal(placed.hasSpare, true);
    const tight = placementOf(summarizeDisks(disksIn(3)), replicated(3));
    assert.equal(tight.hasSpare, false);
  });

  it('counts as many sets as there can be, and no more than there are volumes', () => {
    const setsOf = (disks: number, volumes: number): number => {
      const placed = placementOf(summarizeDisks(disksIn(disks)), replicated(2, { volumes }));
      return placed.levels[0]?.sets as number;
    };
    assert.equal(setsOf(2, 1000), 1);
    near(setsOf(4, 1000), 6, 1e-9);
    near(setsOf(1000, 10), 10, 1e-4);
    assert.equal(setsOf(4, 0), 0);
  });
});

describe('The loss of a fleet', () => {
  it('with one copy is that of any disk', () => {
    const { blockLossesPerYear, classes } = lossOf(
      disksIn(10), replicated(1), { diskLossesPerYear: 0.02 },
    );
    near(blockLossesPerYear, 10 * 0.02, 1e-9);
    near(classes[0]?.oneVolumeLoss as number, -Math.expm1(-0.02), 1e-9);
  });

  it('with two copies on two disks does not grow with the number of volumes', () => {
    const values = { ...FAST, diskLossesPerYear: 0.02, replaceMs: YEAR_MS / 1000, detectMs: 1 };
    const few = lossOf(disksIn(2), replicated(2), values).volumeLossesPerYear;
    const many = lossOf(
      disksIn(2), replicated(2, { volumes: 1e6 }), values,
    ).volumeLossesPerYear;
    assert.equal(few, many);
    near(few, 2 * 0.02 * 0.02 / 1000, 3e-3);
  });

  it('with two copies on many disks is that of any pair in use', () => {
    const values = { ...FAST, diskLossesPerYear: 0.02, detectMs: YEAR_MS / 1000 };
    const { volumeLossesPerYear } = lossOf(
      disksIn(10), replicated(2, { volumes: 1e6 }), values,
    );
    near(volumeLossesPerYear, 45 * 2 * 0.02 * 0.02 / 1000, 3e-3);
  });

  it('by a zone that holds all is counted once, not by set', () => {
    const { volumeLossesPerYear } = lossOf(
      disksIn(100, { hosts: 20 }), replicated(3, { volumes: 1e5 }),
      { ...FAST, zoneLossesPerYear: 1e-4 },
    );
    near(volumeLossesPerYear, 1e-4, 1e-6);
  });

  it('by hosts that fail in pairs is counted by pairs of hosts, not of disks', () => {
    const values = { ...FAST, hostLossesPerYear: 0.01, detectMs: YEAR_MS / 1000 };
    const { volumeLossesPerYear } = lossOf(
      disksIn(60, { hosts: 6 }), replicated(2, { volumes: 1e6 }), values,
    );
    near(volumeLossesPerYear, 15 * 2 * 0.01 * 0.01 / 1000, 3e-3);
  });

  it('by silent damage of one copy is every damaged place', () => {
    const { blockLossesPerYear, volumeLossesPerYear } = lossOf(
      disksIn(10), replicated(1), { damagePerTerabyteYear: 0.1 },
    );
    near(blockLossesPerYear, (0.1 * 1000 * 2 ** 30) / 1e12, 1e-6);
    assert.equal(volumeLossesPerYear, 0);
  });

  it('by damage that comes to light when a disk is lost grows with the scrub round', () => {
    const values = {
      ...FAST, diskLossesPerYear: 0.02, damagePerTerabyteYear: 0.1, detectMs: 1, replaceMs: 1,
    };
    const week = lossOf(disksIn(2), replicated(2), { ...values, scrubIntervalMs: YEAR_MS / 52 });
    const year = lossOf(disksIn(2), replicated(2), { ...values, scrubIntervalMs: YEAR_MS });
    near(year.blockLossesPerYear / week.blockLossesPerYear, 52, 0.05);
    const damaged = (0.1 * 1000 * 2 ** 30) / 1e12 / 2 / 52;
    near(week.blockLossesPerYear, 2 * 0.02 * damaged, 0.01);
  });

  it('is repaired later when no place is free', () => {
    const values = { ...FAST, diskLossesPerYear: 0.02 };
    const [tight] = lossOf(disksIn(3), replicated(3), values).classes;
    const [spare] = lossOf(disksIn(4), replicated(3), values).classes;
    near(tight?.repairMs as number, (3 * 24 * 60 + 15) * 60_000, 1e-6);
    near(spare?.repairMs as number, 15 * 60_000, 1e-6);
  });

  it('reads all data shards to repair one', () => {
    const values = { diskLossesPerYear: 0.02, repairBytesPerSecond: 4e12 / 3600, detectMs: 1 };
    const cold = replicated(1, { redundancy: { kind: 'erasure', data: 6, parity: 3 } });
    const [one] = lossOf(disksIn(12), replicated(3), values).classes;
    const [six] = lossOf(disksIn(12), cold, values).classes;
    near(one?.repairMs as number, 3600_000, 1e-3);
    near(six?.repairMs as number, 6 * 3600_000, 1e-3);
  });

  it('begins with copies missing for volumes that were closed early', () => {
    const kept = replicated(3, { redundancy: { kind: 'replicas', copies: 3, acknowledged: 1 } });
    const values = { ...FAST, diskLossesPerYear: 0.02, detectMs: YEAR_MS / 1000 };
    const sure = lossOf(disksIn(9), kept, values).blockLossesPerYear;
    const early = lossOf(disksIn(9), kept, { ...values, degradedVolumesPerYear: 10 });
    near(early.blockLossesPerYear - sure, 10 * 0.02 / 2000, 0.02);
  });

  it('is made good off-site, but for what is young and for a copy that is bad', () => {
    const values = { diskLossesPerYear: 0.02, offsiteUnusable: 0.001 };
    const here = lossOf(disksIn(1), replicated(1), values).volumeLossesPerYear;
    const kept = replicated(1, { offsite: true, openVolumes: 0 });
    const there = lossOf(disksIn(1), kept, values).volumeLossesPerYear;
    near(there / here, 0.001, 1e-9);
    const young = lossOf(disksIn(1), { ...kept, openVolumes: 1 }, values).volumeLossesPerYear;
    assert.equal(young, here);
  });
});
