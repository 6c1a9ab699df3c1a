import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { silentLog } from '../../platform/index.ts';
import type { FindingKind } from './finding.ts';
import { RepairDispatch } from './repair-dispatch.ts';
import type { SuspectCopy } from './repair-dispatch.ts';
import { VerifyWorld } from './testing/verify-world.ts';

let world: VerifyWorld;
let proposed: SuspectCopy[];
let answer: () => string;
let dispatch: RepairDispatch;

function report(kind: FindingKind, facts: Record<string, string | number>): void {
  const where = JSON.stringify(facts);
  world.desk.report({ verifier: 'disk-scrubber', kind, scope: 'x', where, facts });
}

beforeEach(() => {
  world = new VerifyWorld();
  proposed = [];
  answer = () => 'repairing';
  const { store, clock } = world;
  dispatch = new RepairDispatch({
    store, clock, log: silentLog,
    propose: async (copy) => {
      proposed.push(copy);
      return answer();
    },
  });
});

describe('RepairDispatch', () => {
  it('hands in each damaged copy once, however much is wrong with it', async () => {
    report('payload-damaged', { diskId: 'a', volumeId: 1, offset: 10 });
    report('payload-damaged', { diskId: 'a', volumeId: 1, offset: 20 });
    report('payload-damaged', { diskId: 'b', volumeId: 1, offset: 20 });
    await dispatch.look();
    await dispatch.look();
    assert.deepEqual(proposed, [{ volumeId: 1, diskId: 'b' }, { volumeId: 1, diskId: 'a' }]);
  });

  it('hands it in again when it was seen again', async () => {
    report('payload-damaged', { diskId: 'a', volumeId: 1, offset: 10 });
    await dispatch.look();
    world.clock.advance(1_000);
    report('payload-damaged', { diskId: 'a', volumeId: 1, offset: 10 });
    await dispatch.look();
    assert.equal(proposed.length, 2);
  });

  it('asks again while the copy could not be looked at', async () => {
    report('payload-damaged', { diskId: 'a', volumeId: 1, offset: 10 });
    answer = () => 'being-written';
    await dispatch.look();
    answer = () => {
      throw new HoldfastError('busy', 'test', 'Later.');
    };
    await dispatch.look();
    answer = () => 'sound';
    await dispatch.look();
    await dispatch.look();
    assert.equal(proposed.length, 3);
  });

  it('keeps its hands off notices, what is no copy, and what nobody can decide', async () => {
    report('unsteady-read', { diskId: 'a', volumeId: 1 });
    report('unreadable', { diskId: 'a' });
    report('replica-undecided', { diskId: 'a', volumeId: 1 });
    await dispatch.look();
    assert.deepEqual(proposed, []);
  });

  it('closes no finding itself, and forgets what is no longer open', async () => {
    report('payload-damaged', { diskId: 'a', volumeId: 1, offset: 10 });
    await dispatch.look();
    assert.equal(world.open().length, 1);
    world.clock.advance(1_000);
    world.desk.settle('disk-scrubber', world.clock.now());
    await dispatch.look();
    assert.deepEqual(world.store.listNotes('repair', { prefix: '', limit: 10 }), []);
  });
});
