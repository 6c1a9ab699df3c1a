import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import { ManualClock, SeededRandom, systemClock } from '../../platform/index.ts';
import { MemoryBlockStore } from '../backends/memory/memory-block-store.ts';
import { Block } from '../block.ts';
import { testBlockStore } from '../block-store.conformance.ts';
import { SEGMENT_BYTES } from '../block-store.ts';
import { BlockSealer } from '../sealing/block-sealer.ts';
import { KeyRing } from '../sealing/key-ring.ts';
import { diskBytesOf, entryBytesOf } from './cache-entry.ts';
import type { CacheLimits } from './cache-limits.ts';
import { DiskCache } from './disk-cache.ts';
import { failure, MemoryCacheFiles } from './testing/memory-cache-files.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-cache-'));
after(() => rm(root, { recursive: true, force: true }));
let folderCount = 0;
function newFolder(): string {
  folderCount += 1;
  return join(root, `cache-${folderCount}`);
}

testBlockStore('DiskCache in a folder', () => {
  const behind = new MemoryBlockStore();
  return DiskCache.open({ behind, folder: newFolder(), clock: systemClock });
});

testBlockStore('DiskCache with room for almost nothing', () => {
  const limits = { bytesMax: 9000, blocksMax: 3, fillBytesMax: 2000 };
  const behind = new MemoryBlockStore();
  return DiskCache.open({ behind, folder: newFolder(), clock: systemClock, limits });
});

testBlockStore('DiskCache on a disk that refuses everything', () => {
  const files = new MemoryCacheFiles();
  files.onCall = () => {
    throw failure('EIO');
  };
  const behind = new MemoryBlockStore();
  return DiskCache.open({ behind, folder: '', clock: systemClock, files });
});

const RING = KeyRing.create(Buffer.alloc(32, 'master'), 'default', 1);
const SEALER = new BlockSealer({ compression: 'off', keys: RING });

testBlockStore('DiskCache that encrypts', () => {
  const behind = new MemoryBlockStore();
  return DiskCache.open({ behind, folder: newFolder(), clock: systemClock, sealer: SEALER });
});

/** A store that counts and can be held up. */
class WatchedStore extends MemoryBlockStore {
  getCount = 0;
  activeMax = 0;
  signals: (AbortSignal | undefined)[] = [];
  hold: Promise<void> | undefined;
  #active = 0;

  override async get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    this.getCount += 1;
    this.signals.push(signal);
    this.#active += 1;
    this.activeMax = Math.max(this.activeMax, this.#active);
    try {
      await this.hold;
      return await super.get(id, signal);
    } finally {
      this.#active -= 1;
    }
  }
}

interface Rig {
  behind: WatchedStore;
  files: MemoryCacheFiles;
  clock: ManualClock;
  cache: DiskCache;
}

async function makeRig(limits: Partial<CacheLimits> = {}, cachesPuts = true): Promise<Rig> {
  const behind = new WatchedStore();
  const files = new MemoryCacheFiles();
  const clock = new ManualClock(1_000_000);
  const cache = await DiskCache.open({ behind, files, clock, limits, folder: '', cachesPuts });
  return { behind, files, clock, cache };
}

function blockOf(sizeBytes: number, seed: number): { block: Block; bytes: Buffer } {
  const bytes = new SeededRandom(seed).bytes(sizeBytes);
  return { block: Block.of([bytes]), bytes };
}

/** Until everything that was to be cached is. */
async function filled(cache: DiskCache, count: number): Promise<void> {
  const until = performance.now() + 60_000;
  while (performance.now() < until) {
    const { fills, skippedFills, failedFills } = cache.counters();
    if (fills + skippedFills + failedFills >= count) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`not ${count} blocks were cached: ${JSON.stringify(cache.counters())}`);
}

describe('DiskCache answers from its folder', () => {
  it('reads a block from behind once, and after that from the cache', async () => {
    const { behind, cache } = await makeRig({}, false);
    const { block, bytes } = blockOf(3 * SEGMENT_BYTES + 5, 1);
    await cache.put(block);
    assert.equal(cache.counters().fills, 0);
    assert.ok((await cache.get(block.id)).equals(bytes));
    await filled(cache, 1);
    assert.ok((await cache.get(block.id)).equals(bytes));
    const part = await cache.read(block.id, SEGMENT_BYTES - 1, SEGMENT_BYTES + 2);
    assert.ok(part.equals(bytes.subarray(SEGMENT_BYTES - 1, 2 * SEGMENT_BYTES + 1)));
    assert.equal(behind.getCount, 1);
    const { hits, misses, hitBytes } = cache.counters();
    assert.deepEqual({ hits, misses }, { hits: 2, misses: 1 });
    assert.equal(hitBytes, bytes.length + SEGMENT_BYTES + 2);
  });

  it('still reads what it has when the store behind is unavailable', async () => {
    const { behind, cache } = await makeRig();
    const { block, bytes } = blockOf(1000, 2);
    await cache.put(block);
    await filled(cache, 1);
    await behind.close();
    assert.ok((await cache.get(block.id)).equals(bytes));
    const other = cache.get(blockOf(10, 3).block.id);
    await assert.rejects(other, (error) => isKind(error, 'unavailable'));
  });

  it('takes over after a restart what was cached, and evicts the oldest of it first', async () => {
    const folder = newFolder();
    const behind = new WatchedStore();
    const options = { behind, folder, clock: systemClock };
    const first = await DiskCache.open(options);
    const blocks = [4, 5, 6].map((seed) => blockOf(1000, seed));
    for (const { block } of blocks) await first.put(block);
    await filled(first, 3);
    const bytesMax = 3 * diskBytesOf(1000);
    const second = await DiskCache.open({ ...options, limits: { bytesMax } });
    assert.equal(second.counters().blockCount, 3);
    assert.equal(second.counters().storedBytes, bytesMax);
    for (const { block, bytes } of blocks) assert.ok((await second.get(block.id)).equals(bytes));
    assert.equal(behind.getCount, 0);
    const third = await DiskCache.open({ ...options, limits: { bytesMax: bytesMax - 1 } });
    assert.equal(third.counters().blockCount, 2, 'a smaller cap holds from the start');
    await third.get(blocks[0]?.block.id ?? assert.fail());
    assert.equal(behind.getCount, 1, 'the oldest had to go');
  });

  it('leaves the files of others in its folder alone, and removes its own drafts', async () => {
    const folder = newFolder();
    const behind = new MemoryBlockStore();
    const options = { behind, folder, clock: systemClock };
    await DiskCache.open(options);
    const draft = `${'a'.repeat(64)}-10-1.block.draft`;
    for (const name of ['letter.txt', 'x.draft', draft]) await writeFile(join(folder, name), 'x');
    await DiskCache.open(options);
    assert.deepEqual((await readdir(folder)).sort(), ['letter.txt', 'x.draft']);
  });
});

describe('DiskCache serves no wrong byte', () => {
  it('drops an entry in which any byte has changed, and reads from behind', async () => {
    const { block, bytes } = blockOf(SEGMENT_BYTES + 200, 7);
    const entryBytes = entryBytesOf(bytes.length);
    const places = [0, 8, 12, 20, 50, 57, 100, SEGMENT_BYTES + 60, entryBytes - 1];
    for (const how of ['get', 'read'] as const) {
      for (const at of places) {
        const { behind, files, cache } = await makeRig();
        await cache.put(block);
        await filled(cache, 1);
        const [entry] = files.files.values();
        assert.ok(entry !== undefined && entry.length === entryBytes);
        entry[at] = (entry[at] ?? 0) ^ 0x10;
        const read = how === 'get'
          ? await cache.get(block.id)
          : await cache.read(block.id, 0, bytes.length);
        assert.ok(read.equals(bytes), `${how} at ${at}`);
        assert.deepEqual([cache.counters().bad, behind.getCount], [1, 1], `${how} at ${at}`);
        await filled(cache, 2);
        assert.ok((await cache.get(block.id)).equals(bytes));
        assert.equal(behind.getCount, 1, 'it was cached anew');
      }
    }
  });

  it('drops an entry that was cut short anywhere, and reads from behind', async () => {
    const { block, bytes } = blockOf(SEGMENT_BYTES + 200, 8);
    for (const sizeBytes of [0, 1, 47, 55, 56, 5000, SEGMENT_BYTES + 56, SEGMENT_BYTES + 255]) {
      const { behind, files, cache } = await makeRig();
      await cache.put(block);
      await filled(cache, 1);
      for (const [name, entry] of files.files) files.files.set(name, entry.subarray(0, sizeBytes));
      const part = await cache.read(block.id, SEGMENT_BYTES - 1, 201);
      assert.ok(part.equals(bytes.subarray(SEGMENT_BYTES - 1)), `${sizeBytes}`);
      assert.deepEqual([cache.counters().bad, behind.getCount], [1, 1], `${sizeBytes}`);
    }
  });

  it('does not take one block for another when files were swapped', async () => {
    const { files, cache } = await makeRig();
    const [one, two] = [blockOf(500, 9), blockOf(500, 10)];
    await cache.put(one.block);
    await cache.put(two.block);
    await filled(cache, 2);
    const [first, second] = [...files.files];
    assert.ok(first !== undefined && second !== undefined);
    files.files.set(first[0], second[1]);
    files.files.set(second[0], first[1]);
    assert.ok((await cache.get(one.block.id)).equals(one.bytes));
    assert.ok((await cache.read(two.block.id, 3, 7)).equals(two.bytes.subarray(3, 10)));
    assert.equal(cache.counters().bad, 2);
  });
});

describe('DiskCache can lose its folder at any time', () => {
  it('reads on when the folder is removed while it runs, and caches again', async () => {
    const folder = newFolder();
    const behind = new WatchedStore();
    const cache = await DiskCache.open({ behind, folder, clock: systemClock });
    const { block, bytes } = blockOf(70_000, 11);
    await cache.put(block);
    await filled(cache, 1);
    await rm(folder, { recursive: true });
    assert.ok((await cache.get(block.id)).equals(bytes));
    assert.equal(cache.counters().gone, 1);
    await filled(cache, 2);
    assert.ok((await cache.read(block.id, 5, 10)).equals(bytes.subarray(5, 15)));
    assert.deepEqual([behind.getCount, (await readdir(folder)).length], [1, 1]);
  });

  it('reads on when its files are cut to nothing while it runs', async () => {
    const folder = newFolder();
    const cache = await DiskCache.open({
      behind: new MemoryBlockStore(), folder, clock: systemClock,
    });
    const blocks = [12, 13, 14].map((seed) => blockOf(5000, seed));
    for (const { block } of blocks) await cache.put(block);
    await filled(cache, 3);
    for (const name of await readdir(folder)) await truncate(join(folder, name));
    for (const { block, bytes } of blocks) assert.ok((await cache.get(block.id)).equals(bytes));
    assert.equal(cache.counters().bad, 3);
  });

  it('gives room back when its disk is full, pauses, and goes on later', async () => {
    const { files, clock, cache } = await makeRig({ pauseMs: 1000 });
    files.capacityBytes = 8 * entryBytesOf(1000);
    const blocks = Array.from({ length: 12 }, (_, at) => blockOf(1000, 20 + at));
    for (const { block } of blocks) await cache.put(block);
    await filled(cache, 12);
    const { fills, failedFills, skippedFills, evictions, paused } = cache.counters();
    assert.deepEqual({ fills, failedFills, skippedFills, evictions, paused }, {
      fills: 8, failedFills: 1, skippedFills: 3, evictions: 1, paused: 'full',
    });
    for (const { block, bytes } of blocks) assert.ok((await cache.get(block.id)).equals(bytes));
    assert.equal(cache.counters().hits, 7);
    clock.advance(1000);
    await cache.get(blocks[11]?.block.id ?? assert.fail());
    await filled(cache, 12 + 6);
    assert.equal(cache.counters().fills, 9);
    assert.equal(cache.counters().paused, undefined);
  });

  it('reads from behind when its disk hangs, and asks the disk ever less', async () => {
    const { behind, files, clock, cache } = await makeRig({ deadlineMs: 50, pauseMs: 100 });
    const { block, bytes } = blockOf(1000, 40);
    await cache.put(block);
    await filled(cache, 1);
    let calls = 0;
    files.onCall = () => {
      calls += 1;
      return new Promise(() => undefined);
    };
    const slow = cache.get(block.id);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(50);
    assert.ok((await slow).equals(bytes));
    assert.equal(cache.counters().paused, 'slow');
    assert.ok((await cache.get(block.id)).equals(bytes));
    assert.deepEqual([calls, behind.getCount], [1, 2], 'the disk is left alone for a while');
    clock.advance(100);
    const again = cache.get(block.id);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(50);
    await again;
    clock.advance(199);
    assert.equal(cache.counters().paused, 'slow', 'twice as long the second time');
    clock.advance(1);
    assert.equal(cache.counters().paused, undefined);
  });

  it('works without its folder from the start, and uses it once it can be listed', async () => {
    const behind = new WatchedStore();
    const files = new MemoryCacheFiles();
    const clock = new ManualClock(0);
    files.onCall = () => {
      throw failure('EIO');
    };
    const limits = { pauseMs: 1000 };
    const cache = await DiskCache.open({ behind, files, clock, limits, folder: '' });
    const { block, bytes } = blockOf(1000, 41);
    await cache.put(block);
    assert.ok((await cache.get(block.id)).equals(bytes));
    assert.equal(cache.counters().paused, 'failed');
    files.onCall = () => undefined;
    clock.advance(1000);
    assert.equal(cache.counters().paused, 'failed', 'it lists first');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(cache.counters().paused, undefined);
    await cache.get(block.id);
    await filled(cache, 2);
    assert.equal(files.files.size, 1);
  });
});

describe('DiskCache keeps its bounds', () => {
  it('never holds more bytes than its cap, and evicts what was used longest ago', async () => {
    const { files, cache } = await makeRig({ bytesMax: 4 * diskBytesOf(1000) });
    const blocks = Array.from({ length: 6 }, (_, at) => blockOf(1000, 50 + at));
    const ids = blocks.map(({ block }) => block.id);
    for (const [at, { block }] of blocks.entries()) {
      await cache.put(block);
      await filled(cache, at + 1);
      if (at === 3) await cache.get(ids[0] ?? assert.fail());
      assert.ok(files.files.size <= 4, `${at}`);
    }
    const kept = [...files.files.keys()].map((name) => name.slice(0, 64)).sort();
    assert.deepEqual(kept, [ids[0], ids[3], ids[4], ids[5]].sort());
    const { evictions, evictedBytes, storedBytes } = cache.counters();
    assert.deepEqual([evictions, evictedBytes], [2, 2 * diskBytesOf(1000)]);
    assert.equal(storedBytes, 4 * diskBytesOf(1000));
  });

  it('does not cache what is greater than its cap, or finds no room in the line', async () => {
    const { cache } = await makeRig({ bytesMax: 4096, fillBytesMax: 1500 });
    await cache.put(blockOf(5000, 60).block);
    assert.equal(cache.counters().skippedFills, 1);
    await Promise.all([61, 62].map((seed) => cache.put(blockOf(1000, seed).block)));
    await filled(cache, 3);
    const { fills, skippedFills } = cache.counters();
    assert.deepEqual([fills, skippedFills], [1, 2]);
  });

  it('asks behind once for a block that many want, and for few blocks at once', async () => {
    const { behind, cache } = await makeRig({ fetchesMax: 3 }, false);
    const blocks = Array.from({ length: 20 }, (_, at) => blockOf(1000, 70 + at));
    for (const { block } of blocks) await cache.put(block);
    const three = [...blocks, ...blocks, ...blocks];
    const read = await Promise.all(three.map(({ block }) => cache.get(block.id)));
    for (const [at, { bytes }] of three.entries()) assert.ok(read[at]?.equals(bytes));
    assert.deepEqual([behind.getCount, behind.activeMax], [20, 3]);
    assert.ok(cache.counters().joined >= 40);
  });

  it('refuses as busy when the line for the store behind is too long', async () => {
    const { behind, cache } = await makeRig({ fetchesMax: 1, waitingMax: 1 }, false);
    const held = Promise.withResolvers<undefined>();
    behind.hold = held.promise;
    const blocks = [91, 92, 93].map((seed) => blockOf(10, seed).block);
    for (const block of blocks) await cache.put(block);
    const reads = blocks.map((block) => cache.get(block.id));
    await assert.rejects(reads[2] ?? assert.fail(), (error) => isKind(error, 'busy'));
    held.resolve(undefined);
    await Promise.all(reads.slice(0, 2));
  });

  it('lets one reader give up alone, and stops the errand when the last one has', async () => {
    const { behind, cache } = await makeRig({}, false);
    const { block, bytes } = blockOf(10, 94);
    await cache.put(block);
    const held = Promise.withResolvers<undefined>();
    behind.hold = held.promise;
    const [one, two] = [new AbortController(), new AbortController()];
    const first = cache.get(block.id, one.signal);
    const second = cache.get(block.id, two.signal);
    const reason = new Error('gone');
    await new Promise((resolve) => setImmediate(resolve));
    one.abort(reason);
    await assert.rejects(first, (error) => error === reason);
    assert.equal(behind.signals[0]?.aborted, false);
    two.abort(reason);
    await assert.rejects(second, (error) => error === reason);
    assert.equal(behind.signals[0]?.aborted, true);
    held.resolve(undefined);
    assert.ok((await cache.get(block.id)).equals(bytes));
    assert.equal(behind.getCount, 2);
  });
});

describe('DiskCache keeps each block once', () => {
  it('however often it is put and read', async () => {
    const { files, cache } = await makeRig();
    const { block } = blockOf(1000, 80);
    await Promise.all([cache.put(block), cache.put(block), cache.put(block)]);
    await filled(cache, 1);
    await cache.put(block);
    await cache.get(block.id);
    await cache.close();
    assert.deepEqual([cache.counters().fills, files.files.size], [1, 1]);
  });

  it('and no more blocks than it may', async () => {
    const { files, cache } = await makeRig({ blocksMax: 3 });
    for (let seed = 81; seed < 90; seed += 1) await cache.put(blockOf(10, seed).block);
    await filled(cache, 9);
    assert.deepEqual([files.files.size, cache.counters().evictions], [3, 6]);
  });

  it('and removes a file that was written too late to be known', async () => {
    const { files, clock, cache } = await makeRig({ deadlineMs: 50 });
    const held = Promise.withResolvers<void>();
    files.onCall = (call) => (call === 'write' ? held.promise : undefined);
    await cache.put(blockOf(10, 81).block);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(50);
    await filled(cache, 1);
    assert.equal(cache.counters().failedFills, 1);
    held.resolve();
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    assert.equal(files.files.size, 0);
  });
});

describe('DiskCache tells the truth of the store behind', () => {
  it('does not acknowledge a put that the store behind refuses, and caches nothing', async () => {
    const behind = new MemoryBlockStore(5);
    const files = new MemoryCacheFiles();
    const cache = await DiskCache.open({ behind, files, clock: systemClock, folder: '' });
    const put = cache.put(Block.of([Buffer.from('too long')]));
    await assert.rejects(put, (error) => isKind(error, 'full'));
    await cache.close();
    assert.equal(files.files.size, 0);
  });

  it('hands on the error of the store behind as it is', async () => {
    const { behind, cache } = await makeRig();
    const corrupt = new HoldfastError('corrupt', 'test', 'Damaged.');
    behind.hold = Promise.reject(corrupt);
    await assert.rejects(cache.get(blockOf(1, 95).block.id), (error) => error === corrupt);
  });

  it('forgets a block that waits to be cached, is being cached, or is cached', async () => {
    const { files, cache } = await makeRig();
    const blocks = [96, 97, 98].map((seed) => blockOf(100, seed).block);
    for (const block of blocks) await cache.put(block);
    await Promise.all(blocks.map((block) => cache.forget(block.id)));
    assert.equal(files.files.size, 0);
    await cache.put(blocks[0] ?? assert.fail());
    await filled(cache, 4);
    assert.equal(files.files.size, 1);
    await cache.forget(blocks[0]?.id ?? assert.fail());
    assert.equal(files.files.size, 0);
    assert.equal(cache.counters().blockCount, 0);
  });

  it('does not cache what was forgotten while it was on its way', async () => {
    const { behind, files, cache } = await makeRig({}, false);
    const { block } = blockOf(100, 99);
    await cache.put(block);
    const held = Promise.withResolvers<undefined>();
    behind.hold = held.promise;
    const read = cache.get(block.id);
    await new Promise((resolve) => setImmediate(resolve));
    await cache.forget(block.id);
    held.resolve(undefined);
    await read;
    await cache.close();
    assert.equal(files.files.size, 0);
  });

  it('does not claim to have forgotten what it could not remove', async () => {
    const { files, cache } = await makeRig();
    const { block } = blockOf(100, 99);
    await cache.put(block);
    await filled(cache, 1);
    files.onCall = (call) => {
      if (call === 'remove') throw failure('EROFS');
    };
    await assert.rejects(cache.forget(block.id), (error) => isKind(error, 'unavailable'));
  });
});

describe('DiskCache that encrypts', () => {
  const secret = Block.of([Buffer.alloc(5_000, 'nobody may see this ')]);
  const bytesIn = async (folder: string): Promise<string> => {
    const files = await readdir(folder);
    return (await Promise.all(files.map((name) => readFile(join(folder, name), 'latin1')))).join();
  };

  it('answers from files that show nothing, and removes those that showed all', async () => {
    const folder = newFolder();
    const behind = new WatchedStore();
    const plain = await DiskCache.open({ behind, folder, clock: systemClock });
    await plain.put(secret);
    await plain.close();
    assert.ok((await bytesIn(folder)).includes('nobody'));
    const store = new WatchedStore();
    await store.put(secret);
    const common = { folder, clock: systemClock, sealer: SEALER };
    const cache = await DiskCache.open({ ...common, behind: store });
    assert.equal((await bytesIn(folder)).includes('nobody'), false);
    assert.equal((await cache.read(secret.id, 7, 3)).toString(), 'may');
    await cache.close();
    assert.equal((await readdir(folder)).length, 1);
    assert.equal((await bytesIn(folder)).includes('nobody'), false);
    const after = new WatchedStore();
    const again = await DiskCache.open({ ...common, behind: after });
    assert.equal((await again.get(secret.id)).length, 5_000);
    assert.equal((await again.read(secret.id, 7, 3)).toString(), 'may');
    assert.equal(after.getCount, 0);
    await again.close();
  });

  it('has nothing any more once the keys are destroyed', async () => {
    const folder = newFolder();
    const common = { folder, clock: systemClock };
    const cache = await DiskCache.open({ ...common, behind: new WatchedStore(), sealer: SEALER });
    await cache.put(secret);
    await cache.close();
    const keys = RING.withoutTenant('default', 2);
    const sealer = new BlockSealer({ compression: 'off', keys });
    const again = await DiskCache.open({ ...common, behind: new WatchedStore(), sealer });
    await assert.rejects(again.get(secret.id), (error) => isKind(error, 'not-found'));
    assert.deepEqual(await readdir(folder), []);
    await again.close();
  });
});
