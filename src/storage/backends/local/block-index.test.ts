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
});
