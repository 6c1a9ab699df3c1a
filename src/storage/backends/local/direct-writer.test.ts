import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { AlignedBuffers, PAGE_BYTES, STAGE_BYTES } from './aligned-buffers.ts';
import { NodeVolumeFiles } from './node-volume-files.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-direct-'));
});
after(async () => {
  await rm(root, { recursive: true });
});

const MODEL_BYTES = 8 * STAGE_BYTES;

/** Places and lengths around what decides on the way: pages, stages, and neither. */
const edge = fc.tuple(fc.constantFrom(0, PAGE_BYTES, 32 * PAGE_BYTES, STAGE_BYTES),
  fc.integer({ min: 0, max: 2 }), fc.integer({ min: -9, max: 9 }))
  .map(([unit, times, more]) => Math.max(0, unit * times + more));
const write = fc.record({
  position: fc.oneof(edge, fc.integer({ min: 0, max: 64 }).map((page) => page * PAGE_BYTES)),
  lengths: fc.array(edge.map((length) => Math.max(1, length)), { minLength: 1, maxLength: 4 }),
});

describe('Writes around the cache', () => {
  it('leave the same bytes as writes through it, wherever they begin and end', async () => {
    const files = new NodeVolumeFiles(root);
    let number = 0;
    const some = fc.array(write, { minLength: 1, maxLength: 6 });
    await fc.assert(fc.asyncProperty(some, async (writes) => {
      const name = `v${String(++number).padStart(8, '0')}.1.hv`;
      const model = Buffer.alloc(2 * MODEL_BYTES);
      let size = 0;
      const file = await files.open(name, 'create');
      for (const { position, lengths } of writes) {
        const pieces = lengths.map((length) => randomBytes(length));
        Buffer.concat(pieces).copy(model, position);
        size = Math.max(size, position + lengths.reduce((sum, length) => sum + length, 0));
        await file.writeDurably(pieces, position);
      }
      await file.close();
      assert.ok((await readFile(join(root, name))).equals(model.subarray(0, size)));
      await files.remove(name);
    }), { numRuns: 40 });
  });
});

describe('AlignedBuffers', () => {
  it('makes no more than allowed, and hands on what is given back, in order', async () => {
    const buffers = new AlignedBuffers(2);
    const [first, second] = [await buffers.take(), await buffers.take()];
    const got: string[] = [];
    const third = buffers.take().then((stage) => got.push(stage === second ? 'third' : 'wrong'));
    const fourth = buffers.take().then((stage) => got.push(stage === first ? 'fourth' : 'wrong'));
    buffers.giveBack(second);
    buffers.giveBack(first);
    await Promise.all([third, fourth]);
    assert.deepEqual(got, ['third', 'fourth']);
  });
});
