import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statements } from '../sql/statement-registry.ts';
import { keysOf } from './named-sql.ts';
import { dialectOf, inOurWords, inServersWords } from './dialect.ts';
import { safelySent } from './safe-updates.ts';

const MARIADB = dialectOf('11.8.6-MariaDB-0+deb13u1');
const MYSQL = dialectOf('9.7.4-2');

const OWNER = { owner: 'tests', rowsPerKey: 8, tables: keysOf({
  upload: 'owner TEXT NOT NULL, upload_id TEXT NOT NULL, PRIMARY KEY (owner, upload_id)',
}) };

describe('The dialects', () => {
  it('are told apart by what servers answer for their version', () => {
    for (const version of ['8.0.17', '8.0.36-28.1', '8.4.6-commercial', '9.7.4-2']) {
      assert.equal(dialectOf(version), MYSQL, version);
    }
    for (const version of ['10.6.0-MariaDB', '5.5.5-10.11.19-MariaDB-log']) {
      assert.equal(dialectOf(version), MARIADB, version);
    }
  });

  it('call one collation by two names, and statements of ours are sent in the server\'s', () => {
    const text = 'ALTER TABLE a ADD COLUMN b TEXT COLLATE utf8mb4_nopad_bin';
    assert.equal(inServersWords(text, MARIADB), text);
    assert.equal(inServersWords(text, MYSQL),
      'ALTER TABLE a ADD COLUMN b TEXT COLLATE utf8mb4_0900_bin');
    for (const { collation } of [MARIADB, MYSQL]) {
      assert.equal(inOurWords(collation), MARIADB.collation);
    }
    // Another collation of the server's is a difference, and has to be seen as one.
    assert.equal(inOurWords('utf8mb4_0900_ai_ci'), 'utf8mb4_0900_ai_ci');
  });

  it('switch off the look for a key for what joins, for that statement alone', () => {
    const enter = (sql: string) => statements.enter('dialects', sql, OWNER);
    const rows = 'SELECT ? AS v0 UNION ALL SELECT ?';
    const joined = enter(`DELETE u FROM (${rows}) v STRAIGHT_JOIN upload u ON u.owner = v.v0`);
    const [mark = ''] = /^.*?\*\/ /.exec(joined.text) ?? [];
    const behindMark = (dialect: typeof MARIADB): string => {
      const sent = safelySent(joined, dialect);
      assert.ok(sent.startsWith(mark));
      return sent.slice(mark.length, mark.length + 60);
    };
    assert.match(behindMark(MARIADB), /^SET STATEMENT sql_safe_updates = 0 FOR DELETE u FROM \(/);
    assert.match(behindMark(MYSQL),
      /^DELETE \/\*\+ SET_VAR\(sql_safe_updates = 0\) \*\/ u FROM \(/);
    assert.equal(safelySent(joined, MARIADB), safelySent(joined, MARIADB));
    const byKey = enter('DELETE FROM upload WHERE owner = ?');
    for (const dialect of [MARIADB, MYSQL]) assert.equal(safelySent(byKey, dialect), byKey.text);
  });
});
