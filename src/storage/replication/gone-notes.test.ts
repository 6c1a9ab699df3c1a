/** The notes of volumes that have left stay, however often the disks change. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DiskRegister } from './disk-register.ts';
import { ReplicatedTrial, TrialDisk, type TrialSetup } from './testing/replicated-trial.ts';

const SETUP: TrialSetup = { seed: 1, disks: 3, policy: { copies: 2, acksMin: 2, domain: 'host' } };
const NOTE = 'v00000001.1.gone';

/** Volume 1 has left for good, and is named by the witness still. */
async function withoutFirst(): Promise<ReplicatedTrial> {
  const trial = new ReplicatedTrial(SETUP);
  await trial.open();
  await trial.work(60);
  trial.noteWitness();
  await trial.sweep();
  const { keeper } = trial.store;
  assert.ok(await trial.settle(keeper.compact(1)));
  assert.ok(await trial.settle(keeper.moveToTrash(1)));
  assert.ok(await trial.settle(keeper.unlink(1)));
  trial.noteWitness();
  return trial;
}

function hasNote({ files }: TrialDisk): boolean {
  return files.names().includes(NOTE);
}

describe('the note that a volume has left', () => {
  it('is there when all disks were replaced, one after the other', async () => {
    const trial = await withoutFirst();
    assert.ok(trial.witness.some(([volumeId]) => volumeId === 1));
    for (let number = 1; number <= 3; number++) {
      trial.disks.push(new TrialDisk(`new${number}`, `new host ${number}`, trial.random));
      trial.disk(0).state = 'draining';
      trial.restart('kill');
      await trial.open();
      await trial.sweep(4);
      assert.deepEqual(trial.disk(0).volumes, [], 'it is drained');
      trial.disks.shift();
      trial.restart('kill');
      await trial.open();
    }
    assert.ok(trial.disks.every(hasNote));
    await trial.checkPromises();
    trial.checkFullCopies();
  });

  it('keeps the last disk that has it from being retired', async () => {
    const trial = await withoutFirst();
    for (const disk of trial.disks.slice(1)) disk.files.drop(NOTE);
    trial.disk(0).state = 'draining';
    trial.restart('kill');
    await trial.open();
    const places = trial.disks.map(({ id, files }) => ({ id, files }));
    const register = await DiskRegister.open('cluster-1', places);
    for (const { id, host, files, state } of trial.disks) {
      const labels = { disk: id, host, rack: 'r', zone: 'z' };
      await register.add({ id, labels, state, where: `/disks/${id}`, addedMs: 1 }, { id, files });
    }
    const admin = trial.administer(register);
    const early = await admin.planRetire('d1');
    assert.ok(early.objections.some((text) => text.includes('1 emptied volume')), 'not yet');
    await trial.sweep(4);
    assert.ok(trial.disks.every(hasNote));
    assert.deepEqual((await admin.planRetire('d1')).objections, []);
  });

  it('is not written to a disk that brings back a copy of its volume', async () => {
    const trial = await withoutFirst();
    const { files } = trial.disk(0);
    files.drop(NOTE);
    files.setContent('v00000001.1.hv', Buffer.alloc(5000));
    await trial.sweep(2);
    assert.ok(!hasNote(trial.disk(0)));
  });
});
