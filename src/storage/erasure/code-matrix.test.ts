import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DATA_SHARDS_MAX, erasurePatterns, isCodeShape, parityMatrix, recoveryMatrix,
} from './code-matrix.ts';
import { product } from './galois.ts';

describe('The code', () => {
  // All patterns of the widest code hold all patterns of the narrower ones: a coefficient depends
  // neither on k nor on m.
  it('can be decoded from every 16 of 20 shards', () => {
    const shape = { data: 16, parity: 4 };
    const patterns = erasurePatterns(shape);
    assert.equal(patterns.length, 4845);
    const all = [...new Array(20).keys()];
    const generator = [
      ...all.slice(0, 16).map((shard) => all.slice(0, 16).map((at) => Number(at === shard))),
      ...parityMatrix(shape),
    ];
    for (const missing of patterns) {
      const sources = all.filter((shard) => !missing.includes(shard));
      const rows = recoveryMatrix(shape, sources, missing);
      const found = product(rows, sources.map((shard) => generator[shard] as number[]));
      assert.deepEqual(found, missing.map((shard) => generator[shard]));
    }
  });

  it('has the same coefficients whatever k and m are', () => {
    const widest = parityMatrix({ data: 16, parity: 4 });
    for (let data = 1; data <= DATA_SHARDS_MAX; data++) {
      for (let parity = 1; parity <= 4; parity++) {
        const narrow = widest.slice(0, parity).map((row) => row.slice(0, data));
        assert.deepEqual(parityMatrix({ data, parity }), narrow);
      }
    }
  });

  it('never changes: these coefficients are on disks', () => {
    assert.deepEqual(parityMatrix({ data: 6, parity: 3 }), FROZEN);
  });

  it('has limits', () => {
    assert.equal(isCodeShape({ data: 16, parity: 4 }), true);
    for (const [data, parity] of [[17, 1], [0, 1], [1, 0], [1, 5], [1.5, 1], [NaN, 1]] as const) {
      assert.equal(isCodeShape({ data, parity }), false);
    }
  });
});

const FROZEN = [
  [1, 1, 1, 1, 1, 1], [115, 217, 89, 193, 63, 225], [156, 177, 172, 229, 153, 205],
];
