import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { idOf, MemoryDisk, writeVolume } from '../testing/memory-disk.ts';
import type { WrittenVolume } from '../testing/memory-disk.ts';
import { checkVolume } from './volume-check.ts';
import type { CheckInput, CheckPoint, CheckResult } from './volume-check.ts';
import { parseVolumeFileName } from './volume-format.ts';
import { withVolume } from './volume-folder.ts';

const GOLDEN = new URL('../../../../test/fixtures/volumes/', import.meta.url);

function check(
  disk: MemoryDisk, name: string, options: Partial<CheckInput> = {},
): Promise<CheckResult> {
  return withVolume(disk, name, (file) => checkVolume({
    file, volumeId: parseVolumeFileName(name)?.id ?? 0, hashes: true, from: undefined, markEnd: 0,
    wasSealed: false, pace: { budget: undefined, signal: new AbortController().signal },
    ...options,
  }));
}

const blocks = (count: number, sizeBytes: number, label: string): Buffer[] =>
  Array.from({ length: count }, (_, n) => Buffer.alloc(sizeBytes, `${label} ${n} `));

function diskWith(...volumes: readonly WrittenVolume[]): MemoryDisk {
  const disk = new MemoryDisk();
  for (const { name, bytes } of volumes) disk.files.set(name, Buffer.from(bytes));
  return disk;
}

const small = writeVolume({
  id: 1, isSealed: true,
  batches: [blocks(3, 21, 'a'), blocks(1, 40, 'b'), blocks(2, 16, 'c')],
});
const growing = writeVolume({
  id: 2, batches: [blocks(3, 21, 'a'), blocks(1, 40, 'b'), blocks(2, 16, 'c')],
});

describe('checkVolume', () => {
  it('finds nothing in any volume that was ever released', async () => {
    let count = 0;
    for (const folder of await readdir(GOLDEN, { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      const disk = new MemoryDisk();
      const place = new URL(`${folder.name}/`, GOLDEN);
      for (const name of await readdir(place)) {
        if (parseVolumeFileName(name) === undefined) continue;
        disk.files.set(name, await readFile(new URL(name, place)));
        const { faults } = await check(disk, name);
        assert.deepEqual(faults, [], `${folder.name}/${name}`);
        count++;
      }
    }
    assert.ok(count > 2, 'there are golden volumes');
  });

  it('notices every single flipped bit of a sealed volume but in its padding', async () => {
    const padding = new Set<number>();
    for (const [id, at] of small.places) {
      const length = small.bytes.readUInt32LE(at + 12);
      assert.equal(small.bytes.toString('hex', at + 16, at + 48), id);
      for (let p = at + 64 + length; p % 8 !== 0; p++) padding.add(p);
    }
    const missed: number[] = [];
    for (let at = 0; at < small.bytes.length; at++) {
      const disk = diskWith(small);
      disk.flip(small.name, at);
      const { faults } = await check(disk, small.name);
      if (faults.length === 0 && !padding.has(at)) missed.push(at);
    }
    assert.deepEqual(missed, []);
    assert.ok(padding.size > 0, 'the volume has padding');
  });

  it('notices a sealed volume cut at any length', async () => {
    for (let cut = 0; cut < small.bytes.length; cut += 1) {
      const disk = diskWith(small);
      disk.files.set(small.name, Buffer.from(small.bytes.subarray(0, cut)));
      const { faults } = await check(disk, small.name, {
        wasSealed: true, markEnd: small.dataEnd,
      });
      assert.ok(faults.length > 0, `cut at ${cut}`);
    }
  });

  it('notices two records of a batch that have changed places, by its sum', async () => {
    for (const isWithoutSums of [false, true]) {
      const batches = [blocks(3, 24, 'a'), blocks(1, 9, 'b')];
      const volume = writeVolume({ id: 5, isWithoutSums, batches });
      const [one = 0, other = 0] = [...volume.places.values()];
      const recordBytes = other - one;
      const bytes = Buffer.from(volume.bytes);
      volume.bytes.copy(bytes, one, other, other + recordBytes);
      volume.bytes.copy(bytes, other, one, one + recordBytes);
      assert.deepEqual((await check(diskWith(volume), volume.name)).faults, []);
      const { faults } = await check(diskWith({ ...volume, bytes }), volume.name);
      assert.deepEqual(faults.map(({ kind }) => kind), isWithoutSums ? [] : ['commit-damaged']);
    }
  });

  it('takes a tail behind the last commit of a growing volume for a write under way', async () => {
    for (let cut = growing.dataEnd - 70; cut <= growing.dataEnd; cut += 1) {
      const disk = diskWith(growing);
      disk.files.set(growing.name, Buffer.from(growing.bytes.subarray(0, cut)));
      const { faults } = await check(disk, growing.name, { markEnd: growing.commits[1] ?? 0 });
      assert.deepEqual(faults, [], `cut at ${cut}`);
    }
  });

  it('tells damage below the mark from a torn tail above it', async () => {
    const disk = diskWith(growing);
    disk.flip(growing.name, (growing.commits[2] ?? 0) + 20);
    assert.deepEqual((await check(disk, growing.name)).faults, []);
    const { faults } = await check(disk, growing.name, { markEnd: growing.dataEnd });
    assert.deepEqual(faults.map(({ kind }) => kind), ['commit-damaged']);
  });

  it('believes a later batch that the bytes before it had been acknowledged', async () => {
    const disk = diskWith(growing);
    disk.flip(growing.name, (growing.commits[1] ?? 0) + 20);
    const { faults, checkedEnd } = await check(disk, growing.name);
    assert.deepEqual(faults.map(({ kind }) => kind), ['commit-damaged']);
    assert.equal(checkedEnd, growing.dataEnd);
  });

  it('goes on behind damage, so that a second fault is found too', async () => {
    const volume = writeVolume({ id: 3, isSealed: true, batches: blocks(9, 3_000, 'x').map(
      (block) => [block],
    ) });
    const disk = diskWith(volume);
    disk.flip(volume.name, (volume.commits[1] ?? 0) + 3);
    const last = [...volume.places.values()].at(-1) ?? 0;
    disk.flip(volume.name, last + 100);
    const { faults } = await check(disk, volume.name);
    assert.deepEqual(faults.map(({ kind }) => kind), ['commit-damaged', 'payload-damaged']);
  });

  it('goes on from a point as if it had never stopped', async () => {
    const points: CheckPoint[] = [];
    const volume = writeVolume({ id: 3, isSealed: true, batches: blocks(30, 100_000, 'x').map(
      (block) => [block],
    ) });
    const disk = diskWith(volume);
    const whole = await check(disk, volume.name, { onPoint: (point) => points.push(point) });
    assert.equal(points.length, 3, 'one for each mebibyte');
    for (const from of points) {
      const rest = await check(disk, volume.name, { from });
      assert.deepEqual(rest, whole);
    }
  });

  it('finds bytes that hash to another id only when it computes hashes', async () => {
    const real = Buffer.from('what was meant');
    const volume = writeVolume({ id: 4, isSealed: true, batches: [[real]] });
    const wrong = Buffer.from('something else');
    const other = writeVolume({ id: 4, isSealed: true, batches: [[wrong]] });
    const at = volume.places.get(idOf(real)) ?? 0;
    // Payload and its checksum of one volume under the id of the other.
    const mixed = Buffer.from(other.bytes);
    assert.equal(mixed.length, volume.bytes.length);
    assert.equal((await check(diskWith(other), other.name)).faults.length, 0);
    const disk = diskWith({ ...volume, bytes: mixed });
    assert.equal((await check(disk, volume.name, { hashes: false })).faults.length, 0);
    disk.files.set(volume.name, withForgedId(mixed, at));
    const cheap = await check(disk, volume.name, { hashes: false });
    assert.ok(!cheap.faults.some(({ kind }) => kind === 'hash-differs'));
    const { faults } = await check(disk, volume.name);
    assert.ok(faults.some(({ kind }) => kind === 'hash-differs'));
  });
});

/** Another id in the header, its checksum put right: only a hash can tell. */
function withForgedId(bytes: Buffer, at: number): Buffer {
  const forged = writeVolume({ id: 4, isSealed: true, batches: [[Buffer.from('what was meant')]] });
  const changed = Buffer.from(forged.bytes);
  bytes.copy(changed, at + 64, at + 64, at + 64 + 14);
  bytes.copy(changed, at + 48, at + 48, at + 52);
  const header = changed.subarray(at, at + 64);
  header.writeUInt32LE(crcOf(header.subarray(0, 60)), 60);
  return changed;
}

function crcOf(bytes: Buffer): number {
  let value = 0xffff_ffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0);
  }
  return (value ^ 0xffff_ffff) >>> 0;
}
