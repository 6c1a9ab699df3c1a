import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BlockIndex } from './block-index.ts';
import { SeededRandom } from './testing/random.ts';

describe('BlockIndex', () => {
  it('agrees with a plain map through growth, moves and misses', () => {
    const random = new SeededRandom(3);
    for (const expected of [0, 20_000]) {
      const index = new BlockIndex(expected);
      const model = new Map<string, { volumeId: number; offset: number; sizeBytes: number }>();
      const ids = Array.from({ length: 20_000 }, () => random.bytes(32));
      for (let step = 0; step < 30_000; step++) {
        const id = ids[random.below(ids.length)] as Buffer;
        const place = {
          volumeId: 1 + random.below(1e6),
          offset: random.below(2 ** 29) * 8,
          sizeBytes: 1 + random.below(4 * 1024 ** 2),
        };
        index.set(id, 0, place);
        model.set(id.toString('hex'), place);
      }
      for (const id of ids) {
        assert.deepEqual(index.find(id, 0), model.get(id.toString('hex')));
        assert.equal(index.has(id, 0), model.has(id.toString('hex')));
      }
      const sizes = [...model.values()].map(({ sizeBytes }) => sizeBytes);
      assert.equal(index.count, model.size);
      assert.equal(index.storedBytes, sizes.reduce((sum, size) => sum + size, 0));
    }
  });

  it('takes 32 bytes for a block at most when it knows the count beforehand', () => {
    const random = new SeededRandom(4);
    const count = 100_000;
    const index = new BlockIndex(count);
    for (let at = 0; at < count; at++) {
      index.set(random.bytes(32), 0, { volumeId: 1, offset: at * 8, sizeBytes: 1 });
    }
    assert.ok(index.memoryBytes / count <= 33, `${index.memoryBytes / count} bytes`);
  });

  it('forgets dropped blocks, and finds all others still', () => {
    const random = new SeededRandom(5);
    const index = new BlockIndex();
    const model = new Map<string, { volumeId: number; offset: number; sizeBytes: number }>();
    const ids = Array.from({ length: 6_000 }, () => random.bytes(32));
    for (let step = 0; step < 40_000; step++) {
      const id = ids[random.below(ids.length)] as Buffer;
      const hex = id.toString('hex');
      const place = { volumeId: 1 + random.below(9), offset: step * 8, sizeBytes: 1 + (step % 99) };
      const old = model.get(hex);
      if (old === undefined || random.chance(0.1)) {
        index.set(id, 0, place);
        model.set(hex, place);
        continue;
      }
      assert.equal(index.drop(id, 0, old), false, 'only what is condemned');
      // Numbers come round: a stamp of long ago may look like today's.
      do index.beginCensus(); while (!index.condemn(id, 0));
      assert.equal(index.drop(id, 0, { ...old, offset: old.offset + 8 }), false, 'only this place');
      assert.equal(index.drop(id, 0, old), true);
      model.delete(hex);
    }
    for (const id of ids) assert.deepEqual(index.find(id, 0), model.get(id.toString('hex')));
    const sizes = [...model.values()].map(({ sizeBytes }) => sizeBytes);
    assert.equal(index.count, model.size);
    assert.equal(index.storedBytes, sizes.reduce((sum, size) => sum + size, 0));
    assert.deepEqual([index.condemnedCount, index.condemnedBytes], [0, 0]);
  });

  it('moves a block only from where it is, and leaves it as needed as it was', () => {
    const index = new BlockIndex();
    const id = Buffer.alloc(32, 7);
    const from = { volumeId: 1, offset: 8, sizeBytes: 4_194_304 };
    const to = { volumeId: 2, offset: 64, sizeBytes: 4_194_304 };
    index.set(id, 0, from);
    index.beginCensus();
    assert.ok(index.condemn(id, 0));
    assert.equal(index.move(id, 0, { from: to, to: from }), false);
    assert.equal(index.move(id, 0, { from, to }), true);
    assert.deepEqual(index.find(id, 0), to);
    assert.ok(index.isCondemned(id, 0));
    assert.equal(index.unmet(id, 0), 4_194_304);
    assert.deepEqual(index.touch(id, 0), to);
    assert.equal(index.unmet(id, 0), undefined);
    assert.equal(index.condemn(id, 0), false);
  });
});
