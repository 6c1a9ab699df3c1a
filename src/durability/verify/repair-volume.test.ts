import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { repairVolume } from './repair-volume.ts';
import { MemoryDisk, writeVolume } from './testing/memory-disk.ts';

const volume = writeVolume({
  id: 3, isSealed: true,
  batches: [[Buffer.from('one')], [Buffer.from('two'), Buffer.from('three')]],
});
/** Sound, of the same number, and of another store. */
const other = writeVolume({
  id: 3, isSealed: true, storeId: '99'.repeat(16),
  batches: [[Buffer.alloc(300, 'another one')]],
});

let bad: MemoryDisk;
let good: MemoryDisk;

const repair = () => repairVolume({
  name: volume.name, stamp: '7', markEnd: volume.dataEnd,
  bad: { id: 'bad', files: bad }, good: { id: 'good', files: good },
  pace: { budget: undefined, signal: new AbortController().signal },
});

beforeEach(() => {
  bad = new MemoryDisk();
  good = new MemoryDisk();
  bad.files.set(volume.name, Buffer.from(volume.bytes));
  good.files.set(volume.name, Buffer.from(volume.bytes));
});

describe('repairVolume', () => {
  it('puts a sound copy in the place of a damaged one, and keeps that', async () => {
    bad.flip(volume.name, 4_200);
    const damaged = Buffer.from(bad.files.get(volume.name) ?? []);
    assert.equal(await repair(), 'repaired');
    assert.deepEqual(bad.files.get(volume.name), volume.bytes);
    assert.deepEqual(bad.files.get(`${volume.name}.bad-7`), damaged);
    assert.deepEqual([...good.files.keys()], [volume.name]);
  });

  it('makes a copy that is not there', async () => {
    bad.files.delete(volume.name);
    assert.equal(await repair(), 'repaired');
    assert.deepEqual([...bad.files], [[volume.name, volume.bytes]]);
  });

  it('does nothing when what was reported is no longer so', async () => {
    assert.equal(await repair(), 'not-needed');
    assert.deepEqual([...bad.files.keys()], [volume.name]);
  });

  it('changes nothing when the other copy is damaged too, or is another volume', async () => {
    bad.flip(volume.name, 4_200);
    const before = Buffer.from(bad.files.get(volume.name) ?? []);
    for (const spoil of [
      () => good.flip(volume.name, volume.commits[1] ?? 0),
      () => good.files.set(volume.name, Buffer.from(other.bytes)),
      () => good.files.delete(volume.name),
    ]) {
      spoil();
      await assert.rejects(repair(), (error) => isKind(error, 'conflict'));
      assert.deepEqual([...bad.files], [[volume.name, before]]);
    }
  });
});
