import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { LatencyLog, median, medianBy, percentile } from './statistics.ts';

describe('the statistics', () => {
  it('take percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    assert.equal(percentile(hundred, 0.5), 50);
    assert.equal(percentile(hundred, 0.99), 99);
    assert.equal(percentile(hundred, 1), 100);
    assert.equal(percentile([5], 0.99), 5);
    assert.ok(Number.isNaN(percentile([], 0.5)));
  });

  it('take a median that was really measured', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([40, 10, 30, 20]), 20);
    assert.deepEqual(medianBy([{ v: 9 }, { v: 1 }, { v: 5 }], ({ v }) => v), { v: 5 });
    assert.equal(medianBy([], () => 0), undefined);
  });

  it('have at least the share of values at or below each percentile', () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1 });
    fc.assert(fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (list, share) => {
      const sorted = list.toSorted((a, b) => a - b);
      const value = percentile(sorted, share);
      assert.ok(sorted.filter((x) => x <= value).length >= Math.floor(list.length * share));
      assert.ok(sorted.filter((x) => x < value).length < list.length * share);
    }));
  });

  it('keep more latencies than the log first had room for, in any order', () => {
    const log = new LatencyLog();
    for (let i = 10_000; i >= 1; i -= 1) log.add(i);
    assert.deepEqual(log.summary(), { count: 10_000, p50Ms: 5000, p99Ms: 9900 });
  });
});
