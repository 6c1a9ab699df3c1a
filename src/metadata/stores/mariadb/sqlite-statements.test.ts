/** SQLite needs no registry: nobody but this program is on the other end. But what the guard would
 *  refuse of a statement for a server is no better in a file. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { namedSql, ownerOf, statements } from '../../../platform/mariadb/index.ts';
import { notedMove } from '../../move/testing/noted-move.ts';
import type { SqlStep } from '../rows/row-sql.ts';
import { PAST_SQL } from '../sqlite/reader/past-statements.ts';
import { READ_SQL } from '../sqlite/reader/read-statements.ts';
import { WRITER_ROWS, WRITER_SQL } from '../sqlite/statements.ts';
import type { StatementName } from '../sqlite/statements.ts';
import { moveStatement } from './move-statements.ts';
import { TABLE_KEYS } from './schema.ts';
import { WRITER_OWNER } from './writer/writer-statements.ts';

/** A read, which begins with rows that no server writes so. */
const IN_OTHER_WORDS: ReadonlySet<string> = new Set(['countOlderFiles']);

it('The guard lets pass every statement of the metadata in SQLite', () => {
  const owner = { ...WRITER_OWNER, owner: 'tests.sqlite' };
  const all = [READ_SQL, PAST_SQL, WRITER_SQL].flatMap((table) => Object.entries<string>(table))
    .filter(([name, sql]) => !/^(BEGIN|COMMIT|ROLLBACK)/.test(sql) && !IN_OTHER_WORDS.has(name));
  for (const [name, sql] of all) namedSql(name, sql, ownerOf(owner, name as StatementName));
  assert.ok(all.length > 150, `${all.length} statements`);
});

it('A statement in SQLite may write no more rows than the guard works out for a server', () => {
  let writes = 0;
  for (const [name, sql] of Object.entries(WRITER_SQL)) {
    if (/^(BEGIN|COMMIT|ROLLBACK)/.test(sql)) continue;
    const owner = ownerOf({ ...WRITER_OWNER, owner: 'tests.rows' }, name as StatementName);
    const { kind, rowsMax } = statements.get(namedSql(name, sql, owner).text);
    if (kind !== 'write') continue;
    writes += 1;
    // Servers count a row twice that is put and was there.
    const wanted = /ON (?:CONFLICT|DUPLICATE)/.test(sql) ? rowsMax / 2 : rowsMax;
    assert.equal(WRITER_ROWS[name as StatementName] ?? 1, wanted, name);
  }
  assert.ok(writes > 80, `${writes} of them write`);
});

it('What moves a tenant may write as many rows in SQLite as the guard works out', async () => {
  const { writes: inFile } = await notedMove('sqlite');
  const { writes: onServer } = await notedMove('mariadb');
  assert.equal(inFile.length, onServer.length);
  for (const [at, { text, rowsMax = 1 }] of inFile.entries()) {
    const { text: named, ...judged } = statements.get(moveStatement(onServer[at] as SqlStep));
    assert.equal(judged.kind, 'write', text);
    const [, table = ''] = /\*\/ REPLACE INTO (\w+)/.exec(named) ?? [];
    const uniqueKeys = TABLE_KEYS.get(table)?.keys.filter(({ isUnique }) => isUnique) ?? [];
    // Servers count a row for each whose place one may take.
    assert.equal(rowsMax, judged.rowsMax / (1 + uniqueKeys.length), text);
  }
  assert.ok(inFile.length > 200, `${inFile.length} steps`);
});
