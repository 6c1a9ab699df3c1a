import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SeededRandom, systemRandom } from './random.ts';

describe('Random', () => {
  it('repeats itself from a seed, and differs between seeds', () => {
    assert.deepEqual(new SeededRandom(7).bytes(32), new SeededRandom(7).bytes(32));
    assert.notDeepEqual(new SeededRandom(7).bytes(32), new SeededRandom(8).bytes(32));
  });

  const both = { seeded: new SeededRandom(1), system: systemRandom };
  for (const [name, random] of Object.entries(both)) {
    it(`${name}: below reaches each of few numbers about as often, and none beyond`, () => {
      const counts = [0, 0, 0, 0, 0];
      for (let draw = 0; draw < 5000; draw += 1) {
        const at = random.below(5);
        counts[at] = (counts[at] ?? 0) + 1;
      }
      assert.equal(counts.length, 5);
      for (const count of counts) assert.ok(count > 800 && count < 1200, String(counts));
    });
  }
});
