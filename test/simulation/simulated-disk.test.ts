/** A simulator is only as good as its disk. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testVolumeFiles }
  from '../../src/storage/backends/local/volume-files.conformance.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk, type DiskCall, type Verdict } from './disk/simulated-disk.ts';

interface Bench {
  readonly disk: SimulatedDisk;
  judge: (call: DiskCall) => Verdict;
}

function makeDisk(seed = 1): Bench {
  const random = new SeededRandom(seed);
  const next = (): number => random.next();
  const below = (end: number): number => Math.floor(next() * end);
  const disk: SimulatedDisk = new SimulatedDisk({
    onCall: () => true, judge: (call) => bench.judge(call), chance: () => ({ next, below }),
    note: () => undefined,
  });
  const bench: Bench = { disk, judge: () => undefined };
  return bench;
}

testVolumeFiles('SimulatedDisk', () => Promise.resolve(makeDisk().disk.attach()));

/** A file of one sector, durable, and then overwritten without a sync. */
async function overwritten({ disk }: Bench): Promise<void> {
  const files = disk.attach();
  const file = await files.open('a', 'create');
  await file.write([Buffer.alloc(512, 1)], 0);
  await file.sync();
  await files.syncFolder();
  await file.write([Buffer.alloc(512, 2)], 0);
}

describe('a simulated disk', () => {
  it('keeps or loses what was not synced when the power goes, and never what was', async () => {
    const seen = new Set<number>();
    for (let seed = 1; seed < 30; seed++) {
      const bench = makeDisk(seed);
      await overwritten(bench);
      bench.disk.cutPower();
      seen.add(bench.disk.content('a')[0] ?? 0);
    }
    assert.deepEqual([...seen].sort(), [1, 2]);
  });

  it('keeps in memory what was not synced when only the program dies', async () => {
    const bench = makeDisk();
    await overwritten(bench);
    bench.disk.kill();
    assert.equal(bench.disk.content('a')[0], 2);
  });

  it('forgets what a failed sync should have written, and lets the next sync succeed', async () => {
    const bench = makeDisk();
    await overwritten(bench);
    const file = await bench.disk.attach().open('a', 'write');
    let left = 1;
    bench.judge = ({ what }) => (what === 'sync' && left-- > 0 ? { fail: 'EIO' } : undefined);
    await assert.rejects(file.sync(), /EIO/);
    await file.sync();
    assert.equal(bench.disk.content('a')[0], 2);
    bench.disk.cutPower();
    assert.equal(bench.disk.content('a')[0], 1);
  });

  it('forgets a name that was not synced, or keeps it', async () => {
    const seen = new Set<number>();
    for (let seed = 1; seed < 30; seed++) {
      const { disk } = makeDisk(seed);
      await disk.attach().open('a', 'create');
      disk.cutPower();
      seen.add(disk.names().length);
    }
    assert.deepEqual([...seen].sort(), [0, 1]);
  });

  it('loses and misplaces writes without a word', async () => {
    for (const how of ['lose', 'misdirect'] as const) {
      const bench = makeDisk();
      await overwritten(bench);
      bench.disk.place('b', Buffer.alloc(512, 3));
      const file = await bench.disk.attach().open('a', 'write');
      bench.judge = ({ what }) => (what === 'write' ? how : undefined);
      await file.write([Buffer.alloc(512, 4)], 512);
      assert.deepEqual(bench.disk.content('a').subarray(512), Buffer.alloc(512));
      const held = [bench.disk.content('a')[0], bench.disk.content('b')[0]];
      assert.equal(held.includes(4), how === 'misdirect');
    }
  });

  it('never answers a program that is dead', async () => {
    const { disk } = makeDisk();
    const files = disk.attach();
    disk.attach();
    const answered = await Promise.race([
      files.list().then(() => true), new Promise((resolve) => setImmediate(resolve, false)),
    ]);
    assert.equal(answered, false);
  });
});
