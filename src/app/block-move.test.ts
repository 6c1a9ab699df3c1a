import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import { Block } from '../storage/index.ts';
import { MemoryBlockStore } from '../storage/backends/memory/memory-block-store.ts';
import { countLacking, moveBlocks } from './block-move.ts';

/** Can be spoiled block by block, and counts. */
class SpoiledStore extends MemoryBlockStore {
  readonly errors = new Map<BlockId, HoldfastError>();
  putCount = 0;
  getCount = 0;

  override async put(block: Block): Promise<void> {
    this.putCount += 1;
    await super.put(block);
    this.errors.delete(block.id);
  }

  override async get(id: BlockId): Promise<Buffer> {
    this.getCount += 1;
    const error = this.errors.get(id);
    if (error !== undefined) throw error;
    return super.get(id);
  }
}

const fault = (kind: 'corrupt' | 'unavailable' | 'not-found', code?: string): HoldfastError =>
  new HoldfastError(kind, 'test', 'spoiled', { ...(code !== undefined && { code }) });

describe('moveBlocks', () => {
  const blocks = Array.from({ length: 100 }, (_, at) => Block.of([Buffer.from(`block ${at}`)]));
  let from: SpoiledStore;
  let to: SpoiledStore;
  beforeEach(async () => {
    from = new SpoiledStore();
    to = new SpoiledStore();
    for (const block of blocks) await from.put(block);
  });
  const ids = async (store: MemoryBlockStore) => Array.fromAsync(store.list());
  const [first, second, third] = blocks;
  assert.ok(first && second && third);

  it('copies what lacks, and reads every block at the target, also what was there', async () => {
    for (const block of blocks.slice(0, 40)) await to.put(block);
    await to.put(Block.of([Buffer.from('more')]));
    assert.equal(await countLacking({ from, to }), 60);
    const counts = await moveBlocks({ from, to });
    assert.deepEqual([counts.blockCount, counts.copiedCount, counts.unreadable], [100, 60, []]);
    assert.equal(to.getCount, 100);
    assert.equal(from.getCount, 60);
    assert.equal((await ids(to)).length, 101);
    assert.equal(await countLacking({ from, to }), 0);
  });

  it('can be cut short anywhere and given again, and copies nothing twice', async () => {
    for (let rounds = 0; ; rounds += 1) {
      assert.ok(rounds < 20, 'each round comes further');
      const stop = new AbortController();
      const before = (await ids(to)).length;
      const onProgress = (): void => {
        if (to.state().blockCount >= before + 16) stop.abort(new Error('killed'));
      };
      const done = await moveBlocks({ from, to, onProgress, signal: stop.signal })
        .catch((error: unknown) => error);
      if (!(done instanceof Error)) break;
    }
    assert.equal(to.putCount, blocks.length);
    assert.deepEqual(await ids(to), await ids(from));
  });

  it('writes anew what is damaged at the target', async () => {
    for (const block of blocks) await to.put(block);
    to.errors.set(first.id, fault('corrupt'));
    const counts = await moveBlocks({ from, to });
    assert.deepEqual([counts.copiedCount, counts.unreadable], [1, []]);
    assert.equal(String(await to.get(first.id)), 'block 0');
  });

  it('names what can be read nowhere, and leaves behind what was destroyed', async () => {
    from.errors.set(first.id, fault('corrupt'));
    from.errors.set(second.id, fault('not-found', 'shredded'));
    const counts = await moveBlocks({ from, to });
    assert.deepEqual([counts.unreadable, counts.shreddedCount], [[first.id], 1]);
    assert.equal(counts.blockCount, 100);
  });

  it('does not take an outage for anything else', async () => {
    for (const [store, block] of [[from, first], [to, third]] as const) {
      store.errors.set(block.id, fault('unavailable'));
      if (store === to) await MemoryBlockStore.prototype.put.call(to, block);
      await assert.rejects(moveBlocks({ from, to }), (error) => isKind(error, 'unavailable'));
      store.errors.clear();
    }
  });
});
