import assert from 'node:assert/strict';
import {
  copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import Database from 'better-sqlite3';
import { isKind, type ErrorKind } from '../../../base/errors.ts';
import { parseUserId } from '../../../base/ids.ts';
import { sampleToken, sampleUser, testIdentityStore } from '../../identity-store.conformance.ts';
import { IDENTITY_FORMAT, IDENTITY_INDEXES } from './identity-schema.ts';
import { openIdentityDatabase } from './open-identity-database.ts';
import { SqliteIdentityStore } from './sqlite-identity-store.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-identity-'));
after(() => rmSync(root, { recursive: true, force: true }));

function newFile(): string {
  return join(mkdtempSync(join(root, 'data-')), 'identity.db');
}

async function openAt(file: string, create = true): Promise<SqliteIdentityStore> {
  return SqliteIdentityStore.open({ file, create });
}

testIdentityStore('SqliteIdentityStore', async () => {
  const file = newFile();
  return { store: await openAt(file), other: await openAt(file, false) };
});

// Below: only what this implementation adds to the common promises.

const ALICE = parseUserId('alice');

/** A file with one user, closed, so that its log is folded in. */
async function filled(): Promise<string> {
  const file = newFile();
  const store = await openAt(file);
  await store.addUser(sampleUser(ALICE));
  await store.addToken(sampleToken(ALICE, 'a'), { countMax: 9, whenFull: 'refuse' });
  await store.close();
  return file;
}

async function refusesUntouched(file: string, kind: ErrorKind): Promise<void> {
  const before = readFileSync(file);
  await assert.rejects(openAt(file), (error) => isKind(error, kind));
  assert.deepEqual(readFileSync(file), before, 'the file stays as it was');
}

it('SqliteIdentityStore finds everything again after closing', async () => {
  const file = await filled();
  const store = await openAt(file, false);
  assert.equal((await store.findUser(ALICE))?.rev, 1);
  assert.equal((await store.listTokens(ALICE, 'app-password')).length, 1);
  await store.close();
});

it('SqliteIdentityStore is durable on every open, and private to its account', async () => {
  const file = await filled();
  for (let time = 0; time < 2; time += 1) {
    const database = openIdentityDatabase({ file, create: false });
    assert.equal(database.pragma('synchronous', { simple: true }), 2);
    assert.equal(database.pragma('journal_mode', { simple: true }), 'wal');
    database.prepare(`UPDATE users SET rev = rev + 1 WHERE id = 'alice'`).run();
    assert.equal(statSync(`${file}-wal`).mode & 0o077, 0);
    database.close();
  }
  assert.equal(statSync(file).mode & 0o077, 0);
});

it('SqliteIdentityStore refuses a file of a newer format, and leaves it untouched', async () => {
  const file = await filled();
  const database = new Database(file);
  database.pragma(`user_version = ${IDENTITY_FORMAT + 1}`);
  database.close();
  await refusesUntouched(file, 'invalid');
});

it('SqliteIdentityStore does not even fold in the log of a file of a newer format', async () => {
  const file = await filled();
  const database = new Database(file);
  database.pragma(`user_version = ${IDENTITY_FORMAT + 1}`);
  const left = newFile(); // As a crash leaves them: a database, and a log not folded in yet.
  for (const end of ['', '-wal']) copyFileSync(`${file}${end}`, `${left}${end}`);
  database.close();
  const log = readFileSync(`${left}-wal`);
  assert.ok(log.length > 0);
  await refusesUntouched(left, 'invalid');
  assert.deepEqual(readFileSync(`${left}-wal`), log);
});

it('SqliteIdentityStore refuses what is not its database, and leaves it untouched', async () => {
  const text = newFile();
  writeFileSync(text, 'These are notes, and not a database at all.\n'.repeat(100));
  await refusesUntouched(text, 'corrupt');
  const foreign = newFile();
  const database = new Database(foreign);
  database.exec('CREATE TABLE users (id TEXT)');
  database.pragma('user_version = 1');
  database.close();
  await refusesUntouched(foreign, 'corrupt');
});

it('SqliteIdentityStore refuses a file cut short, and leaves it untouched', async () => {
  const file = await filled();
  const whole = readFileSync(file);
  const cuts = [0, 1, 50, 100, 512, 4095];
  for (let at = 4096; at < whole.length; at += 4096) cuts.push(at, at + 7);
  for (const at of cuts) {
    writeFileSync(file, whole);
    truncateSync(file, at);
    await refusesUntouched(file, 'corrupt');
  }
  writeFileSync(file, whole);
  await (await openAt(file)).close();
});

it('SqliteIdentityStore does not begin anew where a database was lost', async () => {
  const missing = newFile();
  await assert.rejects(openAt(missing, false), (error) => isKind(error, 'corrupt'));
  assert.equal(existsSync(missing), false);
  writeFileSync(`${missing}-wal`, 'a log whose database is gone');
  await assert.rejects(openAt(missing), (error) => isKind(error, 'corrupt'));
  assert.equal(existsSync(missing), false);
});

it('SqliteIdentityStore replaces the leftovers of a first start that was cut short', async () => {
  const file = newFile();
  writeFileSync(`${file}.new-${process.pid}`, 'half a datab');
  await (await openAt(file)).close();
  assert.deepEqual(readdirSync(join(file, '..')), ['identity.db']);
});

it('SqliteIdentityStore says busy, not broken, while another process writes', async () => {
  const file = await filled();
  const store = await openAt(file);
  const blocker = new Database(file);
  blocker.exec('BEGIN IMMEDIATE');
  const write = store.updateUser(ALICE, { admin: true });
  await assert.rejects(write, (error) => isKind(error, 'busy'));
  assert.equal((await store.findUser(ALICE))?.admin, false, 'reading goes on meanwhile');
  blocker.exec('ROLLBACK');
  blocker.close();
  await store.updateUser(ALICE, { admin: true });
  await store.close();
});

it('SqliteIdentityStore undoes a change that writes more rows than it may', async () => {
  const file = await filled();
  const store = await openAt(file);
  const other = new Database(file);
  // As a mistake would have made them: two tokens of one user under one id.
  other.exec(`INSERT INTO tokens (token_hash, id, kind, user_id, device, created_at)
    VALUES ('one', 'same', 'app-password', 'alice', '', 1),
      ('two', 'same', 'app-password', 'alice', '', 1)`);
  const { rev } = await store.findUser(ALICE) ?? {};
  await assert.rejects(store.deleteToken(ALICE, 'app-password', 'same'), (error) => (
    isKind(error, 'internal') && error.code === 'statement-refused'));
  assert.equal((await store.listTokens(ALICE, 'app-password')).length, 3, 'with that it had');
  assert.equal((await store.findUser(ALICE))?.rev, rev);
  other.exec(`DELETE FROM tokens WHERE token_hash = 'two'`);
  other.close();
  assert.equal(await store.deleteToken(ALICE, 'app-password', 'same'), true);
  await store.close();
});

it('SqliteIdentityStore gives an older file the indexes that came without a format', async () => {
  const file = await filled();
  const database = new Database(file);
  const indexes = (): unknown[] => database.prepare(`SELECT name FROM sqlite_schema
    WHERE type = 'index' ORDER BY name`).pluck().all();
  const all = indexes();
  for (const [, name = ''] of IDENTITY_INDEXES.matchAll(/EXISTS (\w+)/g)) {
    database.exec(`DROP INDEX ${name}`);
  }
  assert.equal(indexes().length, all.length - 4);
  await (await openAt(file)).close();
  assert.deepEqual(indexes(), all);
  database.close();
});
