import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { isKind } from '../base/errors.ts';
import type { CarriedRow, CarriedTable } from './carried-table.ts';
import { carryTables, compareTables } from './carry-tables.ts';
import { SqliteTables } from './stores/sqlite/sqlite-tables.ts';

const PLAIN: CarriedTable = { name: 'plain', key: ['space', 'name'], others: ['mark', 'bytes'] };
/** As where one side keeps the rest of the key in another order. */
const GROUPED: CarriedTable = { ...PLAIN, name: 'grouped', orderedBy: 1 };
const SOME: CarriedTable = { ...PLAIN, name: 'some', only: 'space > 1' };
const SQL = [PLAIN, GROUPED, SOME].map(({ name }) => `CREATE TABLE ${name} (space INTEGER NOT NULL,
  name TEXT NOT NULL, mark INTEGER UNIQUE, bytes BLOB, PRIMARY KEY (space, name)) WITHOUT ROWID;`)
  .join('\n');

const folder = mkdtempSync(join(tmpdir(), 'holdfast-tables-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

async function within<T>(
  rows: readonly (readonly [CarriedTable, readonly CarriedRow[]])[],
  act: (side: SqliteTables) => Promise<T>,
): Promise<T> {
  files += 1;
  const file = join(folder, `${files}.db`);
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = MEMORY; ${SQL}`);
  database.close();
  const side = SqliteTables.open(file);
  try {
    for (const [table, puts] of rows) await side.write(table, { puts, deletes: [] });
    return await act(side);
  } finally {
    side.close();
  }
}

async function allOf(side: SqliteTables, table: CarriedTable): Promise<CarriedRow[]> {
  const found: CarriedRow[] = [];
  for (let page = await side.readPage(table); page.length > 0;
    page = await side.readPage(table, found.at(-1))) found.push(...page);
  return found;
}

/** Names on both sides of what UTF-16 and UTF-8 order differently. */
const NAME = fc.constantFrom('', 'a', 'a ', 'B', 'é', '\u{1F600}', '\uFF21', '\uFFFD', 'z');
/** `mark` is unique: rows that change places clash with others on the way. */
const ROWS = fc.uniqueArray(
  fc.tuple(fc.integer({ min: 0, max: 3 }), NAME), { selector: String, maxLength: 12 },
).chain((keys) => fc.shuffledSubarray(keys.map((_, at) => at), {
  minLength: keys.length, maxLength: keys.length,
}).map((marks) => keys.map(([space, name], at): CarriedRow =>
  [space, name, marks[at] ?? null, at % 3 === 0 ? Buffer.from([at, 255]) : null])));

describe('carryTables', () => {
  it('makes the target as the source is, whatever it had', async () => {
    await fc.assert(fc.asyncProperty(ROWS, ROWS, async (ours, theirs) => {
      for (const table of [PLAIN, GROUPED, SOME]) {
        await within([[table, ours]], (from) => within([[table, theirs]], async (to) => {
          const pair = { from, to, tables: [table] };
          await carryTables(pair, () => undefined);
          await compareTables(pair, () => undefined);
          assert.deepEqual(await allOf(to, table), await allOf(from, table));
          assert.equal(await carryTables(pair, () => undefined), 0, 'a second time is reading');
        }));
      }
    }), { numRuns: 12 });
  });

  it('puts what is missing and touches nothing else, in the order of bytes', async () => {
    const ours: CarriedRow[] = [[1, '\uFFFD', 1, null], [1, '\u{1F600}', 2, null]];
    for (const theirs of ours) {
      await within([[PLAIN, ours]], (from) => within([[PLAIN, [theirs]]], async (to) => {
        assert.equal(await carryTables({ from, to, tables: [PLAIN] }, () => undefined), 1);
      }));
    }
  });

  it('goes over many pages of rows, and tells of each row once', async () => {
    const ours = Array.from({ length: 5_000 }, (_, at): CarriedRow => [at % 7, `${at}`, at, null]);
    await within([[PLAIN, ours], [GROUPED, ours]], (from) => within([], async (to) => {
      let told = 0;
      const pair = { from, to, tables: [PLAIN, GROUPED] };
      assert.equal(await carryTables(pair, (_, count) => (told += count)), 10_000);
      assert.equal(told, 10_000);
      assert.equal(await to.count(GROUPED), 5_000);
    }));
  });
});

describe('compareTables', () => {
  it('names the table where one value differs, or a row is missing', async () => {
    const ours: CarriedRow[] = [[1, 'a', 1, null], [1, 'b', 2, null]];
    for (const theirs of [[[1, 'a', 1, null], [1, 'b', 3, null]], [[1, 'a', 1, null]]]) {
      await within([[PLAIN, ours]], (from) => within([[PLAIN, theirs as CarriedRow[]]], (to) => (
        assert.rejects(compareTables({ from, to, tables: [PLAIN] }, () => undefined), (error) =>
          isKind(error, 'corrupt') && error.message.includes('plain')))));
    }
  });
});
