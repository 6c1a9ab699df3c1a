// A volume is finished before it is full: because it is old, or because somebody asks for it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { StoreTrial, TINY_VOLUMES } from './testing/store-trial.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

async function opened(seed: number, sealAfterMs = 7 * DAY_MS): Promise<StoreTrial> {
  const trial = new StoreTrial(seed);
  trial.config = { ...TINY_VOLUMES, volumeBytesMax: 1024 ** 2, volumeBlocksMax: 1000, sealAfterMs };
  await trial.open();
  return trial;
}

async function store(trial: StoreTrial, count: number): Promise<void> {
  for (let done = 0; done < count; done++) await trial.tryPut(trial.block(200));
}

/** The numbers of the sealed volumes, once nothing is being sealed any more. */
async function sealed(trial: StoreTrial): Promise<number[]> {
  await trial.store.endDegraded();
  const ids: number[] = [];
  for await (const { volumeId } of trial.store.keeper.listUses()) ids.push(volumeId);
  return ids;
}

describe('a volume that is old', () => {
  it('is sealed though it is not full, and what comes then goes to a fresh one', async () => {
    const trial = await opened(1);
    await store(trial, 3);
    trial.clock.advance(7 * DAY_MS - 1);
    assert.deepEqual(await sealed(trial), []);
    trial.clock.advance(HOUR_MS);
    assert.deepEqual(await sealed(trial), [1]);
    assert.equal(await trial.store.keeper.useOfOpen(), undefined);
    await store(trial, 1);
    assert.equal((await trial.store.keeper.useOfOpen())?.volumeId, 2);
    trial.crash();
    await trial.open();
    await trial.checkPromises();
    assert.deepEqual(trial.findings, []);
  });

  it('counts its age from its first batch, over restarts', async () => {
    const trial = await opened(2);
    await store(trial, 2);
    for (let day = 0; day < 6; day++) {
      trial.clock.advance(DAY_MS);
      await trial.store.close();
      await trial.open();
      await store(trial, 1);
    }
    assert.deepEqual(await sealed(trial), []);
    trial.clock.advance(DAY_MS);
    assert.deepEqual(await sealed(trial), [1]);
    await trial.checkPromises();
  });

  it('is left as it is while it holds nothing, and where that is switched off', async () => {
    const never = await opened(3, 0);
    await store(never, 1);
    const empty = await opened(4);
    let writes = 0;
    empty.files.plan = ({ what }) => (what === 'write' && ++writes === 2 ? 'CRASH' : undefined);
    await empty.settle(empty.tryPut(empty.block(100)));
    empty.kill();
    await empty.open();
    assert.ok(empty.files.names().includes('v00000001.1.hv'));
    for (const trial of [never, empty]) {
      trial.clock.advance(400 * DAY_MS);
      assert.deepEqual(await sealed(trial), []);
      await store(trial, 1);
      assert.equal((await trial.store.keeper.useOfOpen())?.volumeId, 1);
    }
  });

  it('keeps what is stored beside it safe when it cannot be sealed', async () => {
    const trial = await opened(5);
    await store(trial, 3);
    trial.files.plan = ({ what, name }) =>
      (what === 'write' && name.includes('.hv') ? 'EIO' : undefined);
    trial.clock.advance(8 * DAY_MS);
    assert.deepEqual(await sealed(trial), []);
    assert.deepEqual(trial.findings.map(({ kind }) => kind), ['seal-failed']);
    trial.files.plan = () => undefined;
    await store(trial, 1);
    await trial.checkPromises();
    trial.crash();
    await trial.open();
    assert.deepEqual(await sealed(trial), [1], 'the next start seals it');
    await trial.checkPromises();
  });
});

describe('a volume that is asked to be sealed', () => {
  it('is, also in the middle of writes, and none of them is lost', async () => {
    const trial = await opened(6);
    await store(trial, 2);
    const puts = Array.from({ length: 60 }, () => trial.tryPut(trial.block(300)));
    await trial.store.keeper.sealOpen(1);
    assert.deepEqual(await sealed(trial), [1]);
    await Promise.all(puts);
    assert.equal((await trial.store.keeper.useOfOpen())?.volumeId, 2);
    trial.crash();
    await trial.open();
    assert.ok(trial.acknowledged.size >= 62);
    await trial.checkPromises();
  });

  it('can be compacted then: what is in it moves to a fresh one', async () => {
    const trial = await opened(7);
    await store(trial, 4);
    const [gone] = trial.acknowledged;
    assert.ok(gone);
    const census = trial.store.reclaim.beginCensus();
    trial.store.reclaim.condemn(census, [gone]);
    trial.acknowledged.delete(gone);
    const open = await trial.store.keeper.useOfOpen();
    assert.equal(open?.condemnedBytes, 200);
    assert.equal(open.liveBytes, 600);
    await trial.store.keeper.sealOpen(open.volumeId);
    const compaction = await trial.store.keeper.compact(open.volumeId);
    assert.deepEqual([compaction.movedCount, compaction.droppedCount], [3, 1]);
    await trial.store.keeper.moveToTrash(open.volumeId);
    await trial.checkPromises();
  });

  it('is left alone when it is not the open one any more, or holds nothing', async () => {
    const trial = await opened(8);
    await trial.store.keeper.sealOpen(1);
    await store(trial, 1);
    await trial.store.keeper.sealOpen(1);
    await trial.store.keeper.sealOpen(1);
    await trial.store.keeper.sealOpen(2);
    await store(trial, 1);
    assert.deepEqual(await sealed(trial), [1]);
  });

  it('says so when the disk does not take its end', async () => {
    const trial = await opened(9);
    await store(trial, 2);
    trial.files.plan = ({ what, name }) =>
      (what === 'write' && name.includes('.hv') ? 'EIO' : undefined);
    await assert.rejects(trial.store.keeper.sealOpen(1), (error) => isKind(error, 'unavailable'));
    trial.files.plan = () => undefined;
    await trial.checkPromises();
  });
});

describe('a store of which every volume has left', () => {
  it('is the same store after a start, so that a volume can come back', async () => {
    const trial = await opened(10);
    await store(trial, 3);
    const census = trial.store.reclaim.beginCensus();
    trial.store.reclaim.condemn(census, [...trial.acknowledged]);
    await trial.store.keeper.sealOpen(1);
    await trial.store.keeper.compact(1);
    await trial.store.keeper.moveToTrash(1);
    await trial.store.close();
    await trial.open();
    trial.acknowledged.clear();
    await store(trial, 1);
    await trial.store.keeper.restore(1);
    trial.crash();
    await trial.open();
    assert.equal(trial.store.state().blockCount, 4);
    await trial.checkPromises();
  });

  it('is so by what lies in the trash when the note is missing', async () => {
    const trial = await opened(13);
    await store(trial, 1);
    const first = trial.files.content('v00000001.1.hv').subarray(16, 32);
    trial.store.reclaim.condemn(trial.store.reclaim.beginCensus(), [...trial.acknowledged]);
    await trial.store.keeper.sealOpen(1);
    await trial.store.keeper.compact(1);
    await trial.store.keeper.moveToTrash(1);
    trial.files.drop('v00000001.1.gone');
    trial.crash();
    await trial.open();
    await store(trial, 1);
    assert.deepEqual(trial.files.content('v00000002.1.hv').subarray(16, 32), first);
  });

  it('takes no volume of another store out of its trash', async () => {
    const other = await opened(11);
    await store(other, 1);
    await other.store.keeper.sealOpen(1);
    const bytes = other.files.content('v00000001.1.hv');
    const trial = await opened(12);
    await store(trial, 1);
    trial.files.setContent('v00000009.1.hv.trash', bytes);
    await assert.rejects(trial.store.keeper.restore(9), (error) => isKind(error, 'corrupt'));
    trial.files.setContent('v00000001.1.hv.trash', bytes);
    await assert.rejects(trial.store.keeper.restore(1), (error) => isKind(error, 'conflict'));
    trial.crash();
    await trial.open();
    await trial.checkPromises();
  });
});
