import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { prepareTexts, sqliteText } from './sqlite-texts.ts';
import { statementTally } from './statement-tally.ts';
import { openSqlite } from './testing/index.ts';
import type { SqliteFile } from './testing/index.ts';

const TEXTS = {
  put: sqliteText<[number, string]>('INSERT INTO pair (id, word) VALUES (?, ?)'),
  // As a mistake would make it: meant for one row, and finds all that have the word.
  drop: sqliteText<[string]>('DELETE FROM pair WHERE word = ?'),
  dropSome: sqliteText<[string]>('DELETE FROM pair WHERE word = ?', { rowsMax: 2 }),
  rename: sqliteText<[string, string], { id: number }>(
    'UPDATE pair SET word = ? WHERE word = ? RETURNING id',
  ),
  list: sqliteText<[], { id: number; word: string }>('SELECT id, word FROM pair ORDER BY id'),
  asArrays: sqliteText<[], [number, string]>(
    'SELECT id, word FROM pair ORDER BY id', { rowAs: 'array' },
  ),
  count: sqliteText<[], number>('SELECT COUNT(*) FROM pair', { rowAs: 'value' }),
};

const isRefused = (error: unknown): boolean =>
  isKind(error, 'internal') && error.code === 'statement-refused' && error.facts['rule'] === 'rows';

describe('The statements of a SQLite file', () => {
  let database: SqliteFile;
  const open = () => prepareTexts(database, 'tests.pairs', TEXTS);
  let sql: ReturnType<typeof open>;
  beforeEach(() => {
    database = openSqlite(':memory:');
    database.exec('CREATE TABLE pair (id INTEGER PRIMARY KEY, word TEXT NOT NULL)');
    sql = open();
    for (const [id, word] of [[1, 'one'], [2, 'more'], [3, 'more'], [4, 'many'], [5, 'many'],
      [6, 'many']] as const) sql.put.run(id, word);
  });

  it('write as many rows as they may', () => {
    assert.equal(sql.drop.run('one').changes, 1);
    assert.equal(sql.drop.run('none').changes, 0);
    assert.equal(sql.dropSome.run('more').changes, 2);
    assert.equal(sql.count.get(), 3);
  });

  it('are undone where they write more, also alone', () => {
    assert.throws(() => sql.drop.run('more'), isRefused);
    assert.throws(() => sql.dropSome.run('many'), isRefused);
    assert.equal(sql.count.get(), 6);
    assert.equal(database.inTransaction, false);
    assert.equal(sql.drop.run('one').changes, 1, 'and the next one is none the worse');
  });

  it('leave a transaction that they are part of to whoever has it', () => {
    const both = database.transaction(() => {
      sql.put.run(7, 'seven');
      sql.drop.run('more');
    });
    assert.throws(() => both.immediate(), isRefused);
    assert.equal(sql.count.get(), 6);
  });

  it('are known by their rows where they answer what they write', () => {
    assert.deepEqual(sql.rename.get('two', 'one'), { id: 1 });
    assert.equal(sql.rename.get('two', 'none'), undefined);
    assert.throws(() => sql.rename.get('other', 'more'), isRefused);
    assert.throws(() => sql.rename.all('other', 'many'), isRefused);
    assert.deepEqual(sql.list.all().map(({ word }) => word),
      ['two', 'more', 'more', 'many', 'many', 'many']);
  });

  it('give rows in the form that was asked for', () => {
    assert.deepEqual(sql.list.get(), { id: 1, word: 'one' });
    assert.deepEqual(sql.asArrays.all()[1], [2, 'more']);
    assert.equal(sql.count.get(), 6);
  });

  it('are counted', () => {
    const counted = (): number => [...statementTally]
      .find(({ name }) => name === 'tests.pairs.drop')?.count ?? 0;
    const before = counted();
    sql.drop.run('one');
    assert.throws(() => sql.drop.run('many'), isRefused);
    assert.equal(counted(), before + 2);
  });
});
