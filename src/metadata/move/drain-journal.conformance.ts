/** The promises of DrainJournal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import type { DrainJournal, DrainRecord } from './drain-journal.ts';

export interface OpenedDrains {
  readonly journal: DrainJournal;
  /** As a later process finds it. */
  readonly again: () => Promise<DrainJournal>;
}

export function drainOf(shard: number): DrainRecord {
  return {
    shard, rev: 0, state: 'draining', isPaused: false, atOnce: 2, total: 7, begunAt: 1_000,
  };
}

/** As an operator would see it. */
export const seenOf = (records: readonly DrainRecord[]): unknown =>
  records.map(({ rev: _, ...record }) => JSON.parse(JSON.stringify(record)) as unknown);

export function testDrainJournal(name: string, open: () => Promise<OpenedDrains>): void {
  describe(`${name} keeps the promises of DrainJournal`, () => {
    const changed = (work: Promise<unknown>): Promise<void> => assert.rejects(work, (error) =>
      isKind(error, 'conflict') && error.code === 'drain-changed');

    it('has one record for each shard, the last, by number, for whoever comes later', async () => {
      const { journal, again } = await open();
      assert.deepEqual(await journal.list(), []);
      const third = await journal.put(drainOf(3));
      await journal.put(drainOf(1));
      const later = { ...third, isPaused: true, trouble: 'Nowhere "to" go: Ω' };
      const noted = await journal.put(later);
      const next = await again();
      assert.deepEqual(seenOf(await next.list()), seenOf([drainOf(1), later]));
      assert.deepEqual(seenOf([noted]), seenOf([later]));
      const [, found] = await next.list();
      assert.ok(found !== undefined);
      await next.put({ ...found, state: 'done', trouble: undefined });
      assert.deepEqual(seenOf(await (await again()).list()),
        seenOf([drainOf(1), { ...third, isPaused: true, state: 'done' }]));
    });

    it('changes nothing for whoever has read what is no longer so', async () => {
      const { journal } = await open();
      const first = await journal.put(drainOf(1));
      await changed(journal.put({ ...drainOf(1), state: 'stopped' }));
      const second = await journal.put({ ...first, isPaused: true });
      await changed(journal.put({ ...first, state: 'done' }));
      assert.deepEqual(await journal.list(), [second]);
      const both = await Promise.allSettled([
        journal.put({ ...second, state: 'done' }), journal.put({ ...second, state: 'stopped' }),
      ]);
      assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    });
  });
}
