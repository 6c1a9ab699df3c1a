import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { testBlockReclaim } from '../../block-reclaim.conformance.ts';
import type { VolumeUse } from '../../volume-reclaim.ts';
import { FaultProxy } from '../testing/fault-proxy.ts';
import { Gatekeeper } from '../testing/gatekeeper.ts';
import { StandInService, STAND_IN_BUCKET, STAND_IN_KEY } from '../testing/stand-in-service.ts';
import type { ObjectBlockStore } from './object-block-store.ts';
import { openS3BlockStore } from './s3-block-store.ts';
import type { S3Options } from './s3-options.ts';
import { QUICK_LIMITS, storeOptions } from './testing/store-options.ts';

let server: StandInService;
before(async () => {
  server = await StandInService.start('amazon');
});
after(() => server.stop());

const at = () => ({ endpoint: server.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY });

async function opened(options: S3Options): Promise<ObjectBlockStore> {
  const store = await openS3BlockStore(options);
  await store.ready();
  return store;
}

testBlockReclaim('S3BlockStore', async () => {
  const store = await opened(storeOptions(at()));
  return { store, reclaim: store.reclaim };
});

describe('ObjectKeeper', () => {
  let options: S3Options;
  let store: ObjectBlockStore;
  let blocks: Block[];
  let removed: BlockId[];
  beforeEach(async (context) => {
    removed = [];
    options = storeOptions(at(), {
      limits: QUICK_LIMITS, onRemoved: (id) => Promise.resolve(void removed.push(id)),
    });
    store = await opened(options);
    if ('after' in context) context.after(() => store.close());
    blocks = Array.from({ length: 6 }, (_, number) => Block.of([Buffer.from(`block ${number}`)]));
    for (const block of blocks) await store.put(block);
  });

  const keysIn = (folder: string): string[] => {
    const prefix = `${options.prefix}${folder}/`;
    return [...server.objects.keys()].filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(-64)).sort();
  };
  const idsOf = (some: readonly Block[]): BlockId[] => some.map(({ id }) => id).sort();

  /** Condemns all blocks but these, and answers what could be compacted. */
  async function condemnAllBut(kept: readonly Block[]): Promise<VolumeUse> {
    const { reclaim, keeper } = store;
    const census = reclaim.beginCensus();
    reclaim.need(census, idsOf(kept));
    for await (const page of reclaim.listUnneeded(census)) {
      reclaim.condemn(census, page.map(({ id }) => id));
    }
    const uses: VolumeUse[] = [];
    for await (const use of keeper.listUses()) uses.push(use);
    assert.equal(uses.length, 1);
    return uses[0] as VolumeUse;
  }

  async function trashed(kept: readonly Block[]): Promise<number> {
    const { volumeId } = await condemnAllBut(kept);
    await store.keeper.compact(volumeId);
    await store.keeper.moveToTrash(volumeId);
    return volumeId;
  }

  it('copies what is condemned to the trash before it takes it away', async () => {
    const kept = blocks.slice(0, 2);
    const gone = blocks.slice(2);
    const use = await condemnAllBut(kept);
    assert.deepEqual([use.recordCount, use.liveBytes, use.sizeBytes], [4, 0, 4 * 7]);
    const done = await store.keeper.compact(use.volumeId);
    assert.deepEqual([done.recordCount, done.droppedCount, done.droppedBytes], [4, 4, 4 * 7]);
    assert.deepEqual(keysIn('trash'), idsOf(gone));
    assert.deepEqual(keysIn('blocks'), idsOf(blocks), 'nothing is gone before its reasons stand');
    assert.deepEqual(removed, []);
    await store.keeper.moveToTrash(use.volumeId);
    assert.deepEqual(keysIn('blocks'), idsOf(kept));
    assert.deepEqual(removed.sort(), idsOf(gone));
    const wanted = [{ volumeId: use.volumeId, sizeBytes: 4 * 7 }];
    assert.deepEqual(await store.keeper.listTrash(), wanted);
    assert.equal(store.state().blockCount, 2);
    for (const { id } of gone) assert.equal(await store.find(id), undefined);
    for (const { id } of kept) assert.ok(await store.get(id));
  });

  it('leaves alone what is needed again, at every step', async () => {
    const [early, late, ...rest] = blocks;
    assert.ok(early && late);
    const { volumeId } = await condemnAllBut([]);
    await store.put(early);
    const done = await store.keeper.compact(volumeId);
    assert.equal(done.droppedCount, 5);
    await store.put(late);
    assert.equal(store.reclaim.claim().add(late.id), true);
    await store.keeper.moveToTrash(volumeId);
    assert.deepEqual(keysIn('blocks'), idsOf([early, late]));
    assert.deepEqual(keysIn('trash'), idsOf([late, ...rest]));
    assert.equal((await store.get(late.id)).toString(), 'block 1');
  });

  it('does not remove an object that a put under way relies upon', async () => {
    const gate = await Gatekeeper.start(server.url);
    await store.close();
    store = await opened({ ...options, endpoint: gate.url });
    try {
      const { volumeId } = await condemnAllBut(blocks.slice(1));
      await store.keeper.compact(volumeId);
      const [block] = blocks;
      assert.ok(block);
      const asked = gate.hold('HEAD');
      const put = store.put(block);
      const letGo = await asked; // The service has said that the object is there.
      await store.keeper.moveToTrash(volumeId);
      letGo();
      await put;
      assert.ok(keysIn('blocks').includes(block.id), 'acknowledged and there');
    } finally {
      await store.close();
      await gate.close();
    }
  });

  it('lets a put wait until the removal of its object has ended', async () => {
    const gate = await Gatekeeper.start(server.url);
    await store.close();
    store = await opened({ ...options, endpoint: gate.url });
    try {
      const { volumeId } = await condemnAllBut(blocks.slice(1));
      await store.keeper.compact(volumeId);
      const [block] = blocks;
      assert.ok(block);
      const asked = gate.hold('DELETE', 'before');
      const moving = store.keeper.moveToTrash(volumeId);
      const letGo = await asked; // The removal is on its way and not done.
      assert.equal(store.reclaim.claim().add(block.id), false, 'it has to be put');
      let isPut = false;
      const put = store.put(block).then(() => {
        isPut = true;
      });
      // Another block's put takes as many steps, so this one would be through by then.
      await store.put(Block.of([Buffer.from('another')]));
      assert.equal(isPut, false);
      letGo();
      await Promise.all([put, moving]);
      assert.ok(keysIn('blocks').includes(block.id), 'acknowledged and there');
    } finally {
      await store.close();
      await gate.close();
    }
  });

  it('takes no block for a while of which nobody knows whether it will still vanish', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    await store.close();
    store = await opened({ ...options, endpoint: proxy.url });
    try {
      const { volumeId } = await condemnAllBut(blocks.slice(3));
      await store.keeper.compact(volumeId);
      proxy.spoil({ fault: 'lost-answer', method: 'DELETE', times: 1 });
      const moving = store.keeper.moveToTrash(volumeId);
      await assert.rejects(moving, (error) => isKind(error, 'unavailable'));
      const asked = proxy.seen.filter((line) => line.startsWith('DELETE'));
      assert.equal(asked.length, 1);
      const doubtful = blocks.find(({ id }) => asked[0]?.endsWith(id));
      assert.ok(doubtful);
      await assert.rejects(store.put(doubtful), (error) => isKind(error, 'busy'));
      assert.ok(keysIn('trash').includes(doubtful.id));
      assert.equal(store.state().blockCount, 5, 'the others are blocks of the store again');
      const next = await condemnAllBut(blocks.slice(3));
      assert.equal(next.recordCount, 2);
    } finally {
      await store.close();
      await proxy.close();
    }
  });

  it('puts back what turns out to be needed, and says so', async () => {
    const volumeId = await trashed(blocks.slice(0, 1));
    const [, needed, again, ...dead] = blocks;
    assert.ok(needed && again);
    await store.put(again);
    const inspection = await store.keeper.inspectTrash([volumeId]);
    inspection.need([needed.id, again.id, idsOf(blocks.slice(0, 1))[0] as BlockId]);
    assert.deepEqual(await inspection.finish(), [{
      volumeId, recordCount: 5, elsewhereCount: 1, deadCount: dead.length, rescuedCount: 1,
    }]);
    assert.equal((await store.get(needed.id)).toString(), 'block 1');
  });

  it('does not take a damaged block for one that is elsewhere', async () => {
    const volumeId = await trashed(blocks.slice(1));
    const [block] = blocks;
    assert.ok(block);
    await store.put(block);
    const stored = server.objects.get(`${options.prefix}blocks/${block.id}`);
    assert.ok(stored);
    stored.bytes = Buffer.from('block ?');
    const inspection = await store.keeper.inspectTrash([volumeId]);
    inspection.need([block.id]);
    const [result] = await inspection.finish();
    assert.deepEqual([result?.elsewhereCount, result?.rescuedCount], [0, 1]);
    assert.equal((await store.get(block.id)).toString(), 'block 0');
  });

  it('restores a batch whole, and erases another for ever', async () => {
    const restored = await trashed(blocks.slice(3));
    await store.keeper.restore(restored);
    assert.deepEqual(keysIn('blocks'), idsOf(blocks));
    assert.deepEqual(await store.keeper.listTrash(), []);
    const erased = await trashed(blocks.slice(1));
    assert.ok(erased > restored, 'no number comes twice');
    await store.keeper.unlink(erased);
    assert.deepEqual(keysIn('trash'), []);
    for (const act of ['restore', 'unlink'] as const) {
      await assert.rejects(store.keeper[act](erased), (error) => isKind(error, 'not-found'));
    }
  });

  it('knows blocks and trash again after a start, and condemns nothing by itself', async () => {
    const volumeId = await trashed(blocks.slice(2));
    await store.close();
    store = await opened({ ...options, whenEmpty: 'refuse' });
    assert.equal(store.state().blockCount, 4);
    assert.equal(store.reclaim.state().condemnedCount, 0);
    assert.deepEqual((await store.keeper.listTrash()).map((one) => one.volumeId), [volumeId]);
    const claim = store.reclaim.claim();
    assert.deepEqual(blocks.map(({ id }) => claim.add(id)), [false, false, true, true, true, true]);
  });

  it('changes nothing when the copies cannot be made', async () => {
    const proxy = await FaultProxy.start(server.url, systemClock);
    await store.close();
    store = await opened({ ...options, endpoint: proxy.url });
    try {
      const { volumeId } = await condemnAllBut([]);
      let puts = 0;
      proxy.spoil({ fault: 'error-500', path: /trash/, method: 'PUT' });
      await assert.rejects(store.keeper.compact(volumeId, { pace: () => {
        puts += 1;
        return Promise.resolve();
      } }), (error) => isKind(error, 'unavailable'));
      assert.ok(puts > 0);
      assert.equal(store.state().blockCount, blocks.length);
      assert.deepEqual(keysIn('blocks'), idsOf(blocks));
    } finally {
      await store.close();
      await proxy.close();
    }
  });

  it('takes an emptied bucket for an outage, not for an empty trash', async () => {
    await trashed(blocks.slice(2));
    for (const key of server.objects.keys()) {
      if (key.startsWith(options.prefix ?? '')) server.objects.delete(key);
    }
    await assert.rejects(store.keeper.listTrash(), (error) => isKind(error, 'unavailable'));
  });
});
