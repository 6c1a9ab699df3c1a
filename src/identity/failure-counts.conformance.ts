/** The promises of FailureCounts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import type { CountsNow, FailureCounts, KeptCount } from './failure-counts.ts';

export interface OpenedCounts {
  readonly counts: FailureCounts;
  /** As another server has them. */
  readonly other: FailureCounts;
  /** How many are kept at most; `sweep` has what is too much go. */
  readonly countMax: number;
  readonly sweep: () => Promise<void>;
}

export const nameOf = (text: string): string => text.padEnd(64, '0');
const HOUR_MS = 3_600_000;

function onceMore(name: string, keepMs = HOUR_MS) {
  return ({ counts, nowMs }: CountsNow): Map<string, KeptCount> => {
    const { count = 0, tags = [] } = counts.get(name) ?? {};
    return new Map([[name, {
      count: count + 1.5, countedAtMs: nowMs, openAtMs: nowMs + 10_000, keepMs,
      tags: [...tags, 'ab12'].slice(-3),
    }]]);
  };
}

export function testFailureCounts(name: string, open: () => Promise<OpenedCounts>): void {
  describe(`${name} keeps the promises of FailureCounts`, () => {
    it('has every server read what one has counted', async () => {
      const { counts, other } = await open();
      const [mine, theirs, third] = ['a', 'b', 'c'].map(nameOf) as [string, string, string];
      assert.equal((await other.read([mine])).counts.size, 0);
      await counts.update([mine, theirs], onceMore(mine));
      await counts.update([mine, theirs], onceMore(mine));
      const { counts: found, nowMs } = await other.read([third, mine, theirs]);
      assert.deepEqual([...found.keys()], [mine]);
      const row = found.get(mine);
      assert.deepEqual([row?.count, row?.tags], [3, ['ab12', 'ab12']]);
      assert.equal((row?.openAtMs ?? 0) - (row?.countedAtMs ?? 0), 10_000);
      assert.ok(Math.abs(nowMs - (row?.countedAtMs ?? 0)) < 60_000);
    });

    it('loses no count of servers that count at the same moment', async () => {
      const { counts, other } = await open();
      const [mine, theirs] = ['a', 'b'].map(nameOf) as [string, string];
      await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? counts : other)
        .update(at % 3 === 0 ? [mine, theirs] : [theirs, mine], onceMore(mine))));
      assert.equal((await other.read([mine])).counts.get(mine)?.count, 30);
    });

    it('forgets what it is told to, and what was kept long enough', async () => {
      const { counts, other } = await open();
      const [gone, ended] = ['a', 'b'].map(nameOf) as [string, string];
      await counts.update([gone], onceMore(gone));
      await counts.update([ended], onceMore(ended, 0));
      await other.update([gone], () => new Map([[gone, undefined]]));
      assert.equal((await counts.read([gone, ended])).counts.size, 0);
      await counts.update([gone], onceMore(gone));
      assert.equal((await counts.read([gone])).counts.get(gone)?.count, 1.5, 'it begins anew');
    });

    it('keeps no more than it may: what would end first goes', async () => {
      const { counts, other, countMax, sweep } = await open();
      const names = Array.from({ length: countMax + 5 }, (_, at) => nameOf(`${at}-`));
      for (const [at, each] of names.entries()) {
        await counts.update([each], onceMore(each, HOUR_MS + at * HOUR_MS));
      }
      await sweep();
      const kept: boolean[] = [];
      for (const each of names) kept.push((await other.read([each])).counts.has(each));
      assert.deepEqual(kept, names.map((_, at) => at >= 5));
    });

    it('says that it is closed, and is closed twice calmly', async () => {
      const { counts } = await open();
      await counts.close();
      await counts.close();
      await assert.rejects(counts.read([nameOf('a')]), (error) => isKind(error, 'unavailable'));
    });
  });
}
