/** The promises of SchemaTarget. Every implementation runs them. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import type { Row } from './row-upgrades.ts';
import type { SchemaShard } from './schema-target.ts';
import {
  PERSON_BACKFILL, PERSON_CONTRACT, PERSON_EXPAND, PERSON_ROWS,
} from './testing/fixture-changes.ts';

/** A shard with the table `person` as the version before made it, and no rows. */
export interface FixtureShard {
  readonly shard: SchemaShard;
  insert(rows: readonly Row[]): Promise<void>;
  /** By id. */
  readRows(): Promise<Row[]>;
  /** Makes a column behind the runner's back. */
  addColumn(column: string): Promise<void>;
}

const NOON = Date.UTC(2026, 4, 1, 12);

export function testSchemaTarget(name: string, makeShard: () => Promise<FixtureShard>): void {
  describe(`${name} keeps the promises of SchemaTarget`, () => {
    let fixture: FixtureShard;
    beforeEach(async () => {
      fixture = await makeShard();
    });

    const opened = async <T>(
      act: (target: Awaited<ReturnType<SchemaShard['open']>>) => Promise<T>,
    ): Promise<T> => {
      const target = await fixture.shard.open();
      try {
        return await act(target);
      } finally {
        await target.close();
      }
    };
    const columnsOf = (): Promise<string[]> => opened(async (target) => (
      (await target.readCatalogue()).find((table) => table.name === 'person')?.columns ?? []
    ).map((column) => column.name));
    const run = (change: typeof PERSON_EXPAND | typeof PERSON_CONTRACT, step: number) => (
      opened((target) => target.runStep(change, step, NOON)));

    it('makes a step once, and knows it from then on', async () => {
      assert.deepEqual(await opened((target) => target.listNotes()), []);
      assert.equal(await run(PERSON_EXPAND, 0), 'made');
      assert.equal(await run(PERSON_EXPAND, 0), 'known');
      assert.deepEqual(await columnsOf(), ['id', 'full_name', 'form', 'given_name']);
      assert.equal(await run(PERSON_EXPAND, 1), 'made');
      assert.deepEqual(await opened((target) => target.listNotes()), [0, 1].map((step) => (
        { changeId: 'person-names', step, how: 'made', minCode: '', atMs: NOON })));
    });

    it('finds a step that was made and not noted', async () => {
      await fixture.addColumn('given_name');
      assert.equal(await run(PERSON_EXPAND, 0), 'found');
      assert.equal(await run(PERSON_EXPAND, 0), 'known');
      assert.deepEqual((await opened((target) => target.listNotes())).map(({ how }) => how),
        ['found']);
    });

    it('makes a step once when several runners come at the same time', async () => {
      const outcomes = await Promise.all([run(PERSON_EXPAND, 0), run(PERSON_EXPAND, 0)]);
      assert.deepEqual(outcomes.sort(), ['known', 'made']);
    });

    it('takes away, and notes which programs can do without', async () => {
      assert.equal(await run(PERSON_CONTRACT, 0), 'made');
      assert.deepEqual(await columnsOf(), ['id', 'form']);
      const [note] = await opened((target) => target.listNotes());
      assert.equal(note?.minCode, '2.1.0');
    });

    it('refuses a step that is not there', async () => {
      await assert.rejects(run(PERSON_EXPAND, 2), (error) => isKind(error, 'internal'));
    });

    it('counts and sweeps old rows in the order of their keys, and no others', async () => {
      await run(PERSON_EXPAND, 0);
      await run(PERSON_EXPAND, 1);
      const old = (id: number): Row => ({ id, full_name: `given${id} family${id}`, form: 0 });
      await fixture.insert([5, 1, 3, 2].map(old));
      await fixture.insert([{ id: 4, full_name: 'has been', form: 1 }]);
      await opened(async (target) => {
        assert.equal(await target.countOld(PERSON_ROWS), 4);
        const first = await target.sweep(PERSON_ROWS, { limit: 2, after: undefined });
        assert.deepEqual([first.upgradedCount, first.next], [2, [2]]);
        assert.ok(first.waitedMs >= 0 && first.heldMs >= 0);
        assert.equal(await target.countOld(PERSON_ROWS), 2);
        const second = await target.sweep(PERSON_ROWS, { limit: 3, after: first.next });
        assert.deepEqual([second.upgradedCount, second.next], [2, undefined]);
        assert.equal(await target.countOld(PERSON_ROWS), 0);
      });
      const rows = await fixture.readRows();
      assert.deepEqual(rows.map((row) => [row['id'], row['given_name'], row['form']]), [
        [1, 'given1', 1], [2, 'given2', 1], [3, 'given3', 1], [4, null, 1], [5, 'given5', 1],
      ]);
    });

    it('notes a sweep that has come to its end, once', async () => {
      await opened((target) => target.noteSwept(PERSON_BACKFILL, NOON));
      await opened((target) => target.noteSwept(PERSON_BACKFILL, NOON + 1));
      const notes = await opened((target) => target.listNotes());
      assert.deepEqual(notes.map(({ changeId, atMs }) => [changeId, atMs]),
        [['person-names-rows', NOON]]);
    });

    it('shows the same catalogue before and after its own first note', async () => {
      const tables = () => opened(async (target) => (
        (await target.readCatalogue()).map((table) => table.name)));
      const before = await tables();
      await opened((target) => target.noteSwept(PERSON_BACKFILL, NOON));
      assert.deepEqual(await tables(), before);
    });
  });
}
