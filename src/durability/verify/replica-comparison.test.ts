import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { EagerBudget } from './budget.ts';
import { ReplicaComparison } from './replica-comparison.ts';
import { MemoryDisk, writeVolume } from './testing/memory-disk.ts';
import { HOUR_MS, VerifyWorld } from './testing/verify-world.ts';

const ONE = writeVolume({ id: 1, isSealed: true, batches: [[Buffer.alloc(3_000, 'one')]] });
/** As long, as sound, and not the same. */
const OTHER = writeVolume({ id: 1, isSealed: true, batches: [[Buffer.alloc(3_000, 'two')]] });
const LONGER = writeVolume({ id: 1, isSealed: true, batches: [[Buffer.alloc(9_000, 'two')]] });

let world: VerifyWorld;
let disks: Record<string, MemoryDisk>;

function holding(...copies: Buffer[]): void {
  disks = {};
  for (const [index, bytes] of copies.entries()) {
    const disk = new MemoryDisk();
    disk.files.set(ONE.name, Buffer.from(bytes));
    disks['abc'[index] ?? ''] = disk;
  }
}

function damagedAt(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

async function run(): Promise<string[]> {
  const { store, desk, clock, signal } = world;
  const comparison = new ReplicaComparison({
    store, desk, clock,
    disks: () => Object.entries(disks).map(([id, disk]) => disk.asDisk(id)),
  });
  await comparison.run(new EagerBudget(1024 * 1024), signal);
  return world.open();
}

beforeEach(() => {
  world = new VerifyWorld();
});

describe('ReplicaComparison', () => {
  it('says nothing when all copies are alike', async () => {
    holding(ONE.bytes, ONE.bytes);
    assert.deepEqual(await run(), []);
  });

  it('blames the copy that is damaged, whichever disk comes first', async () => {
    const bad = damagedAt(ONE.bytes, 4_096 + 64 + 10);
    holding(ONE.bytes, bad);
    assert.deepEqual(await run(), ['replica-differs at disk b, volume 1, offset 0']);
    world = new VerifyWorld();
    holding(bad, ONE.bytes);
    assert.deepEqual(await run(), ['replica-differs at disk a, volume 1, offset 0']);
  });

  it('suspects both of two sound copies that differ, and blames neither', async () => {
    holding(ONE.bytes, OTHER.bytes);
    assert.deepEqual(await run(), [
      'replica-undecided at disk a, volume 1, offset 0',
      'replica-undecided at disk b, volume 1, offset 0',
    ]);
  });

  it('suspects both of two sound copies of different lengths', async () => {
    holding(LONGER.bytes, ONE.bytes);
    assert.deepEqual(await run(), [
      'replica-undecided at disk a, volume 1', 'replica-undecided at disk b, volume 1',
    ]);
  });

  it('suspects both of two copies that are damaged in different places', async () => {
    holding(damagedAt(ONE.bytes, 4_200), damagedAt(ONE.bytes, 4_300));
    assert.deepEqual((await run()).map((text) => text.slice(0, 28)), [
      'replica-undecided at disk a,', 'replica-undecided at disk b,',
    ]);
  });

  it('blames a copy without a footer beside one that has it', async () => {
    holding(ONE.bytes.subarray(0, ONE.dataEnd), ONE.bytes);
    assert.deepEqual(await run(), ['replica-length-differs at disk a, volume 1']);
  });

  it('believes two of three', async () => {
    holding(OTHER.bytes, ONE.bytes, ONE.bytes);
    assert.deepEqual(await run(), ['replica-differs at disk a, volume 1, offset 0']);
  });

  it('compares differing copies again within the hour, and takes the finding back', async () => {
    holding(damagedAt(ONE.bytes, 4_200), ONE.bytes);
    await run();
    holding(ONE.bytes, ONE.bytes);
    world.clock.advance(HOUR_MS + 1);
    assert.deepEqual(await run(), []);
  });

  it('keeps no findings of copies when one disk is left', async () => {
    holding(damagedAt(ONE.bytes, 4_200), ONE.bytes);
    await run();
    holding(ONE.bytes);
    assert.deepEqual(await run(), []);
  });
});
