/** The promises of SchemaBook. Every implementation runs them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { PROBLEM_LENGTH_MAX } from './schema-book.ts';
import type { SchemaBook, ShardRun } from './schema-book.ts';

const NOON = Date.UTC(2026, 4, 1, 12);

export function testSchemaBook(name: string, makeEmpty: () => Promise<SchemaBook>): void {
  describe(`${name} keeps the promises of SchemaBook`, () => {
    let book: SchemaBook;
    beforeEach(async () => {
      book = await makeEmpty();
    });
    afterEach(() => book.close());

    const run = (shard: string, more: Partial<ShardRun> = {}): ShardRun => ({
      changeId: 'a', shard, state: 'running', startedAtMs: NOON, rowsDone: 0, problem: '', ...more,
    });

    it('keeps the newest of each shard and change, by shard', async () => {
      await book.putRun(run('shard-2'));
      await book.putRun(run('shard-1'));
      await book.putRun(run('shard-1', { changeId: 'b' }));
      await book.putRun(run('shard-2', { state: 'done', rowsDone: 7 }));
      assert.deepEqual(await book.listRuns('a'),
        [run('shard-1'), run('shard-2', { state: 'done', rowsDone: 7 })]);
      assert.deepEqual(await book.listRuns('none'), []);
    });

    it('keeps so much of a problem as fits', async () => {
      await book.putRun(run('shard-1', { state: 'failed', problem: 'x'.repeat(2_000) }));
      const [kept] = await book.listRuns('a');
      assert.equal(kept?.problem, 'x'.repeat(PROBLEM_LENGTH_MAX));
    });

    it('knows which changes have begun and ended', async () => {
      await book.putChange({ changeId: 'b', doneAtMs: undefined, minCode: '2.0.0' });
      await book.putChange({ changeId: 'a', doneAtMs: NOON, minCode: '' });
      assert.deepEqual(await book.listChanges(), [
        { changeId: 'a', doneAtMs: NOON, minCode: '' },
        { changeId: 'b', doneAtMs: undefined, minCode: '2.0.0' },
      ]);
      await book.putChange({ changeId: 'b', doneAtMs: NOON, minCode: '2.0.0' });
      await book.dropChange('a');
      await book.dropChange('a');
      assert.deepEqual((await book.listChanges()).map(({ doneAtMs }) => doneAtMs), [NOON]);
    });

    it('is paused until it is resumed', async () => {
      assert.equal(await book.findPause(), undefined);
      await book.pause('lunch', NOON);
      await book.pause('a long lunch', NOON + 1);
      assert.deepEqual(await book.findPause(), { reason: 'a long lunch', sinceMs: NOON + 1 });
      await book.resume();
      await book.resume();
      assert.equal(await book.findPause(), undefined);
    });
  });
}
