import { it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { SqliteTables } from './sqlite-tables.ts';

it('holds a file against everybody else, also against who comes when it was renamed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-held-'));
  const file = join(folder, 'live.db');
  const late = new Database(file, { timeout: 0 });
  late.pragma('journal_mode = WAL');
  late.exec('CREATE TABLE t (x INTEGER)');
  late.close();
  const held = SqliteTables.hold(file);
  const waiting = new Database(file, { timeout: 0 });
  const write = (): unknown => waiting.exec('INSERT INTO t VALUES (1)');
  assert.throws(write, { code: 'SQLITE_BUSY' });
  renameSync(file, join(folder, 'aside.db'));
  held.close();
  assert.throws(write, { code: 'SQLITE_READONLY_DBMOVED' });
  assert.throws(() => waiting.pragma('journal_mode = WAL'), { code: 'SQLITE_READONLY_DBMOVED' });
  waiting.close();
  rmSync(folder, { recursive: true });
});
