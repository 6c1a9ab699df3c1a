/** Two web nodes, each with a store of its own on one bucket: neither loses what both need. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import type { BlockClaim } from '../../block-reclaim.ts';
import { MemoryLeavingList } from '../../shared/stores/memory/memory-leaving-list.ts';
import type { ObjectBlockStore } from './object-block-store.ts';
import { openS3BlockStore } from './s3-block-store.ts';
import { S3rver, S3RVER_BUCKET, S3RVER_KEY } from './testing/s3rver.ts';
import { QUICK_LIMITS, storeOptions } from './testing/store-options.ts';

let server: S3rver;
before(async () => {
  server = await S3rver.start();
});
after(() => server.stop());

/** A bucket with two nodes, and what files refer to. */
class World {
  readonly list = new MemoryLeavingList(systemClock);
  /** What each node has told last. */
  readonly quiet = [0, 0];
  readonly files = new Map<number, BlockId>();
  readonly nodes: ObjectBlockStore[] = [];
  mayCollect = true;
  #lastFile = 0;

  static async open(): Promise<World> {
    const world = new World();
    const at = { endpoint: server.url, bucket: S3RVER_BUCKET, credentials: S3RVER_KEY };
    const options = storeOptions(at, {
      limits: { ...QUICK_LIMITS, operationTimeoutMs: 30_000 },
      sharing: {
        list: world.list, isHeard: () => true,
        quietRound: async () => Math.min(...world.quiet),
        permit: async () => {
          if (!world.mayCollect) throw new Error('another node collects');
        },
      },
    });
    for (const whenEmpty of ['create', 'refuse'] as const) {
      const store = await openS3BlockStore({ ...options, whenEmpty });
      await store.ready();
      world.nodes.push(store);
    }
    return world;
  }

  node(at: number): ObjectBlockStore {
    return this.nodes[at] as ObjectBlockStore;
  }

  async beat(at: number): Promise<void> {
    const { leaving, reclaim } = this.node(at);
    await leaving?.refresh();
    this.quiet[at] = reclaim.quietRound;
  }

  commit(id: BlockId): number {
    this.#lastFile += 1;
    this.files.set(this.#lastFile, id);
    return this.#lastFile;
  }

  /** A census, and what it condemns goes to the trash as far as it may. */
  async collect(at: number): Promise<number> {
    const { reclaim, keeper } = this.node(at);
    await reclaim.prepare();
    const census = reclaim.beginCensus();
    const unknown = reclaim.need(census, [...this.files.values()]);
    const absent = await reclaim.lookFor(unknown);
    const lost = absent.filter((id) => [...this.files.values()].includes(id));
    assert.deepEqual(lost, [], 'a census meets everything that is referred to');
    for await (const page of reclaim.listUnneeded(census)) {
      reclaim.condemn(census, page.map(({ id }) => id));
    }
    const batches: number[] = [];
    for await (const { volumeId } of keeper.listUses()) batches.push(volumeId);
    for (const batch of batches) {
      try {
        await keeper.compact(batch);
        await keeper.moveToTrash(batch);
      } catch (error) {
        if (!isKind(error, 'conflict')) throw error; // All of it is needed again.
      }
    }
    return batches.length;
  }

  /** Everything that is referred to is there, whoever asks. */
  async check(): Promise<void> {
    for (const node of this.nodes) {
      for (const [file, id] of [...this.files]) {
        const isThere = await node.find(id) !== undefined;
        assert.ok(isThere || !this.files.has(file), `${id} of file ${file} is gone`);
      }
    }
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node.close();
  }
}

const BLOCKS = Array.from({ length: 5 }, (_, at) => Block.of([Buffer.from(`block ${at}`)]));

describe('two nodes on one bucket', () => {
  const [block] = BLOCKS as [Block];
  let world: World;
  beforeEach(async (context) => {
    world = await World.open();
    if ('after' in context) context.after(() => world.close());
  });

  const beats = async (): Promise<void> => {
    await world.beat(0);
    await world.beat(1);
  };

  it('find what the other one has stored', async () => {
    await world.node(1).put(block);
    world.commit(block.id);
    assert.ok(await world.node(0).get(block.id));
    const claim = world.node(0).reclaim.claim();
    assert.equal(await claim.hold(block.id), true);
    claim.release();
    await world.collect(0);
    await world.check();
  });

  it('remove garbage of both, one collection after it was announced', async () => {
    await world.node(1).put(block);
    assert.equal(await world.collect(0), 0);
    assert.ok(await world.node(1).find(block.id));
    assert.equal(await world.collect(0), 0, 'not all nodes know of it');
    await beats();
    assert.equal(await world.collect(0), 1);
    assert.equal(await world.node(1).find(block.id), undefined);
    await world.node(1).put(block);
    world.commit(block.id);
    await world.check();
  });

  it('leave alone what somebody has claimed before he heard of its end', async () => {
    await world.node(0).put(block);
    const claim = world.node(1).reclaim.claim();
    claim.add(block.id);
    await world.node(1).put(block);
    for (let time = 0; time < 3; time += 1) {
      assert.equal(await world.collect(0), 0);
      await beats();
    }
    world.commit(block.id);
    claim.release();
    await beats();
    await world.collect(0);
    await world.check();
  });

  it('leave alone what somebody has stored again after he heard of its end', async () => {
    await world.node(0).put(block);
    await world.collect(0);
    await beats();
    const claim = world.node(1).reclaim.claim();
    await world.node(1).put(block);
    await beats();
    await world.collect(0);
    world.commit(block.id);
    claim.release();
    await world.check();
  });

  it('store anew what is just being removed, once it has gone', async () => {
    await world.node(0).put(block);
    await world.collect(0);
    await beats();
    const round = await world.list.readRound();
    assert.deepEqual(await world.list.take('store-under-test', [block.id], round), [block.id]);
    let isStored = false;
    const put = world.node(1).put(block).then(() => {
      isStored = true;
    });
    await world.node(0).find(block.id);
    assert.equal(isStored, false);
    await world.list.left('store-under-test', [block.id]);
    await put;
    assert.ok(await world.node(0).find(block.id));
  });

  it('remove nothing when another one collects meanwhile', async () => {
    await world.node(0).put(block);
    await world.collect(0);
    await beats();
    world.mayCollect = false;
    await assert.rejects(world.collect(0), /another node collects/);
    assert.ok(await world.node(1).find(block.id));
    world.mayCollect = true;
    assert.equal(await world.collect(0), 0, 'it is announced anew');
    await beats();
    assert.equal(await world.collect(0), 1);
    assert.equal(await world.node(1).find(block.id), undefined);
  });

  it('lose nothing, whatever they do at the same time', async () => {
    let removedCount = 0;
    const work = fc.array(fc.record({
      node: fc.nat(1), block: fc.nat(BLOCKS.length - 1),
      deed: fc.constantFrom('upload', 'upload', 'join', 'purge', 'purge', 'beat', 'rest'),
    }), { minLength: 30, maxLength: 60 });
    await fc.assert(fc.asyncProperty(work, fc.nat(1), async (deeds, collector) => {
      const shared = await World.open();
      try {
        const lanes = [deeds.filter((_, at) => at % 2 === 0), deeds.filter((_, at) => at % 2 > 0)];
        let isOver = false;
        const collecting = (async () => {
          while (!isOver) removedCount += await shared.collect(collector);
        })();
        const beating = (async () => {
          for (; !isOver; await new Promise(setImmediate)) {
            await shared.beat(0);
            await shared.beat(1);
          }
        })();
        const playing = lanes.map(async (lane) => {
          for (const deed of lane) await play(shared, deed);
        });
        await Promise.all(playing).finally(() => {
          isOver = true;
        });
        await Promise.all([collecting, beating]);
        await shared.check();
      } finally {
        await shared.close();
      }
    }), { numRuns: 4 });
    assert.ok(removedCount > 0, 'something was removed, or this proves nothing');
  });
});

async function play(
  world: World, { deed, node, block: number }: { deed: string; node: number; block: number },
): Promise<void> {
  const store = world.node(node);
  const block = BLOCKS[number] as Block;
  if (deed === 'beat') return world.beat(node);
  if (deed === 'purge') {
    for (const [file, id] of world.files) if (id === block.id) world.files.delete(file);
    return undefined;
  }
  if (deed === 'rest') {
    await store.find(block.id);
    return undefined;
  }
  const source = [...world.files.values()].includes(block.id);
  const claim = store.reclaim.claim();
  try {
    if (!(await relyOn(store, { block, claim, isThere: deed === 'join' && source }))) return;
    // As a slow client does: others have their turn before the commit.
    for (let turn = 0; turn < 3; turn += 1) await store.find(block.id);
    const file = world.commit(block.id);
    claim.release();
    const isThere = await store.find(block.id) !== undefined;
    assert.ok(isThere || !world.files.has(file), `${block.id} is gone, right after it was stored`);
  } finally {
    claim.release();
  }
}

async function relyOn(
  store: ObjectBlockStore,
  { block, claim, isThere }: { block: Block; claim: BlockClaim; isThere: boolean },
): Promise<boolean> {
  if (isThere) return claim.hold(block.id);
  claim.add(block.id);
  await store.put(block);
  return true;
}
