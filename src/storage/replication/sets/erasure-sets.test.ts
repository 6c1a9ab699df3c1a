import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { DiskRegister } from '../disk-register.ts';
import type { ReplicatedTrial } from '../testing/replicated-trial.ts';
import {
  checkSet, holders, layoutOfSet, losses, openTrial, parityFiles, settleSets, SHAPE, trialWithSet,
  volumeNames,
} from './testing/set-trial.ts';

const MISSING_MS = 16 * 60_000;

async function check(trial: ReplicatedTrial): Promise<void> {
  assert.ok(await trial.settle(trial.checkPromises(), 2000), 'a read never ends');
}

async function close(trial: ReplicatedTrial): Promise<void> {
  await trial.settle(trial.repair.stop(), 100);
  await trial.settle(trial.store.close(), 100);
}

async function open(trial: ReplicatedTrial): Promise<void> {
  assert.ok(await trial.settle(trial.open(), 2000), 'a start never ends');
}

describe('making erasure sets', () => {
  it('leaves one copy of each volume, and parity, no two in one failure domain', async () => {
    const trial = await trialWithSet();
    checkSet(trial);
    await check(trial);
    assert.equal(trial.repair.status().volumesWaiting, 0);
    await close(trial);
  });

  it('puts the other copies into the trash of their disks, and unlinks nothing', async () => {
    const trial = await openTrial();
    const before = volumeNames(trial).flatMap((name) =>
      holders(trial, name).map((disk) => ({ disk, name, bytes: disk.files.content(name) })));
    await settleSets(trial);
    for (const { disk, name, bytes } of before) {
      const there = disk.files.names().filter((other) => other.startsWith(name));
      assert.ok(there.some((other) => disk.files.content(other).equals(bytes)), name);
    }
    await close(trial);
  });

  it('erases those copies after 14 days, and only once the set was proven again', async () => {
    const trial = await trialWithSet();
    trial.erasure = undefined;
    const before = trashOf(trial).length;
    assert.ok(before > 0);
    trial.clock.advance(14 * 86_400_000 - 1000);
    await settleSets(trial);
    assert.equal(trashOf(trial).length, before);
    const [{ name, disk }] = layoutOfSet(trial) as [ReturnType<typeof layoutOfSet>[0]];
    const bytes = Buffer.from(disk.files.content(name));
    bytes[6000] = (bytes[6000] ?? 0) ^ 1;
    disk.files.rot(name, bytes);
    trial.clock.advance(2000);
    await trial.repair.sweep();
    assert.ok(trashOf(trial).length >= before, 'the set was not whole');
    await settleSets(trial);
    assert.ok(trashOf(trial).length <= 1, 'but for what was rotten just now');
    checkSet(trial);
    await check(trial);
    await close(trial);
  });

  it('takes no volume that was sealed too short a time ago, and none that is written', async () => {
    const trial = await openTrial({ erasure: { ...SHAPE, afterMs: 86_400_000 } });
    await settleSets(trial);
    assert.equal(trial.sets.status().sets, 0);
    assert.match(trial.sets.status().making?.reason ?? '', /waits for 3 more cold volumes/);
    trial.clock.advance(86_400_000);
    await settleSets(trial);
    assert.equal(trial.sets.status().sets, 1);
    await close(trial);
  });

  it('makes none when there are too few failure domains, and says why', async () => {
    const trial = await openTrial({ disks: 4 });
    await settleSets(trial);
    assert.equal(trial.sets.status().sets, 0);
    assert.match(trial.sets.status().making?.reason ?? '', /needs 5 hosts.*there are 4/);
    trial.checkFullCopies();
    await close(trial);
  });

  it('makes none of a volume of which a copy is rotten, and lets no copy of it go', async () => {
    const trial = await openTrial();
    const [name] = volumeNames(trial) as [string];
    const [disk] = holders(trial, name);
    const bytes = Buffer.from(disk?.files.content(name) ?? '');
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    disk?.files.rot(name, bytes);
    await trial.repair.sweep();
    await trial.sets.settled();
    assert.equal(holders(trial, name).length, 3);
    await settleSets(trial);
    checkSet(trial);
    await check(trial);
    await close(trial);
  });
});

describe('reading from erasure sets', () => {
  it('gives every block with any m disks of the set away, running and starting', async () => {
    const trial = await trialWithSet();
    const disks = layoutOfSet(trial).map(({ disk }) => disk);
    const unsealed = volumeNames(trial).at(-1) as string;
    let starts = 0;
    for (const away of losses(disks, SHAPE.parity)) {
      for (const disk of away) disk.away = true;
      await check(trial);
      // Of what is still being written, two of three copies have to be seen at a start.
      if (holders(trial, unsealed).filter((disk) => away.includes(disk)).length < 2) {
        await reopen(trial);
        await check(trial);
        starts++;
      }
      for (const disk of away) disk.away = false;
      await reopen(trial);
    }
    assert.ok(starts > 5);
    await close(trial);
  });

  it('says that a block is out of reach, and never that it is not there', async () => {
    const trial = await trialWithSet();
    const shards = layoutOfSet(trial);
    for (const { disk } of shards.slice(0, SHAPE.parity + 1)) disk.away = true;
    let refused = 0;
    for (const id of trial.acknowledged) {
      const reading = trial.store.get(id).then(() => 'read', (error: unknown) => error);
      await trial.settle(reading, 2000);
      const outcome = await reading;
      if (outcome === 'read') continue;
      assert.ok(isKind(outcome, 'unavailable'));
      refused++;
    }
    assert.ok(refused > 0);
    for (const { disk } of shards) disk.away = false;
    trial.restart('kill');
    for (const { disk } of shards.slice(0, SHAPE.parity + 1)) disk.away = true;
    await assert.rejects(open(trial), (error) => isKind(error, 'unavailable'));
  });

  it('computes what is rotten in the only copy, and repair makes that copy anew', async () => {
    const trial = await trialWithSet();
    const { name, disk } = layoutOfSet(trial)[0] as ReturnType<typeof layoutOfSet>[0];
    const sound = disk.files.content(name);
    const bytes = Buffer.from(sound);
    for (let at = 4096; at < bytes.length; at += 200) bytes[at] = (bytes[at] ?? 0) ^ 255;
    disk.files.rot(name, bytes);
    await check(trial);
    await settleSets(trial);
    const now = holders(trial, name);
    assert.equal(now.length, 1);
    assert.ok(now[0]?.files.content(name).equals(sound));
    checkSet(trial);
    await close(trial);
  });
});

describe('repairing erasure sets', () => {
  it('makes lost shards anew elsewhere, and compares those that return', async () => {
    const trial = await trialWithSet();
    const shards = layoutOfSet(trial);
    const lost = [shards[0], shards[SHAPE.data]].map((one) => one?.disk);
    for (const disk of lost) if (disk) disk.away = true;
    await trial.sweep();
    trial.clock.advance(MISSING_MS);
    await trial.sweep();
    await settleSets(trial);
    for (const disk of lost) assert.ok(disk && !layoutNow(trial).includes(disk));
    await check(trial);
    const [first] = shards as [typeof shards[0]];
    const rotten = Buffer.from(first.disk.files.content(first.name));
    rotten[6000] = (rotten[6000] ?? 0) ^ 1;
    first.disk.files.rot(first.name, rotten);
    for (const disk of lost) if (disk) disk.away = false;
    await settleSets(trial);
    checkSet(trial);
    const [home] = holders(trial, first.name);
    assert.ok(home && !home.files.content(first.name).equals(rotten), 'the rotten one is in use');
    await check(trial);
    await close(trial);
  });

  it('waits, and says so, when the shards have no place of their own', async () => {
    const trial = await trialWithSet({ disks: 5 });
    const { disk } = layoutOfSet(trial)[1] as ReturnType<typeof layoutOfSet>[0];
    disk.away = true;
    await trial.sweep();
    trial.clock.advance(MISSING_MS);
    await settleSets(trial);
    assert.match(trial.sets.status().blocked[0]?.reason ?? '', /needs 1 more host/);
    await check(trial);
    disk.away = false;
    await settleSets(trial);
    checkSet(trial);
    assert.deepEqual(trial.sets.status().blocked, []);
    await close(trial);
  });

  it('finds rotten parity after a start, and makes it anew', async () => {
    const trial = await trialWithSet();
    const { name, disk } = layoutOfSet(trial)[SHAPE.data] as ReturnType<typeof layoutOfSet>[0];
    const bytes = Buffer.from(disk.files.content(name));
    bytes[9000] = (bytes[9000] ?? 0) ^ 1;
    disk.files.rot(name, bytes);
    await reopen(trial);
    await settleSets(trial);
    checkSet(trial);
    const [home] = holders(trial, name);
    assert.ok(home && !home.files.content(name).equals(bytes));
    await close(trial);
  });

  it('finds rotten parity within a week, without a start', async () => {
    const trial = await trialWithSet();
    const { name, disk } = layoutOfSet(trial)[SHAPE.data] as ReturnType<typeof layoutOfSet>[0];
    const bytes = Buffer.from(disk.files.content(name));
    bytes[9000] = (bytes[9000] ?? 0) ^ 1;
    disk.files.rot(name, bytes);
    await settleSets(trial);
    assert.ok(disk.files.content(name).equals(bytes), 'nobody has looked');
    trial.clock.advance(7 * 86_400_000);
    await settleSets(trial);
    checkSet(trial);
    const [home] = holders(trial, name);
    assert.ok(home && !home.files.content(name).equals(bytes));
    await check(trial);
    await close(trial);
  });

  it('gives the volumes their copies back when all parity is lost', async () => {
    const trial = await trialWithSet();
    trial.erasure = undefined;
    await reopen(trial);
    for (const { name, disk } of layoutOfSet(trial).slice(SHAPE.data)) disk.files.drop(name);
    await settleSets(trial);
    trial.checkFullCopies();
    assert.deepEqual(setFiles(trial), []);
    await check(trial);
    await close(trial);
  });
});

describe('a volume of an erasure set that is to go', () => {
  it('stays until the set is dissolved, and then it goes', async () => {
    const trial = await trialWithSet();
    trial.erasure = undefined;
    await reopen(trial);
    const names = layoutOfSet(trial).slice(0, SHAPE.data).map(({ name }) => name);
    const volumeId = Number(names[0]?.slice(1, 9));
    const { keeper } = trial.store;
    await trial.settle(keeper.compact(volumeId), 100);
    await assert.rejects(keeper.moveToTrash(volumeId), (error) => isKind(error, 'busy'));
    assert.ok(!trial.disks.some(({ files }) => files.names().some((name) => /\.gone$/.test(name))));
    await settleSets(trial);
    assert.deepEqual(setFiles(trial), []);
    await keeper.moveToTrash(volumeId);
    trial.checkFullCopies();
    await check(trial);
    await close(trial);
  });
});

describe('disks of erasure sets', () => {
  it('are drained of volumes and parity before they are let go', async () => {
    const trial = await trialWithSet();
    const register = await DiskRegister.open('cluster', trial.disks);
    for (const { id, host, files } of trial.disks) {
      const labels = { disk: id, host, rack: 'r', zone: 'z' };
      await register.add(
        { id, labels, where: `/${id}`, state: 'active', addedMs: 0 }, { id, files });
    }
    const disks = trial.administer(register);
    for (const shard of [0, SHAPE.data]) {
      const { disk } = layoutOfSet(trial)[shard] as ReturnType<typeof layoutOfSet>[0];
      const refused = await disks.planRetire(disk.id);
      assert.match(refused.objections.join(), /drain it first/);
      await disks.drain(await disks.planDrain(disk.id));
      disk.state = 'draining';
      await settleSets(trial);
      const plan = await disks.planRetire(disk.id);
      assert.deepEqual(plan.objections, []);
      await disks.retire(plan);
      disk.state = 'retired';
      disk.away = true;
      await settleSets(trial);
      await check(trial);
    }
    await close(trial);
  });
});

async function reopen(trial: ReplicatedTrial): Promise<void> {
  await close(trial);
  trial.restart('kill');
  await open(trial);
}

function trashOf(trial: ReplicatedTrial): string[] {
  return trial.disks.flatMap(({ files }) => files.names().filter((name) => /\.bad-/.test(name)));
}

/** Parity in use, and records. */
function setFiles(trial: ReplicatedTrial): string[] {
  return [...parityFiles(trial), ...trial.disks.flatMap(({ files }) =>
    files.names().filter((name) => name.endsWith('.set')))];
}

function layoutNow(trial: ReplicatedTrial) {
  return trial.disks.filter(({ away, files }) => !away && files.names().some((name) =>
    parityFiles(trial).includes(name)));
}
