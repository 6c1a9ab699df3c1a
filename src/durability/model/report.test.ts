import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { measuredRepairRate, settleAssumptions } from './assumptions-table.ts';
import type { Evidence } from './evidence.ts';
import { summarizeDisks } from './fleet.ts';
import type { Fleet } from './fleet.ts';
import { durabilityReport } from './report.ts';
import { durabilityText } from './report-text.ts';
import { influences } from './sensitivity.ts';
import type { Influence } from './sensitivity.ts';
import { disksIn, replicated, sampleFleet, STILL } from './testing/sample-fleet.ts';

const YEAR_MS = 365.25 * 24 * 3600 * 1000;

const EVIDENCE: Evidence = {
  periodMs: YEAR_MS / 12, blocksKept: 1e6, blocksChecked: 4e6, bytesChecked: 4e12,
  checkIntervalMs: YEAR_MS / 52, blocksBad: 0, repairsDone: 0, blocksLost: 0, coverage: 0.97,
};

function influencesOf({ disks, classes, assumptions }: Fleet): Map<string, Influence> {
  const scene = {
    disks: summarizeDisks(disks), classes, assumptions: settleAssumptions(assumptions),
  };
  return new Map(influences(scene).map((influence) => [influence.name, influence]));
}

describe('The influence of an assumption', () => {
  it('is its power in the formula: three lost disks in two repair times', () => {
    const found = influencesOf(sampleFleet({
      disks: disksIn(12), assumptions: {
        ...STILL, diskLossesPerYear: { value: 0.02, origin: 'given' },
        detectMs: { value: 1, origin: 'given' },
      },
    }));
    const of = (name: string): number => found.get(name)?.elasticity as number;
    assert.ok(Math.abs(of('diskLossesPerYear') - 3) < 0.01);
    assert.ok(Math.abs(of('repairBytesPerSecond') + 2) < 0.01);
    assert.ok(Math.abs(of('scrubIntervalMs')) < 0.001);
    const disks = found.get('diskLossesPerYear');
    assert.ok(Math.abs((disks?.ifTwiceAsBad as number) - 8) < 0.1);
    assert.equal(disks?.shareOfLoss, 1);
    const repair = found.get('repairBytesPerSecond');
    assert.ok(Math.abs((repair?.ifTwiceAsBad as number) - 4) < 0.1);
  });

  it('names the figure that dominates first', () => {
    const [first] = durabilityReport(sampleFleet()).influences;
    assert.equal(first?.name, 'rackLossesPerYear');
    assert.ok((first?.shareOfLoss as number) > 0.8);
  });
});

describe('The report', () => {
  it('keeps all its numbers as JSON, 27 nines too', () => {
    const report = durabilityReport(sampleFleet({
      disks: disksIn(20), classes: [replicated(7)], assumptions: {
        ...STILL, diskLossesPerYear: { value: 0.02, origin: 'given' },
      },
    }));
    assert.ok((report.anyBlock.nines as number) > 20, String(report.anyBlock.nines));
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
    assert.match(durabilityText(report), /any block within a year\s+1 in .*e.*nines/);
  });

  it('says where each figure comes from', () => {
    const { assumptions } = durabilityReport(sampleFleet({
      assumptions: { repairBytesPerSecond: { value: 1e8, origin: 'measured' } },
    }));
    const origins = new Map(assumptions.map(({ name, origin }) => [name, origin]));
    assert.equal(origins.get('repairBytesPerSecond'), 'measured');
    assert.equal(origins.get('zoneLossesPerYear'), 'default');
  });

  it('takes the mean of the disks that have a rate of their own', () => {
    const [first, ...others] = disksIn(4);
    assert.ok(first);
    const disks = [{ ...first, lossesPerYear: 0.1 }, ...others];
    const { assumptions } = durabilityReport(sampleFleet({ disks }));
    const rate = assumptions.find(({ name }) => name === 'diskLossesPerYear');
    assert.ok(Math.abs((rate?.value as number) - (0.1 + 3 * 0.02) / 4) < 1e-12);
    assert.equal(rate?.origin, 'given');
  });

  it('warns of one copy, of a domain too many, and of a missing spare', () => {
    const remarksOf = (fleet: Fleet): string => {
      return durabilityReport(fleet).classes.flatMap(({ remarks }) => remarks).join('\n');
    };
    assert.match(remarksOf(sampleFleet({ classes: [replicated(1)] })), /one copy/);
    const oneHost = sampleFleet({ disks: disksIn(3, { hosts: 1 }) });
    assert.match(remarksOf(oneHost), /one host is too much/);
    assert.match(remarksOf(sampleFleet({ disks: disksIn(3) })), /no place is free beside the 3/);
    const zones = disksIn(12, { hosts: 12, racks: 4, zones: 4 });
    assert.equal(remarksOf(sampleFleet({ disks: zones })), '');
  });

  it('says so when the verifiers contradict it', () => {
    const verdict = (evidence: Partial<Evidence>): string | undefined => {
      return durabilityReport({ ...sampleFleet(), evidence: { ...EVIDENCE, ...evidence } })
        .evidence?.verdict;
    };
    assert.equal(verdict({}), 'agrees');
    assert.equal(verdict({ blocksChecked: 0, bytesChecked: 0 }), 'no-evidence');
    assert.equal(verdict({ blocksLost: 1 }), 'too-hopeful');
    assert.equal(verdict({ blocksBad: 50, repairsDone: 50 }), 'too-hopeful');
    assert.equal(verdict({ disks: { diskYears: 10, lost: 4 } }), 'too-hopeful');
    assert.equal(verdict({ disks: { diskYears: 100, lost: 2 } }), 'agrees');
  });

  it('has a text of whole lines that fit a terminal', () => {
    const text = durabilityText(durabilityReport({ ...sampleFleet(), evidence: EVIDENCE }));
    for (const line of text.split('\n')) {
      assert.ok(line.length <= 100, line);
      assert.equal(line, line.trimEnd());
      assert.doesNotMatch(line, /NaN|undefined|Infinity/);
    }
    assert.match(text, /zones lost +1.0e-4 a year +default +a whole site/);
    assert.match(text, /Most depends on "racks lost", which nobody has measured here/);
    assert.match(text, /What was seen proves \d+\.\d nines/);
  });

  it('has something to say about an empty fleet of one disk', () => {
    const kept = replicated(1, { volumes: 0, openVolumes: 0 });
    const report = durabilityReport(sampleFleet({ disks: disksIn(1), classes: [kept] }));
    assert.equal(report.anyBlock.probability, 0);
    assert.doesNotMatch(durabilityText(report), /NaN|undefined|Infinity/);
  });

  it('refuses a fleet that cannot be, with all reasons', () => {
    const [disk] = disksIn(1);
    assert.ok(disk);
    const fleet = sampleFleet({
      disks: [disk, disk], classes: [replicated(3, { blockBytes: 0 })],
      assumptions: { detectMs: { value: 0, origin: 'given' } },
    });
    assert.throws(() => durabilityReport(fleet), (error) => {
      assert.ok(isKind(error, 'invalid'));
      assert.match(error.message, /id of its own.*needs 3 disks, there are 2.*sizes.*detectMs/);
      return true;
    });
  });

  it('measures the repair rate by all repairs together', () => {
    const rate = measuredRepairRate([
      { readBytes: 1e9, tookMs: 10_000 }, { readBytes: 3e9, tookMs: 10_000 },
    ]);
    assert.deepEqual(rate, { value: 2e8, origin: 'measured' });
    assert.equal(measuredRepairRate([]), undefined);
  });
});
