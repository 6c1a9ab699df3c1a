import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { SeededRandom } from '../backends/local/testing/random.ts';
import { SimulatedVolumeFiles } from '../backends/local/testing/simulated-volume-files.ts';
import { DiskRegister } from './disk-register.ts';
import type { Disks, NewDisk } from './disks.ts';
import { ReplicatedTrial } from './testing/replicated-trial.ts';

const CLUSTER = 'cluster-1';

interface Opened {
  trial: ReplicatedTrial;
  register: DiskRegister;
  admin: Disks;
}

async function opened(disks = 3): Promise<Opened> {
  const policy = { copies: 2, acksMin: 2, domain: 'host' } as const;
  const trial = new ReplicatedTrial({ seed: 3, disks, policy });
  await trial.open();
  const register = await registerOf(trial);
  for (const { id, host, files } of trial.disks) {
    const labels = { disk: id, host, rack: 'r', zone: 'z' };
    const where = `/disks/${id}`;
    await register.add({ id, labels, state: 'active', where, addedMs: 1 }, { id, files });
  }
  return { trial, register, admin: trial.administer(register) };
}

function registerOf(trial: ReplicatedTrial): Promise<DiskRegister> {
  return DiskRegister.open(CLUSTER, trial.disks.map(({ id, files }) => ({ id, files })));
}

function newDisk(id: string, files = new SimulatedVolumeFiles(new SeededRandom(9))): NewDisk {
  const labels = { disk: id, host: `host of ${id}`, rack: 'r', zone: 'z' };
  return { id, labels, files, state: 'active', where: `/disks/${id}` };
}

function conflict(error: unknown): boolean {
  return isKind(error, 'conflict');
}

describe('DiskRegister', () => {
  it('is found again on any of the disks, the newest one counting', async () => {
    const { trial, register } = await opened();
    trial.disk(0).away = true;
    await register.setState('d2', 'draining');
    trial.disk(0).away = false;
    const again = await registerOf(trial);
    assert.equal(again.find('d2')?.state, 'draining');
    assert.deepEqual(again.disks.map(({ id }) => id), ['d1', 'd2', 'd3']);
    assert.equal(again.generation, 4);
    const { files } = trial.disk(0);
    const alone = await DiskRegister.open(CLUSTER, [{ id: 'd1', files }]);
    assert.equal(alone.generation, 3);
  });

  it('refuses disks of another cluster, of a newer version, and two that differ', async () => {
    const { trial, register } = await opened();
    const places = trial.disks.map(({ id, files }) => ({ id, files }));
    const elsewhere = DiskRegister.open('cluster-2', places);
    await assert.rejects(elsewhere, (error) => isKind(error, 'invalid'));
    const { files } = trial.disk(0);
    const bytes = files.content('disks');
    const newer = Buffer.from(bytes.toString().replace(/^holdfast disks 1/, 'holdfast disks 2'));
    files.setContent('disks', newer);
    await assert.rejects(registerOf(trial), conflict);
    files.setContent('disks', bytes);
    trial.disk(0).away = true;
    await register.setState('d2', 'draining');
    trial.disk(0).away = false;
    const apart = await DiskRegister.open(CLUSTER, [{ id: 'd1', files }]);
    await apart.setState('d3', 'draining');
    await assert.rejects(registerOf(trial), (error) => isKind(error, 'corrupt'));
  });

  it('takes no damaged copy for an answer', async () => {
    const { trial } = await opened();
    for (const [at, { files }] of trial.disks.entries()) {
      const bytes = Buffer.from(files.content('disks'));
      bytes[60 + at] = 0;
      files.setContent('disks', bytes);
      if (at < 2) assert.equal((await registerOf(trial)).generation, 3);
    }
    await assert.rejects(registerOf(trial), (error) => isKind(error, 'corrupt'));
  });

  it('is the old or the new one after a power cut', async () => {
    for (let stopAt = 1; stopAt < 20; stopAt++) {
      const { trial, register } = await opened();
      let calls = 0;
      for (const disk of trial.disks) disk.plan = () => (++calls > stopAt ? 'CRASH' : undefined);
      const ended = await trial.settle(register.setState('d1', 'draining'), 1);
      trial.restart('crash');
      const again = await registerOf(trial);
      assert.equal(again.disks.length, 3);
      if (ended) assert.equal(again.find('d1')?.state, 'draining');
    }
  });
});

describe('Disks', () => {
  it('lists the disks with what is on them', async () => {
    const { trial, admin } = await opened();
    await trial.work(60);
    const list = await admin.list();
    const copies = trial.disks.map(({ volumes }) => volumes.length);
    assert.deepEqual(list.map(({ volumeCount }) => volumeCount), copies);
    assert.ok(list.every(({ answers, freeBytes }) => answers && (freeBytes ?? 0) > 0));
    trial.disk(1).away = true;
    await trial.sweep();
    assert.deepEqual((await admin.list()).map(({ answers }) => answers), [true, false, true]);
  });

  it('adds a disk after a plan, and volumes go there', async () => {
    const { trial, admin, register } = await opened(2);
    await trial.work(20);
    trial.disk(1).files.capacityBytes = 1;
    const refused = await trial.tryPut(trial.block(3000));
    assert.ok(isKind(refused, 'full'), String(refused));
    const disk = newDisk('d9');
    const plan = await admin.planAdd(disk);
    assert.deepEqual(plan.objections, []);
    await admin.add(disk, plan);
    trial.clock.advance(10_000);
    await trial.sweep();
    assert.equal(await trial.tryPut(trial.block(3000)), undefined);
    const files = disk.files as SimulatedVolumeFiles;
    assert.ok(files.names().some((name) => name.endsWith('.hv')));
    assert.equal((await registerOf(trial)).find('d9')?.state, 'active');
    await assert.rejects(admin.add(disk, plan), conflict);
    assert.equal(register.disks.length, 3);
  });

  it('refuses a disk that holds volumes, or is there already', async () => {
    const { trial, admin } = await opened();
    await trial.work(20);
    const [full] = trial.disks.filter(({ volumes }) => volumes.length > 0);
    const used = await admin.planAdd(newDisk('d9', full?.files));
    assert.match(used.objections.join(), /holds \d+ volumes/);
    await assert.rejects(admin.add(newDisk('d9', full?.files), used), conflict);
    const same = await admin.planAdd({ ...newDisk('d9'), where: '/disks/d1' });
    assert.match(same.objections.join(), /same place/);
    assert.match((await admin.planAdd(newDisk('d1'))).objections.join(), /in use/);
  });

  it('drains, then retires a disk, and refuses to retire one that is needed', async () => {
    const { trial, admin, register } = await opened();
    await trial.work(80);
    const early = await admin.planRetire('d1');
    assert.match(early.objections.join(), /drain it first/);
    await assert.rejects(admin.retire(early), conflict);
    const plan = await admin.planDrain('d1');
    assert.deepEqual(plan.objections, []);
    assert.equal(plan.volumeCount, trial.disk(0).volumes.length);
    assert.ok(plan.volumeBytes > 0);
    await admin.drain(plan);
    await trial.sweep(2);
    assert.deepEqual(trial.disk(0).volumes, []);
    await trial.checkPromises();
    const leave = await admin.planRetire('d1');
    assert.deepEqual(leave.objections, []);
    await admin.retire(leave);
    assert.equal(register.find('d1')?.state, 'retired');
    trial.disk(0).state = 'retired';
    assert.equal(await trial.tryPut(trial.block(20)), undefined);
    trial.checkFullCopies();
    assert.match((await admin.planAdd(newDisk('d1'))).objections.join(), /new id/);
  });

  it('refuses a drain that has nowhere to go, and says why', async () => {
    const { trial, admin } = await opened(2);
    await trial.work(20);
    const plan = await admin.planDrain('d1');
    assert.match(plan.objections.join(), /no place: 1 more copy needs 1 more host/);
    await assert.rejects(admin.drain(plan), conflict);
  });

  it('does not carry out a plan that would come out differently by now', async () => {
    const { trial, admin } = await opened();
    await trial.work(40);
    const plan = await admin.planDrain('d1');
    await trial.work(80);
    await assert.rejects(admin.drain(plan), (error) =>
      isKind(error, 'conflict') && error.code === 'disk-plan-changed');
  });

  it('gives up a disk that is gone for ever only when told to, naming what is lost', async () => {
    const { trial, admin } = await opened(2);
    await trial.work(80);
    trial.disk(1).plan = ({ what }) => (what === 'write' ? 'EIO' : undefined);
    await trial.work(2);
    trial.disk(1).plan = () => undefined;
    trial.disk(0).away = true;
    await trial.sweep();
    const lastOnes = await admin.planRetire('d1');
    assert.match(lastOnes.objections.join(), /no whole copy anywhere else/);
    await assert.rejects(admin.retire(lastOnes), conflict);
    const forced = await admin.planRetire('d1', { acceptLoss: true });
    assert.deepEqual(forced.objections, []);
    assert.match(forced.notes.join(), /LOST: \d+ volume/);
    await assert.rejects(admin.retire(forced), conflict, 'the word has to be said twice');
    await admin.retire(forced, { acceptLoss: true });
  });
});
