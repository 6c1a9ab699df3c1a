import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EagerBudget } from '../budget.ts';
import { MemoryDisk, writeVolume } from '../testing/memory-disk.ts';
import { CheckCrew } from './check-crew.ts';
import { SlabShelf } from './slab.ts';
import { CALM_PLAN, EAGER_PLAN } from './stretch-window.ts';
import { checkVolume } from './volume-check.ts';
import type { CheckResult } from './volume-check.ts';

/** 24 MiB in blocks of 200 KB: several stretches for several threads. */
const volume = writeVolume({
  id: 7, isSealed: true,
  batches: Array.from({ length: 120 }, (_, n) => [Buffer.alloc(200_000, `${n} `)]),
});

async function check(crew: CheckCrew, disk: MemoryDisk, isEager: boolean): Promise<CheckResult> {
  const plan = isEager ? EAGER_PLAN : CALM_PLAN;
  const file = await disk.open(volume.name);
  return checkVolume({
    file, volumeId: 7, hashes: true, from: undefined, markEnd: 0, wasSealed: false,
    pace: { budget: new EagerBudget(1024 * 1024), signal: new AbortController().signal },
    means: { plan, crew, shelf: new SlabShelf(plan.slabsMax) },
  });
}

function damaged(): MemoryDisk {
  const disk = new MemoryDisk();
  disk.files.set(volume.name, Buffer.from(volume.bytes));
  for (const at of [...volume.places.values()].filter((_, index) => index % 17 === 3)) {
    disk.flip(volume.name, at + 64 + 1_000);
  }
  return disk;
}

function flip(bytes: Buffer, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

describe('CheckCrew', () => {
  it('finds with threads what is found without, in the same order', async () => {
    const disk = damaged();
    const alone = await check(new CheckCrew(0), disk, false);
    assert.equal(alone.faults.length, 7);
    const crew = new CheckCrew(2);
    try {
      for (const isEager of [true, false, true]) {
        assert.deepEqual(await check(crew, disk, isEager), alone);
      }
    } finally {
      await crew.close();
    }
  });

  it('uses its threads once they have begun', async () => {
    const crew = new CheckCrew(1);
    const { memory, bytes } = new SlabShelf(1).take();
    volume.bytes.copy(bytes, 0, 0, 4 * 1024 * 1024);
    const places = Uint32Array.from([...volume.places.values()].slice(0, 10));
    try {
      let answer = crew.check({ memory, places, hashes: true }, 2_000_000);
      const endMs = performance.now() + 60_000;
      while (Array.isArray(answer) && performance.now() < endMs) {
        await new Promise((resolve) => setImmediate(resolve));
        answer = crew.check({ memory, places, hashes: true }, 2_000_000);
      }
      assert.ok(answer instanceof Promise, 'a thread has taken it');
      assert.deepEqual(await answer, []);
      flip(bytes, (places[4] ?? 0) + 500);
      assert.deepEqual(await crew.check({ memory, places, hashes: true }, 2_000_000), [
        { index: 4, kind: 'payload-damaged' },
      ]);
    } finally {
      await crew.close();
    }
  });

  it('does here what a thread that was ended had not done', async () => {
    const crew = new CheckCrew(1);
    const { memory, bytes } = new SlabShelf(1).take();
    volume.bytes.copy(bytes, 0, 0, 4 * 1024 * 1024);
    const places = Uint32Array.from([...volume.places.values()].slice(0, 10));
    const task = { memory, places, hashes: true };
    let answer = crew.check(task, 2_000_000);
    const endMs = performance.now() + 60_000;
    while (Array.isArray(answer) && performance.now() < endMs) {
      await new Promise((resolve) => setImmediate(resolve));
      answer = crew.check(task, 2_000_000);
    }
    flip(bytes, (places[2] ?? 0) + 500);
    const waiting = Array.from({ length: 20 }, async () => crew.check(task, 2_000_000));
    await crew.close();
    const answers = await Promise.all(waiting);
    assert.deepEqual(new Set(answers.map((bad) => bad.length)), new Set([1]));
  });
});
