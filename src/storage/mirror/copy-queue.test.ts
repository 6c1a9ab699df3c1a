import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import { ManualClock, SeededRandom } from '../../platform/index.ts';
import { missingFrom } from './comparison.ts';
import { CopyPace } from './copy-pace.ts';
import { CopyQueue } from './copy-queue.ts';
import { MIRROR_DEFAULTS } from './mirror-limits.ts';
import { NodeQueueFile } from './node-queue-file.ts';
import type { QueueFile } from './queue-file.ts';
import { RECORD_BYTES } from './queue-record.ts';
import { MemoryQueueFile } from './testing/memory-queue-file.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-queue-'));
after(() => rm(root, { recursive: true, force: true }));

const idOf = (count: number): BlockId => count.toString(16).padStart(64, '0') as BlockId;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Compared already, so that only what a test does counts. */
async function openQueue(file: MemoryQueueFile, blocksMax = 1000): Promise<CopyQueue> {
  const clock = new ManualClock(5000);
  const queue = await CopyQueue.open({ file, pair: 'pair', clock, blocksMax });
  if (file.replaceCount > 1) return queue;
  const { demand } = await queue.comparison.beginPass();
  await queue.comparison.finish(demand, 4000);
  return queue;
}

describe('CopyQueue', () => {
  it('hands out a block when its puts have ended, one at a time', async () => {
    const queue = await openQueue(new MemoryQueueFile());
    const [one, two] = [await queue.add(idOf(1), 10), await queue.add(idOf(1), 10)];
    assert.equal(queue.take(), undefined);
    queue.settle(one, 'unknown');
    assert.equal(queue.take(), undefined);
    queue.settle(two, 'stored');
    const taken = queue.take();
    assert.deepEqual([taken?.id, taken?.isDoubtful], [idOf(1), true]);
    assert.equal(queue.take(), undefined);
    queue.putBack(taken ?? assert.fail());
    const third = await queue.add(idOf(1), 10);
    assert.equal(queue.take(), undefined, 'a third put has begun meanwhile');
    queue.settle(third, 'stored');
    assert.equal(queue.take()?.id, idOf(1));
    assert.deepEqual(queue.lag(), { blocks: 1, bytes: 10, oldestAgeMs: 0, isComplete: true });
  });

  it('keeps a block that was queued anew while it was found to be nowhere', async () => {
    const queue = await openQueue(new MemoryQueueFile());
    queue.settle(await queue.add(idOf(1), 10), 'unknown');
    const taken = queue.take() ?? assert.fail();
    queue.settle(await queue.add(idOf(1), 10), 'stored');
    queue.done(taken, 'absent');
    const again = queue.take() ?? assert.fail();
    const ticket = await queue.add(idOf(1), 10);
    queue.done(again, 'copied');
    assert.equal(queue.has(idOf(1)), true, 'its put has not ended');
    queue.settle(ticket, 'stored');
    queue.done(queue.take() ?? assert.fail(), 'copied');
    assert.equal(queue.has(idOf(1)), false);
  });

  it('remembers after a restart what was added and not done, and for how long', async () => {
    const file = new MemoryQueueFile();
    const queue = await openQueue(file);
    for (const count of [1, 2, 3]) queue.settle(await queue.add(idOf(count), count), 'stored');
    queue.done(queue.take() ?? assert.fail(), 'copied');
    await queue.close();
    const clock = new ManualClock(65_000);
    const again = await CopyQueue.open({ file, pair: 'pair', clock, blocksMax: 10 });
    const wanted = { blocks: 2, bytes: 5, oldestAgeMs: 60_000, isComplete: true };
    assert.deepEqual(again.lag(), wanted);
    assert.deepEqual([again.take()?.id, again.take()?.id], [idOf(2), idOf(3)]);
  });

  it('makes the need to compare durable before a put that finds no room goes on', async () => {
    const file = new MemoryQueueFile();
    const queue = await openQueue(file, 0);
    const held = Promise.withResolvers<void>();
    file.onWrite = () => held.promise;
    let went = 0;
    const puts = [1, 2].map((count) => queue.add(idOf(count), 10).then(() => {
      went += 1;
    }));
    for (let count = 0; count < 10; count += 1) await turn();
    assert.equal(went, 0);
    held.resolve();
    await Promise.all(puts);
    const again = await openQueue(file, 0);
    assert.equal(again.comparison.isDue, true);
  });

  it('begins a comparison after the puts before it, and does not wait for later ones', async () => {
    const queue = await openQueue(new MemoryQueueFile(), 0);
    const before = await queue.add(idOf(1), 10);
    const begun: number[] = [];
    const pass = queue.comparison.beginPass().then(({ demand }) => begun.push(demand));
    const later = await queue.add(idOf(2), 10);
    await turn();
    assert.deepEqual(begun, []);
    queue.settle(before, 'stored');
    await pass;
    await queue.comparison.finish(begun[0] ?? assert.fail(), 1);
    assert.equal(queue.comparison.isDue, true, 'the later put was not covered');
    queue.settle(later, 'stored');
    const { demand } = await queue.comparison.beginPass();
    await queue.comparison.finish(demand, 1);
    assert.equal(queue.comparison.isDue, false);
  });

  it('writes its file anew when most of what it says is of no more use', async () => {
    const file = new MemoryQueueFile();
    const queue = await openQueue(file);
    for (let count = 0; count < 40_000; count += 1) {
      queue.addLazily(idOf(count), 10);
      queue.done(queue.take() ?? assert.fail(), 'copied');
      if (count % 1000 === 0) await turn();
    }
    await queue.close();
    assert.equal(file.replaceCount, 2, 'once at the start');
    assert.ok((file.content?.length ?? Infinity) < 20_000 * RECORD_BYTES);
    assert.equal(queue.lag().blocks, 0);
  });
});

/** Without the zeros behind. */
async function textOf(file: QueueFile): Promise<string> {
  return String(await file.read()).replace(/\0+$/, '');
}

const files: Readonly<Record<string, () => QueueFile>> = {
  NodeQueueFile: () => new NodeQueueFile(join(root, 'a', 'b'), 'queue'),
  MemoryQueueFile: ((file) => () => file)(new MemoryQueueFile()),
};
for (const [name, open] of Object.entries(files)) {
  it(`${name} keeps what was replaced and appended, in order`, async () => {
    const file = open();
    assert.equal(await file.read(), undefined);
    await assert.rejects(file.append(Buffer.from('too early')));
    await file.replace(Buffer.from('one'));
    await file.append(Buffer.from(' two'));
    await file.append(Buffer.from(' three'));
    assert.equal(await textOf(open()), 'one two three');
    await file.replace(Buffer.from('new'));
    await file.append(Buffer.from('er'));
    await file.close();
    await file.close();
    assert.equal(await textOf(open()), 'newer');
  });

  it(`${name} takes more than it had room for`, async () => {
    const file = open();
    await file.replace(Buffer.alloc(1_100_000, 'a'));
    await file.append(Buffer.alloc(997_152, 'b'));
    await file.append(Buffer.alloc(1_100_000, 'c'));
    await file.append(Buffer.from('end'));
    await file.close();
    const wanted = `${'a'.repeat(1_100_000)}${'b'.repeat(997_152)}${'c'.repeat(1_100_000)}end`;
    assert.ok(await textOf(open()) === wanted);
  });
}

it('NodeQueueFile is for its owner only, and overwrites what a crash left', async () => {
  const path = join(root, 'a', 'b', 'queue');
  await writeFile(`${path}.draft`, 'half a file of an earlier try, longer than the new one');
  const file = new NodeQueueFile(join(root, 'a', 'b'), 'queue');
  await file.replace(Buffer.from('new'));
  await file.close();
  assert.equal(await textOf(file), 'new');
  const fresh = new NodeQueueFile(join(root, 'fresh'), 'queue');
  await fresh.replace(Buffer.from('x'));
  await fresh.close();
  assert.equal((await stat(join(root, 'fresh', 'queue'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(root, 'fresh'))).mode & 0o777, 0o700);
});

describe('A comparison of two lists', () => {
  async function* listOf(ids: readonly BlockId[]): AsyncGenerator<BlockId> {
    yield* ids;
  }

  it('finds for every id where it is, as sets would', async () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 60 }).map(idOf), { maxLength: 40 });
    await fc.assert(fc.asyncProperty(ids, ids, async (one, two) => {
      const found: [BlockId, string][] = [];
      const walk = missingFrom(listOf(one.toSorted()), listOf(two.toSorted()));
      for await (const { id, where } of walk) found.push([id, where]);
      const wanted = [...new Set([...one, ...two])].sort().map((id): [BlockId, string] => {
        const isBoth = one.includes(id) && two.includes(id);
        return [id, isBoth ? 'both' : one.includes(id) ? 'first' : 'second'];
      });
      assert.deepEqual(found, wanted);
    }));
  });

  it('breaks off when a list is out of order or breaks off itself', async () => {
    const walk = async (one: AsyncIterable<BlockId>): Promise<void> => {
      for await (const { where } of missingFrom(one, listOf([idOf(9)]))) assert.ok(where);
    };
    await assert.rejects(walk(listOf([idOf(2), idOf(1)])), /out of order/);
    await assert.rejects(walk(listOf([idOf(2), idOf(2)])), /out of order/);
    async function* broken(): AsyncGenerator<BlockId> {
      yield idOf(1);
      throw new Error('reset');
    }
    await assert.rejects(walk(broken()), /reset/);
  });
});

describe('The pace of copies', () => {
  const pause = (failures: number): number => {
    const clock = new ManualClock(0);
    const limits = { ...MIRROR_DEFAULTS, retryMs: 1000, retryMsMax: 60_000 };
    const pace = new CopyPace(limits, clock, new SeededRandom(failures));
    for (let count = 1; ; count += 1) {
      // Eight that were under way together.
      for (let copy = 0; copy < 8; copy += 1) pace.failed(new Error('refused'));
      if (count === failures) return pace.waitMs;
      clock.advance(pace.waitMs + 1);
    }
  };

  it('doubles its pauses up to a bound, and makes them of random length', () => {
    const bounds = [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
    for (const [at, boundMs] of bounds.entries()) {
      const waitMs = pause(at + 1);
      assert.ok(waitMs >= boundMs / 2 && waitMs <= boundMs, `${waitMs} of ${boundMs}`);
    }
  });

  it('begins anew after a success, and says since when the store refuses', () => {
    const clock = new ManualClock(0);
    const pace = new CopyPace(MIRROR_DEFAULTS, clock, new SeededRandom(1));
    const refused = new HoldfastError('full', 'test', 'There is no room left.');
    for (const nowMs of [0, 2000, 6000]) {
      assert.equal(clock.now(), nowMs);
      pace.failed(refused);
      clock.advance(nowMs === 0 ? 2000 : 4000);
    }
    const { kind, message, sinceMs } = pace.refusal ?? assert.fail();
    assert.deepEqual([kind, message, sinceMs], ['full', 'There is no room left.', 0]);
    pace.succeeded(1);
    assert.equal(pace.refusal, undefined);
    pace.failed(refused);
    assert.ok(pace.waitMs <= 1000);
  });
});
