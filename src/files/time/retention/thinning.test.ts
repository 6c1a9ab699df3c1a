import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeId } from '../../../base/ids.ts';
import { DAY_MS, versionsToDrop } from './thinning.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const POLICY = { keepAllDays: 30, keepDailyDays: 365 };

function keys(agesInDays: readonly number[]) {
  return agesInDays.toSorted((a, b) => b - a).map((age, index) => ({
    nodeId: 1 as NodeId, contentRev: index + 1, sizeBytes: 1,
    savedAt: NOW - Math.round(age * DAY_MS),
  }));
}

const dropped = (ages: readonly number[], policy = POLICY): number[] =>
  versionsToDrop(keys(ages), policy, NOW).map(({ contentRev }) => contentRev);

describe('Thinning of versions', () => {
  it('keeps all that are young, the last of each older day, the last of each old month', () => {
    assert.deepEqual(dropped([1, 1.01, 1.02, 29]), []);
    assert.deepEqual(dropped([40.1, 40.2, 40.3, 41.1, 0]), [2, 3]);
    assert.deepEqual(dropped([400, 401, 402, 450, 0]), [2, 3]);
    assert.deepEqual(dropped([800.1, 800.2]), [1]);
  });

  it('drops nothing when all are kept for ever', () => {
    assert.deepEqual(dropped([40.1, 40.2, 0], { keepAllDays: 0, keepDailyDays: 0 }), []);
  });

  it('never drops the newest, leaves one of each day, and has no more to do afterwards', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 900, noNaN: true })), (ages) => {
      const all = keys(ages);
      const gone = new Set(versionsToDrop(all, POLICY, NOW));
      const rest = all.filter((key) => !gone.has(key));
      const last = all.at(-1);
      if (last !== undefined) assert.ok(rest.includes(last));
      assert.deepEqual(versionsToDrop(rest, POLICY, NOW), []);
      for (const { savedAt } of gone) {
        const month = new Date(savedAt).toISOString().slice(0, 7);
        assert.ok(rest.some((key) => new Date(key.savedAt).toISOString().startsWith(month)));
      }
    }));
  });
});
