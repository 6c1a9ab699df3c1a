import assert from 'node:assert/strict';
import {
  mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { InvariantError } from '../../../base/assert.ts';
import type { ErrorKind } from '../../../base/errors.ts';
import { refused } from '../../conformance/hand.ts';
import { checkDurable, openConnection } from './connection.ts';
import { createDatabaseFile } from './database-file.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

describe('Opening a SqliteMetadataStore', () => {
  const folders = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
  let folder: string;
  let file: string;
  after(() => rmSync(folders, { recursive: true, force: true }));
  beforeEach(() => {
    folder = mkdtempSync(join(folders, 'x'));
    file = join(folder, 'metadata.db');
  });

  async function refusesUntouched(kind: ErrorKind, code: string, create = true): Promise<void> {
    const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]);
    await refused(SqliteMetadataStore.open({ file, create }), kind, code);
    const then = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]);
    assert.deepEqual(then, before);
  }

  it('refuses a file that is missing, unless it may make one', async () => {
    await refusesUntouched('not-found', 'metadata-missing', false);
    const store = await SqliteMetadataStore.open({ file, create: true });
    await store.close();
    assert.deepEqual(readdirSync(folder), ['metadata.db']);
    const again = await SqliteMetadataStore.open({ file, create: false });
    await again.close();
  });

  it('refuses what is not an SQLite database, and leaves it as it is', async () => {
    writeFileSync(file, 'a letter to a friend, quite a long one. '.repeat(20));
    await refusesUntouched('corrupt', 'metadata-not-sqlite');
  });

  it('refuses an empty file: it was a database once', async () => {
    writeFileSync(file, '');
    await refusesUntouched('corrupt', 'metadata-truncated');
  });

  it('refuses a database that was cut off', async () => {
    createDatabaseFile(file);
    truncateSync(file, readFileSync(file).length - 1);
    await refusesUntouched('corrupt', 'metadata-truncated');
  });

  it('refuses a database of another program', async () => {
    const other = new Database(file);
    other.exec('CREATE TABLE songs (title TEXT)');
    other.close();
    await refusesUntouched('invalid', 'metadata-not-ours');
  });

  it('refuses a database of a newer version of the program', async () => {
    createDatabaseFile(file);
    const newer = new Database(file);
    newer.pragma('user_version = 5');
    newer.close();
    await refusesUntouched('invalid', 'metadata-version');
  });

  it('refuses a write-ahead log without its database', async () => {
    writeFileSync(`${file}-wal`, 'x');
    await refusesUntouched('corrupt', 'metadata-missing');
  });

  it('refuses a database whose names were compared by other rules', async () => {
    createDatabaseFile(file);
    const other = new Database(file);
    other.exec("UPDATE meta SET value = 99 WHERE name = 'canonical_version'");
    other.close();
    const open = SqliteMetadataStore.open({ file, create: false });
    await refused(open, 'invalid', 'metadata-canonical-version');
  });

  it('starts anew over a draft that a crash has left', async () => {
    writeFileSync(`${file}.new`, 'half a database');
    const store = await SqliteMetadataStore.open({ file, create: true });
    await store.close();
    assert.deepEqual(readdirSync(folder), ['metadata.db']);
  });

  it('sets synchronous=FULL on every connection, and notices one without it', () => {
    createDatabaseFile(file);
    for (const readonly of [false, true, false]) {
      const connection = openConnection(file, { readonly, cacheKib: 100 });
      assert.equal(connection.pragma('synchronous', { simple: true }), 2);
      checkDurable(connection);
      connection.pragma('synchronous = NORMAL');
      assert.throws(() => checkDurable(connection), InvariantError);
      connection.close();
    }
    const plain = new Database(file); // What the library opens by itself is not durable.
    assert.throws(() => checkDurable(plain), InvariantError);
    plain.close();
  });
});
