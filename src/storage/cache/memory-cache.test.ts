import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import { SeededRandom } from '../../platform/index.ts';
import { MemoryBlockStore } from '../backends/memory/memory-block-store.ts';
import { Block } from '../block.ts';
import { testBlockStore } from '../block-store.conformance.ts';
import { MemoryCache } from './memory-cache.ts';

const LIMITS = { recentBlockBytesMax: 4096, recentBytesMax: 64 * 1024 };

testBlockStore('MemoryCache', async () => new MemoryCache({ behind: new MemoryBlockStore() }));

testBlockStore('MemoryCache with room for almost nothing', async () => new MemoryCache({
  behind: new MemoryBlockStore(), limits: { recentBlockBytesMax: 20_000, recentBytesMax: 9000 },
}));

/** Counts reads that reach it (`read` there is done by `get`), and answers when it may. */
class WatchedStore extends MemoryBlockStore {
  readCount = 0;
  mayAnswer = Promise.resolve();

  override async get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    this.readCount += 1;
    const bytes = await super.get(id, signal);
    await this.mayAnswer;
    return bytes;
  }
}

function makeRig(): { behind: WatchedStore; cache: MemoryCache } {
  const behind = new WatchedStore();
  return { behind, cache: new MemoryCache({ behind, limits: LIMITS }) };
}

function blockOf(sizeBytes: number, seed: number): { block: Block; bytes: Buffer } {
  const bytes = new SeededRandom(seed).bytes(sizeBytes);
  return { block: Block.of([bytes]), bytes };
}

describe('MemoryCache', () => {
  it('answers what was put from memory, whole and in parts', async () => {
    const { behind, cache } = makeRig();
    const { block, bytes } = blockOf(1000, 1);
    await cache.put(block);
    assert.ok((await cache.get(block.id)).equals(bytes));
    assert.ok((await cache.read(block.id, 10, 100)).equals(bytes.subarray(10, 110)));
    assert.equal(behind.readCount, 0);
    assert.deepEqual(cache.counters(), { hits: 2, misses: 0 });
  });

  it('reads from behind once what another has put there', async () => {
    const { behind, cache } = makeRig();
    const { block, bytes } = blockOf(1000, 2);
    await behind.put(block);
    assert.ok((await cache.get(block.id)).equals(bytes));
    assert.ok((await cache.get(block.id)).equals(bytes));
    assert.equal(behind.readCount, 1);
    assert.deepEqual(cache.counters(), { hits: 1, misses: 1 });
  });

  it('keeps no great block, and no part as if it were the whole', async () => {
    const { behind, cache } = makeRig();
    const great = blockOf(5000, 3);
    await cache.put(great.block);
    assert.ok((await cache.get(great.block.id)).equals(great.bytes));
    const small = blockOf(1000, 4);
    await behind.put(small.block);
    assert.ok((await cache.read(small.block.id, 0, 10)).equals(small.bytes.subarray(0, 10)));
    assert.ok((await cache.get(small.block.id)).equals(small.bytes));
    assert.equal(behind.readCount, 3);
  });

  it('keeps nothing that the store behind has refused', async () => {
    const { behind, cache } = makeRig();
    const { block } = blockOf(1000, 5);
    behind.put = () => Promise.reject(new Error('refused'));
    await assert.rejects(cache.put(block), /refused/);
    await assert.rejects(cache.get(block.id), (error) => isKind(error, 'not-found'));
  });

  it('has no block that it was told to forget, even while that was on its way', async () => {
    const { behind, cache } = makeRig();
    const { block } = blockOf(1000, 6);
    await cache.put(block);
    cache.forget(block.id);
    const { promise, resolve } = Promise.withResolvers<void>();
    behind.mayAnswer = promise;
    const late = cache.get(block.id);
    cache.forget(block.id);
    resolve();
    await late;
    await cache.get(block.id);
    assert.equal(behind.readCount, 2);
  });

  it('answers from memory nothing once it is closed, and says so', async () => {
    const { cache } = makeRig();
    const { block } = blockOf(1000, 7);
    await cache.put(block);
    await cache.close();
    await assert.rejects(cache.get(block.id), (error) => isKind(error, 'unavailable'));
    assert.equal(cache.state().refusesWrites, 'closed');
  });
});
