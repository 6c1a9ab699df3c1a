import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { explainFinding, reopenFinding } from './explanation.ts';
import { VerifyWorld } from './testing/verify-world.ts';
import { verifyReport, verifyReportText } from './verify-report.ts';

let world: VerifyWorld;
let findingId: number;
const how = { why: 'the disk was swapped on purpose', who: 'ann', atMs: 0 };

function report(): void {
  world.desk.report({
    verifier: 'extent-referee', kind: 'file-missing', scope: 'all', where: 'volume 3',
  });
}

beforeEach(() => {
  world = new VerifyWorld();
  report();
  findingId = world.store.listFindings({ limit: 1 })[0]?.id ?? 0;
});

describe('explainFinding', () => {
  it('makes a finding count no more, also when it is seen again', () => {
    explainFinding(world.store, findingId, { ...how, atMs: world.clock.now() });
    report();
    const { openDamage, findings } = verifyReport(world.store, world.clock.now());
    assert.equal(openDamage, 0);
    assert.equal(findings[0]?.explanation?.who, 'ann');
  });

  it('is told of by the status, in full when all is asked for', () => {
    explainFinding(world.store, findingId, { ...how, atMs: world.clock.now() });
    const told = verifyReport(world.store, world.clock.now());
    assert.ok(verifyReportText(told).some((line) => line.startsWith('Explained: 1.')));
    assert.ok(verifyReportText(told, { all: true }).some((line) =>
      line.includes('ann, 0 s ago: the disk was swapped on purpose')));
  });

  it('can be taken back', () => {
    explainFinding(world.store, findingId, { ...how, atMs: world.clock.now() });
    reopenFinding(world.store, findingId, world.clock.now());
    const { openDamage, findings } = verifyReport(world.store, world.clock.now());
    assert.equal(openDamage, 1);
    assert.equal(findings[0]?.explanation, undefined);
  });

  it('refuses a finding that is not there and a reason that says nothing', () => {
    const { store } = world;
    assert.throws(() => explainFinding(store, 99, how), (error) => isKind(error, 'not-found'));
    assert.throws(() => explainFinding(store, findingId, { ...how, why: ' ' }), (error) =>
      isKind(error, 'invalid'));
    assert.equal(verifyReport(store, 0).openDamage, 1);
  });
});
