import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { StoreTrial } from './testing/store-trial.ts';
import type { Compaction, VolumeUse } from '../../volume-reclaim.ts';

async function opened(seed: number, puts = 120): Promise<StoreTrial> {
  const trial = new StoreTrial(seed);
  await trial.open();
  await trial.work(puts);
  return trial;
}

async function usesOf(trial: StoreTrial): Promise<VolumeUse[]> {
  const uses: VolumeUse[] = [];
  for await (const use of trial.store.keeper.listUses()) uses.push(use);
  return uses;
}

/** Condemns about this share of all blocks, and forgets that they were acknowledged. */
function condemn(trial: StoreTrial, share: number): Set<BlockId> {
  const { reclaim } = trial.store;
  const census = reclaim.beginCensus();
  const ids = [...trial.acknowledged].filter(() => trial.random.chance(share));
  const condemned = new Set(reclaim.condemn(census, ids));
  assert.equal(condemned.size, ids.length);
  for (const id of condemned) trial.acknowledged.delete(id);
  return condemned;
}

async function compactFirst(trial: StoreTrial): Promise<Compaction> {
  const [first] = await usesOf(trial);
  assert.ok(first);
  return trial.store.keeper.compact(first.volumeId);
}

describe('VolumeKeeper', () => {
  it('counts each record of a sealed volume as live, condemned or elsewhere', async () => {
    const trial = await opened(1);
    condemn(trial, 0.4);
    const uses = await usesOf(trial);
    assert.ok(uses.length > 2);
    for (const use of uses) {
      const { recordBytes, liveBytes, condemnedBytes, elsewhereBytes } = use;
      assert.equal(recordBytes, liveBytes + condemnedBytes + elsewhereBytes);
      assert.equal(use.createdMs, trial.clock.now());
    }
    assert.ok(uses.some(({ condemnedCount }) => condemnedCount > 0));
  });

  it('empties a volume, moves it to the trash and loses nothing that is needed', async () => {
    const trial = await opened(2);
    const condemned = condemn(trial, 0.4);
    const compaction = await compactFirst(trial);
    const { movedCount, elsewhereCount, droppedCount, recordCount, volumeId } = compaction;
    assert.ok(movedCount > 0 && droppedCount > 0);
    assert.equal(movedCount + elsewhereCount + droppedCount, recordCount);
    await trial.store.keeper.moveToTrash(volumeId);
    assert.deepEqual((await trial.store.keeper.listTrash()).map((one) => one.volumeId), [volumeId]);
    for (const id of trial.acknowledged) {
      assert.ok((await trial.store.get(id)).equals(trial.put.get(id) as Buffer));
    }
    let gone = 0;
    for (const id of condemned) if ((await trial.store.find(id)) === undefined) gone++;
    assert.equal(gone, droppedCount);
    const listed: BlockId[] = [];
    for await (const id of trial.store.list()) listed.push(id);
    assert.equal(listed.length, trial.store.state().blockCount);
  });

  it('opens again with a volume in the trash, and with one that is gone', async () => {
    const trial = await opened(3);
    trial.noteWitness(trial.store);
    condemn(trial, 0.3);
    const { volumeId } = await compactFirst(trial);
    await trial.store.keeper.moveToTrash(volumeId);
    trial.crash();
    await trial.open();
    assert.deepEqual((await trial.store.keeper.listTrash()).map((one) => one.volumeId), [volumeId]);
    await trial.checkPromises();
    await trial.store.keeper.unlink(volumeId);
    assert.deepEqual(await trial.store.keeper.listTrash(), []);
    trial.crash();
    await trial.open();
    await trial.checkPromises();
    assert.deepEqual(trial.findings, []);
    await trial.work(30);
    assert.ok(!trial.files.names().some((name) => name.startsWith('v00000001.1.hv')));
  });

  it('misses a volume that left without a word', async () => {
    const trial = await opened(4);
    condemn(trial, 0.3);
    const { volumeId } = await compactFirst(trial);
    await trial.store.keeper.moveToTrash(volumeId);
    await trial.store.keeper.unlink(volumeId);
    trial.files.drop('v00000001.1.gone');
    trial.crash();
    trial.witness = [];
    await trial.open();
    assert.deepEqual(trial.findings.map(({ kind }) => kind), ['volume-gap']);
    trial.crash();
    trial.witness = [[volumeId, 4096]];
    await assert.rejects(trial.open(), (error) => isKind(error, 'corrupt'));
  });

  it('keeps a block that somebody claims while its volume is compacted', async () => {
    const trial = await opened(5);
    const condemned = condemn(trial, 1);
    const { reclaim, keeper } = trial.store;
    const [first] = await usesOf(trial);
    assert.ok(first);
    const claimed: BlockId[] = [];
    const claim = reclaim.claim();
    await keeper.compact(first.volumeId, {
      // Between the condemnation and the drop.
      pace: () => {
        for (const id of condemned) if (trial.random.chance(0.3) && claim.add(id)) claimed.push(id);
        return Promise.resolve();
      },
    });
    await keeper.moveToTrash(first.volumeId);
    assert.ok(claimed.length > 0);
    for (const id of claimed) await trial.store.get(id);
  });

  it('does not let a volume go that is still relied upon', async () => {
    const trial = await opened(6);
    const move = trial.store.keeper.moveToTrash(1);
    await assert.rejects(move, (error) => isKind(error, 'conflict'));
    await assert.rejects(trial.store.keeper.unlink(1), (error) => isKind(error, 'not-found'));
    await trial.checkPromises();
  });

  it('leaves a volume alone in which a needed block is damaged', async () => {
    const trial = await opened(7);
    const name = 'v00000001.1.hv';
    const bytes = Buffer.from(trial.files.content(name));
    bytes[4096 + 64] = (bytes[4096 + 64] as number) ^ 1;
    trial.files.setContent(name, bytes);
    await assert.rejects(trial.store.keeper.compact(1), (error) => isKind(error, 'corrupt'));
    await assert.rejects(trial.store.keeper.moveToTrash(1), (error) => isKind(error, 'conflict'));
    assert.ok(trial.files.content(name).equals(bytes));
    assert.deepEqual(new Set(trial.findings.map(({ kind }) => kind)), new Set(['damaged-block']));
  });

  it('does not trust a copy that reads back wrong', async () => {
    const trial = await opened(8);
    trial.files.plan = ({ what, name }) => {
      if (what === 'open' && name.endsWith('.hv') && name !== 'v00000001.1.hv') {
        const copy = Buffer.from(trial.files.content(name));
        for (let at = 4096; at < copy.length; at++) copy[at] = (copy[at] as number) ^ 0xff;
        trial.files.setContent(name, copy);
      }
      return undefined;
    };
    await assert.rejects(trial.store.keeper.compact(1), (error) => isKind(error, 'corrupt'));
    trial.files.plan = () => undefined;
    await assert.rejects(trial.store.keeper.moveToTrash(1), (error) => isKind(error, 'conflict'));
  });

  it('reads another record of a block when the one it knows is bad', async () => {
    const trial = await opened(9);
    const [first] = await usesOf(trial);
    assert.ok(first);
    await trial.store.keeper.compact(first.volumeId);
    // A younger volume has copies now; it decays, and the old one is still there.
    const names = trial.files.names().filter((name) => name.endsWith('.hv'));
    const last = names.at(-1) as string;
    const bytes = Buffer.from(trial.files.content(last));
    for (let at = 4096 + 64; at < bytes.length; at += 128) bytes[at] = (bytes[at] as number) ^ 1;
    trial.files.setContent(last, bytes);
    let rescued = 0;
    for (const id of trial.acknowledged) {
      try {
        assert.ok((await trial.store.get(id)).equals(trial.put.get(id) as Buffer));
        rescued++;
      } catch (error) {
        assert.ok(isKind(error, 'corrupt'));
      }
    }
    assert.ok(rescued >= trial.acknowledged.size - 40 + first.recordCount / 2);
    const move = trial.store.keeper.moveToTrash(first.volumeId);
    await assert.rejects(move, (error) => isKind(error, 'conflict'), 'it is needed again');
  });

  it('takes a volume back from the trash, with everything that was dropped', async () => {
    const trial = await opened(10);
    const condemned = condemn(trial, 0.5);
    const { volumeId, droppedCount } = await compactFirst(trial);
    await trial.store.keeper.moveToTrash(volumeId);
    const before = trial.store.state().blockCount;
    await trial.store.keeper.restore(volumeId);
    assert.equal(trial.store.state().blockCount, before + droppedCount);
    for (const id of condemned) await trial.store.get(id);
    trial.crash();
    await trial.open();
    await trial.checkPromises();
    for (const id of condemned) await trial.store.get(id);
    assert.deepEqual(trial.findings, []);
    const again = trial.store.keeper.restore(volumeId);
    await assert.rejects(again, (error) => isKind(error, 'not-found'));
  });

  it('justifies each record in the trash, and stores again what is needed after all', async () => {
    const trial = await opened(11);
    const condemned = condemn(trial, 0.5);
    const { volumeId, recordCount, droppedCount } = await compactFirst(trial);
    await trial.store.keeper.moveToTrash(volumeId);
    const { keeper } = trial.store;
    const innocent = await keeper.inspectTrash([volumeId]);
    innocent.need([...trial.acknowledged]);
    assert.deepEqual(await innocent.finish(), [{
      volumeId, recordCount, elsewhereCount: recordCount - droppedCount, deadCount: droppedCount,
      rescuedCount: 0,
    }]);
    const needed: BlockId[] = [];
    for (const id of condemned) {
      if ((await trial.store.find(id)) === undefined && needed.length < 3) needed.push(id);
    }
    const guilty = await keeper.inspectTrash([volumeId]);
    guilty.need(needed);
    const [found] = await guilty.finish();
    assert.equal(found?.rescuedCount, 3);
    assert.equal(found.deadCount, droppedCount - 3);
    for (const id of needed) {
      assert.ok((await trial.store.get(id)).equals(trial.put.get(id) as Buffer));
    }
    await assert.rejects(keeper.inspectTrash([99]), (error) => isKind(error, 'not-found'));
  });
});
