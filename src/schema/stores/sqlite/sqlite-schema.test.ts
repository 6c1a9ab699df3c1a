import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { testSchemaBook } from '../../schema-book.conformance.ts';
import { testSchemaTarget } from '../../schema-target.conformance.ts';
import { PERSON_BEFORE, PERSON_EXPAND } from '../../testing/fixture-changes.ts';
import type { RowUpgrades } from '../../row-upgrades.ts';
import type { SweptRows } from '../../schema-target.ts';
import { sqliteFixture } from '../../testing/sqlite-fixture.ts';
import { openSqliteBook } from './sqlite-schema-book.ts';
import { sqliteGolden } from './sqlite-catalogue.ts';
import { SqliteSchemaTarget } from './sqlite-schema-target.ts';
import { SqliteSession } from './sqlite-session.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-schema-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const nextFile = (): string => {
  count += 1;
  return join(folder, `shard-${count}.db`);
};

testSchemaTarget('SqliteSchemaTarget', () => sqliteFixture(nextFile()));
testSchemaBook('SqlSchemaBook on SQLite', () => openSqliteBook(nextFile()));

describe('SqliteSchemaTarget', () => {
  it('leaves neither statement nor note of a step that the file refuses', async () => {
    const { shard } = await sqliteFixture(nextFile());
    const target = await shard.open();
    const [step] = PERSON_EXPAND.steps;
    assert.ok(step !== undefined);
    const wrong = { ...PERSON_EXPAND, steps: [{ ...step, sqlite: 'ALTER TABLE no_table ADD x' }] };
    await assert.rejects(target.runStep(wrong, 0, 1), (error) => isKind(error, 'invalid'));
    const idle = { ...step, sqlite: 'ALTER TABLE person ADD COLUMN another_name' };
    await assert.rejects(target.runStep({ ...PERSON_EXPAND, steps: [idle] }, 0, 1),
      (error) => isKind(error, 'internal'));
    assert.deepEqual(await target.listNotes(), []);
    assert.deepEqual(await target.readCatalogue(),
      sqliteGolden(`CREATE TABLE person (${PERSON_BEFORE})`));
    await target.close();
  });

  it('sweeps a table whose key has two columns, in pieces, whole', async () => {
    const file = nextFile();
    const session = await SqliteSession.open(file, { create: true });
    await session.alter('CREATE TABLE pair (a INTEGER NOT NULL, b TEXT NOT NULL, '
      + 'form INTEGER NOT NULL DEFAULT 0, twice TEXT, PRIMARY KEY (a, b))');
    await session.atomically(async () => {
      for (const [a, b] of [[2, 'a'], [1, 'b'], [1, 'c'], [3, 'a'], [2, 'c'], [1, 'a'], [3, 'b']]) {
        await session.change('INSERT INTO pair (a, b) VALUES (?, ?)', [a ?? null, b ?? null]);
      }
    });
    const target = await SqliteSchemaTarget.open(file);
    const rows: RowUpgrades = {
      table: 'pair', key: ['a', 'b'], versionColumn: 'form', columns: ['twice'],
      upgrades: [(row) => ({ ...row, twice: `${String(row['b'])}${String(row['b'])}` })],
    };
    const pieces: unknown[] = [];
    let next: SweptRows['next'];
    do {
      const swept = await target.sweep(rows, { limit: 2, after: next });
      ({ next } = swept);
      pieces.push([swept.upgradedCount, next?.join('')]);
    } while (next !== undefined);
    assert.deepEqual(pieces, [[2, '1b'], [2, '2a'], [2, '3a'], [1, undefined]]);
    assert.equal(await target.countOld(rows), 0);
    const [[count] = []] = await session.query('SELECT COUNT(*) FROM pair WHERE twice = b || b');
    assert.equal(count, 7);
    await target.close();
    await session.close();
  });

  it('makes no file where there is none', async () => {
    await assert.rejects(SqliteSchemaTarget.open(join(folder, 'none.db')),
      (error) => isKind(error, 'unavailable'));
  });
});
