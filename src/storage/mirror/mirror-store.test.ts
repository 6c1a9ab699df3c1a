import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import { ManualClock, SeededRandom, systemClock, systemRandom } from '../../platform/index.ts';
import { MemoryBlockStore } from '../backends/memory/memory-block-store.ts';
import { Block } from '../block.ts';
import { testBlockStore } from '../block-store.conformance.ts';
import { noCounts, type MirrorLimits, type MirrorPolicy } from './mirror-limits.ts';
import { MirrorStore } from './mirror-store.ts';
import { Repairer } from './repairer.ts';
import { MemoryQueueFile } from './testing/memory-queue-file.ts';
import { TroubledStore } from './testing/troubled-store.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-mirror-'));
after(() => rm(root, { recursive: true, force: true }));
let folderCount = 0;

for (const policy of ['sync', 'async'] as const) {
  testBlockStore(`MirrorStore with policy ${policy}`, () => {
    folderCount += 1;
    return MirrorStore.open({
      first: new MemoryBlockStore(), second: new MemoryBlockStore(), policy, pair: 'one, two',
      folder: join(root, `${folderCount}`, 'queue'), clock: systemClock, random: systemRandom,
    });
  });
}

interface Rig {
  first: TroubledStore;
  second: TroubledStore;
  file: MemoryQueueFile;
  clock: ManualClock;
  limits: Partial<MirrorLimits>;
  policy: MirrorPolicy;
  pair: string;
}

function makeRig(policy: MirrorPolicy, limits: Partial<MirrorLimits> = {}): Rig {
  return {
    first: new TroubledStore(), second: new TroubledStore(), file: new MemoryQueueFile(),
    clock: new ManualClock(1_000_000), limits, policy, pair: 'one, two',
  };
}

function openMirror(rig: Rig): Promise<MirrorStore> {
  return MirrorStore.open({ ...rig, folder: '', random: new SeededRandom(7) });
}

/** Over a file that says that all was compared, so that only the queue is at work. */
async function openCompared(rig: Rig): Promise<MirrorStore> {
  const mirror = await openMirror(rig);
  await until(() => !mirror.status().comparison.isDue && mirror.status().comparisons > 0);
  return mirror;
}

async function until(holds: () => boolean, act: () => void = () => undefined): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!holds()) {
    assert.ok(performance.now() < endMs, 'waited in vain');
    act();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function blockOf(seed: number | string): Block {
  return Block.of([Buffer.from(`block ${seed}`)]);
}

async function isIn(store: TroubledStore, blocks: readonly Block[]): Promise<boolean> {
  const ids = new Set(await store.ids());
  return blocks.every(({ id }) => ids.has(id));
}

async function copyAll(from: TroubledStore, to: TroubledStore): Promise<void> {
  for (const id of await from.ids()) {
    await to.put(Block.of([await MemoryBlockStore.prototype.get.call(from, id)]));
  }
}

describe('MirrorStore with policy async', () => {
  it('acknowledges without the second store, shows the lag, and copies later', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    rig.second.isDown = true;
    const blocks = Array.from({ length: 20 }, (_, at) => blockOf(at));
    for (const block of blocks) await mirror.put(block);
    rig.clock.advance(5000);
    const bytes = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const lag = { blocks: 20, bytes, oldestAgeMs: 5000, isComplete: true };
    assert.deepEqual(mirror.status().lag, lag);
    await until(() => mirror.status().refusal?.kind === 'unavailable');
    rig.second.isDown = false;
    await until(() => mirror.status().lag.blocks === 0, () => rig.clock.advance(1000));
    assert.ok(await isIn(rig.second, blocks));
    const { copied, copiedBytes, refusal } = mirror.status();
    assert.deepEqual({ copied, copiedBytes, refusal }, {
      copied: 20, copiedBytes: bytes, refusal: undefined,
    });
  });

  it('has the block durably queued before the first store may have it', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    rig.second.isDown = true;
    let checkedCount = 0;
    rig.first.onCall = (call, id) => {
      if (call !== 'put' || id === undefined) return;
      assert.ok(rig.file.content?.includes(Buffer.from(id, 'hex')));
      checkedCount += 1;
    };
    await Promise.all([1, 2, 3].map((seed) => mirror.put(blockOf(seed))));
    assert.equal(checkedCount, 3);
  });

  it('loses nothing from its queue, whichever write a crash comes at', async () => {
    // Every write of the queue is once the last; with it the process ends, in mid-work.
    let crashes = 0;
    for (let lastWrite = 1; ; lastWrite += 1) {
      const rig = makeRig('async');
      const mirror = await openCompared(rig);
      let writeCount = 0;
      let hasCrashed = false;
      rig.file.onWrite = () => {
        writeCount += 1;
        if (writeCount <= lastWrite) return;
        hasCrashed = true;
        return new Promise(() => undefined);
      };
      rig.first.onCall = () => (hasCrashed ? new Promise(() => undefined) : undefined);
      rig.second.onCall = rig.first.onCall;
      const acknowledged: Block[] = [];
      const puts = Array.from({ length: 12 }, async (_, at) => {
        for (let turn = 0; turn < at; turn += 1) await new Promise(setImmediate);
        const block = blockOf(at);
        await mirror.put(block);
        if (!hasCrashed) acknowledged.push(block);
      });
      let isOver = false;
      void Promise.all(puts).then(() => {
        isOver = true;
      });
      await until(() => hasCrashed || isOver);
      if (!hasCrashed) break;
      crashes += 1;
      const survived = makeRig('async');
      survived.file.content = rig.file.content;
      await copyAll(rig.first, survived.first);
      await copyAll(rig.second, survived.second);
      assert.ok(await isIn(survived.first, acknowledged), `after write ${lastWrite}`);
      const again = await openMirror(survived);
      await until(() => again.status().lag.blocks === 0);
      const stored = await survived.first.ids();
      assert.deepEqual(await survived.second.ids(), stored, `after write ${lastWrite}`);
      assert.equal(again.status().comparisons, 0, 'the queue alone knew');
      await again.close();
    }
    assert.ok(crashes >= 5, `${crashes} crashes prove little`);
  });

  it('costs a restart nothing but what is queued: no list is read', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    for (let seed = 0; seed < 300; seed += 1) await mirror.put(blockOf(seed));
    await until(() => mirror.status().lag.blocks === 0);
    await mirror.close();
    const first = new TroubledStore();
    const second = new TroubledStore();
    const again = await openMirror({ ...rig, first, second });
    await new Promise((resolve) => setImmediate(resolve));
    const { put, get, find, list } = first.calls;
    assert.equal(put + get + find + list + second.calls.list + second.calls.find, 0);
    assert.deepEqual(again.status().lag, { blocks: 0, bytes: 0, oldestAgeMs: 0, isComplete: true });
    assert.ok((rig.file.content?.length ?? Infinity) < 200, 'the file was written anew, short');
  });

  it('waits for both stores where its queue cannot be written, or refuses', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    rig.file.onWrite = () => {
      throw new Error('no room');
    };
    await mirror.put(blockOf(1));
    assert.ok(await isIn(rig.second, [blockOf(1)]));
    assert.equal(mirror.status().unqueuedPuts, 1);
    rig.second.isDown = true;
    await assert.rejects(mirror.put(blockOf(2)), (error) => isKind(error, 'unavailable'));
    rig.file.onWrite = () => undefined;
    await mirror.put(blockOf(3));
    assert.equal(mirror.status().unqueuedPuts, 1);
    assert.ok(rig.file.content?.includes(Buffer.from(blockOf(2).id, 'hex')), 'nothing is forgotten');
  });

  it('never appends to a file of which an append has failed', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    rig.second.isDown = true;
    let failures = 0;
    rig.file.onWrite = (call) => {
      if (call !== 'append' || failures > 0) return;
      failures += 1;
      throw new Error('the sync failed');
    };
    const { replaceCount } = rig.file;
    await mirror.put(blockOf(1));
    assert.equal(rig.file.replaceCount, replaceCount + 1);
    await mirror.put(blockOf(2));
    assert.equal(rig.file.replaceCount, replaceCount + 1, 'the new file is good');
    for (const seed of [1, 2]) {
      assert.ok(rig.file.content?.includes(Buffer.from(blockOf(seed).id, 'hex')), `${seed}`);
    }
  });

  it('drops a queued block that neither store has, as its put had failed', async () => {
    const rig = makeRig('async', { stuckRetryMs: Infinity });
    const mirror = await openCompared(rig);
    rig.first.isDown = true;
    await assert.rejects(mirror.put(blockOf(1)), (error) => isKind(error, 'unavailable'));
    assert.equal(mirror.status().lag.blocks, 1);
    rig.first.isDown = false;
    await until(() => mirror.status().lag.blocks === 0, () => rig.clock.advance(1000));
    assert.equal(mirror.status().absent, 1);
  });

  it('drops it after a restart, too', async () => {
    const rig = makeRig('async', { stuckRetryMs: Infinity });
    const mirror = await openCompared(rig);
    rig.first.isDown = true;
    await assert.rejects(mirror.put(blockOf(1)), (error) => isKind(error, 'unavailable'));
    const stores = { first: new TroubledStore(), second: new TroubledStore() };
    const again = await openMirror({ ...rig, ...stores });
    await until(() => again.status().lag.blocks === 0);
    assert.equal(again.status().absent, 1);
  });

  it('mends a queued block that the first store has damaged and the second has', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    const block = blockOf(1);
    rig.first.onCall = async (call) => {
      if (call !== 'get' || rig.first.calls.get > 1) return;
      await rig.second.put(block);
      rig.first.damaged.add(block.id);
    };
    await mirror.put(block);
    await until(() => mirror.status().repaired === 1);
    assert.deepEqual([mirror.status().lag.blocks, mirror.status().stuckBlocks], [0, 0]);
    assert.equal((await rig.first.get(block.id)).toString(), 'block 1');
  });

  it('gives up a copy that hangs, goes on with others, and tries it again', async () => {
    const rig = makeRig('async', { copyDeadlineMs: 5000, copiesMax: 2 });
    const mirror = await openCompared(rig);
    let hungCount = 0;
    rig.second.onCall = (call, id) => {
      if (call !== 'put' || id !== blockOf(0).id || hungCount > 0) return;
      hungCount += 1;
      return new Promise(() => undefined);
    };
    const blocks = Array.from({ length: 10 }, (_, at) => blockOf(at));
    for (const block of blocks) await mirror.put(block);
    await until(() => mirror.status().lag.blocks === 1);
    rig.clock.advance(5000);
    await until(() => mirror.status().failedCopies === 1);
    assert.match(mirror.status().refusal?.message ?? '', /took too long/);
    await until(() => mirror.status().lag.blocks === 0, () => rig.clock.advance(1000));
    assert.ok(await isIn(rig.second, blocks));
  });

  it('finishes a put that waits for the queue before it is closed', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    const held = Promise.withResolvers<void>();
    rig.file.onWrite = () => held.promise;
    const put = mirror.put(blockOf(1));
    const closed = mirror.close();
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    held.resolve();
    await Promise.all([put, closed]);
    assert.equal(rig.first.state().blockCount, 1);
  });

  it('writes no word to a file of which neither append nor replacement succeeded', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    const calls: string[] = [];
    let isBroken = true;
    rig.file.onWrite = (call) => {
      calls.push(call);
      if (isBroken) throw new Error('no room');
    };
    await mirror.put(blockOf(1));
    isBroken = false;
    await mirror.put(blockOf(2));
    assert.deepEqual(calls.slice(0, 3), ['append', 'replace', 'replace']);
  });

  it('keeps a block queued that the first store cannot read, and tries again later', async () => {
    const rig = makeRig('async', { stuckRetryMs: 60_000 });
    const mirror = await openCompared(rig);
    const [bad, good] = [blockOf('bad'), blockOf('good')];
    rig.second.isDown = true;
    await mirror.put(bad);
    await mirror.put(good);
    rig.first.damaged.add(bad.id);
    rig.second.isDown = false;
    await until(() => mirror.status().stuckBlocks === 1, () => rig.clock.advance(1000));
    await until(() => mirror.status().lag.blocks === 1);
    rig.first.damaged.clear();
    await until(() => mirror.status().lag.blocks === 0, () => rig.clock.advance(10_000));
    assert.ok(await isIn(rig.second, [bad, good]));
  });

  it('copies no more bytes a second than it may', async () => {
    const rig = makeRig('async', { copiesMax: 1, copyBytesPerSecondMax: 1000 });
    const mirror = await openCompared(rig);
    for (let seed = 0; seed < 5; seed += 1) {
      await mirror.put(Block.of([Buffer.alloc(1000, `${seed}`)]));
    }
    for (const copied of [1, 2, 3]) {
      await until(() => mirror.status().copied === copied);
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      assert.equal(mirror.status().copied, copied);
      rig.clock.advance(1000);
    }
  });

  it('asks a second store that refuses ever less often', async () => {
    const rig = makeRig('async', { copiesMax: 4, retryMs: 1000, retryMsMax: 60_000 });
    const mirror = await openCompared(rig);
    rig.second.isDown = true;
    for (let seed = 0; seed < 50; seed += 1) await mirror.put(blockOf(seed));
    for (let second = 0; second < 3600; second += 1) {
      rig.clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { find, put } = rig.second.calls;
    assert.ok(find + put < 4 * 150, `${find + put} calls in an hour`);
    assert.ok(find + put > 60, `${find + put} calls in an hour`);
    assert.equal(mirror.status().lag.blocks, 50);
  });
});

describe('MirrorStore compares its stores', () => {
  it('copies at its first start what the first store has already', async () => {
    const rig = makeRig('async');
    const blocks = Array.from({ length: 500 }, (_, at) => blockOf(at));
    for (const block of blocks) await rig.first.put(block);
    for (const block of blocks.slice(0, 400)) await rig.second.put(block);
    const mirror = await openMirror(rig);
    assert.equal(mirror.status().lag.isComplete, false);
    await until(() => mirror.status().comparisons === 1);
    assert.ok(await isIn(rig.second, blocks));
    const { copied, foundMissing, comparisons } = mirror.status();
    assert.deepEqual({ copied, foundMissing, comparisons }, {
      copied: 100, foundMissing: 100, comparisons: 1,
    });
  });

  it('keeps in sight what it found missing and the first store cannot read', async () => {
    const rig = makeRig('async');
    const blocks = [1, 2, 3].map(blockOf);
    for (const block of blocks) await rig.first.put(block);
    rig.first.damaged.add(blockOf(2).id);
    const mirror = await openCompared(rig);
    await until(() => mirror.status().stuckBlocks === 1, () => rig.clock.advance(60_000));
    assert.deepEqual([mirror.status().copied, mirror.status().lag.blocks], [2, 1]);
  });

  it('never takes a difference of the lists for a deletion', async () => {
    const rig = makeRig('async');
    const [one, two] = [blockOf(1), blockOf(2)];
    await rig.second.put(one);
    await rig.first.put(two);
    const mirror = await openCompared(rig);
    assert.equal(mirror.status().foundExtra, 1);
    assert.ok(await isIn(rig.second, [one, two]));
    assert.deepEqual(await rig.first.ids(), [two.id], 'nor for something to bring back');
  });

  it('goes on after a restart where it was', async () => {
    const rig = makeRig('async', { copiesMax: 4 });
    const blocks = Array.from({ length: 200 }, (_, at) => blockOf(at));
    for (const block of blocks) await rig.first.put(block);
    rig.second.onCall = () => {
      rig.second.isDown = rig.second.calls.put >= 120;
    };
    const mirror = await openMirror(rig);
    await until(() => rig.second.isDown);
    await mirror.close();
    assert.ok(mirror.status().comparison.progress > 0.4);
    const second = new TroubledStore();
    const first = new TroubledStore();
    for (const block of blocks) await first.put(block);
    const again = await openCompared({ ...rig, first, second });
    const [from] = first.listedAfter;
    assert.ok(from !== undefined && from > '5', `it began at ${from}`);
    const later = blocks.filter(({ id }) => id > from);
    assert.deepEqual((await second.ids()).length, later.length);
    assert.equal(again.status().comparison.progress, 1);
  });

  it('does so when more is put than the queue holds, and misses no block', async () => {
    const rig = makeRig('async', { queueBlocksMax: 10 });
    const mirror = await openCompared(rig);
    rig.second.isDown = true;
    const blocks = Array.from({ length: 300 }, (_, at) => blockOf(at));
    await Promise.all(blocks.slice(0, 100).map((block) => mirror.put(block)));
    assert.deepEqual([mirror.status().lag.blocks, mirror.status().lag.isComplete], [10, false]);
    rig.second.isDown = false;
    // Puts go on while the pass runs, so that it misses some.
    const more = blocks.slice(100).map(async (block, at) => {
      for (let turn = 0; turn < at; turn += 1) await new Promise(setImmediate);
      await mirror.put(block);
    });
    const isLevel = (): boolean => {
      const { blocks: left, isComplete } = mirror.status().lag;
      return left === 0 && isComplete;
    };
    await Promise.all(more);
    await until(isLevel, () => rig.clock.advance(1000));
    assert.ok(await isIn(rig.second, blocks));
  });

  it('does so, after a crash too, when the queue had no room', async () => {
    const rig = makeRig('async', { queueBlocksMax: 3 });
    const mirror = await openCompared(rig);
    rig.second.isDown = true;
    const blocks = Array.from({ length: 30 }, (_, at) => blockOf(at));
    for (const block of blocks) await mirror.put(block);
    const second = new TroubledStore();
    await openCompared({ ...rig, second });
    await until(() => second.calls.put >= 30);
    assert.ok(await isIn(second, blocks));
  });

  it('does so when its file is missing, damaged anywhere, or of another pair', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    rig.second.isDown = true;
    for (let seed = 0; seed < 3; seed += 1) await mirror.put(blockOf(seed));
    const sound = rig.file.content ?? assert.fail();
    const sick: (Buffer | undefined)[] = [undefined, Buffer.alloc(0), sound.subarray(0, -1)];
    for (let at = 0; at < sound.length; at += 7) {
      const copy = Buffer.from(sound);
      copy[at] = (copy[at] ?? 0) ^ 1;
      sick.push(copy);
    }
    const wouldCompare = async (content: Buffer | undefined, pair: string): Promise<boolean> => {
      const file = new MemoryQueueFile();
      file.content = content;
      const second = new TroubledStore();
      second.isDown = true;
      const other = await openMirror({ ...rig, second, file, pair });
      return other.status().comparison.isDue;
    };
    for (const [at, content] of sick.entries()) {
      assert.equal(await wouldCompare(content, rig.pair), true, `damage ${at}`);
    }
    assert.equal(await wouldCompare(sound, 'one, three'), true);
    assert.equal(await wouldCompare(sound, rig.pair), false);
  });

  it('does so once a week although nothing seems to lack', async () => {
    const rig = makeRig('async', { compareEveryMs: 100_000 });
    const mirror = await openCompared(rig);
    const block = blockOf(1);
    await mirror.put(block);
    await until(() => mirror.status().lag.blocks === 0);
    rig.second.lost.add(block.id);
    await until(() => mirror.status().comparisons === 2, () => rig.clock.advance(20_000));
    assert.ok(await isIn(rig.second, [block]));
  });

  it('takes a list that breaks off for no end', async () => {
    const rig = makeRig('async');
    for (let seed = 0; seed < 50; seed += 1) await rig.first.put(blockOf(seed));
    let refusals = 0;
    rig.second.onCall = (call) => {
      if (call !== 'list' || refusals === 3) return;
      refusals += 1;
      throw new Error('connection reset');
    };
    const mirror = await openMirror(rig);
    await until(() => !mirror.status().comparison.isDue, () => rig.clock.advance(1000));
    assert.equal(refusals, 3);
    assert.equal(mirror.status().copied, 50);
  });
});

describe('MirrorStore with policy sync', () => {
  it('acknowledges when both stores have the block, and refuses when one does not', async () => {
    const rig = makeRig('sync');
    const mirror = await openCompared(rig);
    await mirror.put(blockOf(1));
    assert.ok(await isIn(rig.first, [blockOf(1)]));
    assert.ok(await isIn(rig.second, [blockOf(1)]));
    for (const store of [rig.first, rig.second]) {
      store.isDown = true;
      await assert.rejects(mirror.put(blockOf(2)), (error) => isKind(error, 'unavailable'));
      store.isDown = false;
    }
  });

  it('does not find a block that one store has alone, and mends half a put', async () => {
    const rig = makeRig('sync');
    const mirror = await openCompared(rig);
    rig.second.isDown = true;
    await assert.rejects(mirror.put(blockOf(1)), (error) => isKind(error, 'unavailable'));
    await assert.rejects(mirror.find(blockOf(1).id), (error) => isKind(error, 'unavailable'));
    rig.second.isDown = false;
    assert.equal(await mirror.find(blockOf(1).id), undefined);
    await until(() => mirror.status().lag.blocks === 0, () => rig.clock.advance(1000));
    assert.deepEqual(await mirror.find(blockOf(1).id), { sizeBytes: 7 });
  });

  it('refuses writes when either store does, and says so', async () => {
    const rig = makeRig('sync');
    const mirror = await MirrorStore.open({
      ...rig, second: new MemoryBlockStore(3), folder: '', random: systemRandom,
    });
    await assert.rejects(mirror.put(blockOf(1)), (error) => isKind(error, 'full'));
    assert.equal(mirror.state().refusesWrites, undefined);
    await mirror.put(Block.of([Buffer.from('abc')]));
    assert.equal(mirror.state().refusesWrites, 'full');
  });
});

describe('MirrorStore reads from the second store', () => {
  const wrongs: Readonly<Record<string, (store: TroubledStore, id: BlockId) => void>> = {
    sound: () => undefined,
    lost: (store, id) => store.lost.add(id),
    damaged: (store, id) => store.damaged.add(id),
    down: (store) => {
      store.isDown = true;
    },
  };
  /** By what is wrong with the first store, then with the second. */
  const answers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    sound: { sound: 'bytes', lost: 'bytes', damaged: 'bytes', down: 'bytes' },
    lost: { sound: 'bytes', lost: 'not-found', damaged: 'corrupt', down: 'unavailable' },
    damaged: { sound: 'bytes', lost: 'corrupt', damaged: 'corrupt', down: 'unavailable' },
    down: { sound: 'bytes', lost: 'unavailable', damaged: 'unavailable', down: 'unavailable' },
  };

  it('in place of the first, and says not-found only when both say it', async () => {
    for (const [one, row] of Object.entries(answers)) {
      for (const [two, wanted] of Object.entries(row)) {
        const rig = makeRig('async');
        const mirror = await openCompared(rig);
        const block = blockOf(1);
        await rig.first.put(block);
        await rig.second.put(block);
        wrongs[one]?.(rig.first, block.id);
        wrongs[two]?.(rig.second, block.id);
        for (const read of [() => mirror.get(block.id), () => mirror.read(block.id, 0, 7)]) {
          const answer = await read().then(
            (bytes) => (bytes.toString() === 'block 1' ? 'bytes' : 'wrong bytes'),
            (error: unknown) => (error as { kind?: string }).kind,
          );
          assert.equal(answer, wanted, `first ${one}, second ${two}`);
        }
        await mirror.close();
      }
    }
  });

  it('and writes anew what the first store lacks or has damaged, once', async () => {
    for (const wrong of ['lost', 'damaged'] as const) {
      const rig = makeRig('async');
      const mirror = await openCompared(rig);
      const block = blockOf(1);
      await rig.first.put(block);
      await rig.second.put(block);
      wrongs[wrong]?.(rig.first, block.id);
      await Promise.all([1, 2, 3].map(() => mirror.get(block.id)));
      await until(() => mirror.status().repaired === 1);
      assert.equal((await rig.first.get(block.id)).toString(), 'block 1');
      assert.equal(mirror.status().failedRepairs, 0);
      assert.equal(rig.first.calls.put, 2);
    }
  });

  it('but not what was destroyed with its keys, and that is not copied for ever', async () => {
    const rig = makeRig('async');
    const [block, other] = [blockOf('shredded'), blockOf('other')];
    await MemoryBlockStore.prototype.put.call(rig.first, block);
    const shredded = new HoldfastError('not-found', 'test', 'Destroyed.', { code: 'shredded' });
    rig.first.onCall = (call, id) => {
      if (call === 'get' && id === block.id) throw shredded;
    };
    const mirror = await openMirror(rig);
    await mirror.put(other);
    await until(() => mirror.status().comparisons > 0 && mirror.status().lag.blocks === 0);
    assert.deepEqual(await Array.fromAsync(rig.second.list()), [other.id]);
    await MemoryBlockStore.prototype.put.call(rig.second, block);
    await assert.rejects(mirror.get(block.id), (error) => error === shredded);
    assert.equal(mirror.status().failovers, 0);
    await mirror.close();
  });

  it('and repairs nothing when the reason is gone, or the first store is away', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    const block = blockOf(1);
    await rig.first.put(block);
    await rig.second.put(block);
    rig.first.damaged.add(block.id);
    // Sound again by the time of the repair.
    rig.second.onCall = () => rig.first.damaged.clear();
    await mirror.get(block.id);
    rig.second.onCall = () => undefined;
    await until(() => rig.first.calls.get === 2);
    rig.first.isDown = true;
    await mirror.get(block.id);
    await mirror.close();
    assert.deepEqual([rig.first.calls.put, mirror.status().repaired], [1, 0]);
    assert.equal(mirror.status().failedRepairs, 0);
    assert.equal(mirror.status().failovers, 2);
  });

  it('and counts a repair as failed that does not read back', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    const block = blockOf(1);
    await rig.first.put(block);
    await rig.second.put(block);
    rig.first.damaged.add(block.id);
    rig.first.onCall = (call) => {
      if (call === 'get') rig.first.damaged.add(block.id);
    };
    await mirror.get(block.id);
    await until(() => mirror.status().failedRepairs === 1);
    assert.equal(mirror.status().repaired, 0);
  });

  it('and writes nothing anew from bytes that are not the block', async () => {
    class LyingStore extends TroubledStore {
      override get(): Promise<Buffer> {
        return Promise.resolve(Buffer.from('other bytes'));
      }
    }
    const first = new TroubledStore();
    const counts = noCounts();
    const second = new LyingStore();
    const repairer = new Repairer({ first, second, repairsMax: 10, counts });
    repairer.offer(blockOf(1).id);
    await repairer.close();
    assert.deepEqual([counts.failedRepairs, counts.repaired, first.calls.put], [1, 0, 0]);
  });

  it('and remembers no more repairs than it may', async () => {
    const [first, second] = [new TroubledStore(), new TroubledStore()];
    const counts = noCounts();
    const repairer = new Repairer({ first, second, repairsMax: 2, counts });
    for (let seed = 0; seed < 5; seed += 1) repairer.offer(blockOf(seed).id);
    await repairer.close();
    assert.equal(counts.skippedRepairs, 3);
  });

  it('but lists and finds what the first store has: a list never mixes two truths', async () => {
    const rig = makeRig('async');
    const mirror = await openCompared(rig);
    await rig.second.put(blockOf(1));
    assert.equal(await mirror.find(blockOf(1).id), undefined);
    rig.first.isDown = true;
    const first = mirror.list()[Symbol.asyncIterator]().next();
    await assert.rejects(first, (error) => isKind(error, 'unavailable'));
    assert.deepEqual(await mirror.find(blockOf(1).id), { sizeBytes: 7 });
    await assert.rejects(mirror.find(blockOf(2).id), (error) => isKind(error, 'unavailable'));
  });
});
