import assert from 'node:assert/strict';
import { it } from 'node:test';
import { atOnce, wavesOf } from './waves.ts';

it('waves go from one shard over 1 % and 10 % to all, five in a hundred at once', () => {
  assert.deepEqual(wavesOf(0), []);
  assert.deepEqual(wavesOf(1), [1]);
  assert.deepEqual(wavesOf(8), [1, 8]);
  assert.deepEqual(wavesOf(208), [1, 3, 21, 208]);
  assert.deepEqual(wavesOf(7_000), [1, 70, 700, 7_000]);
  assert.deepEqual([1, 8, 20, 40, 208].map(atOnce), [1, 1, 1, 2, 10]);
});
