import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { parseGroupId, parseUserId } from '../../../base/ids.ts';
import { IDENTITY_FORMAT, IDENTITY_SCHEMA } from './identity-schema.ts';
import { SqliteIdentityStore } from './sqlite-identity-store.ts';

const GOLDEN = new URL('../../../../test/fixtures/identity/format-1.db', import.meta.url);
const root = mkdtempSync(join(tmpdir(), 'holdfast-identity-migration-'));
after(() => rmSync(root, { recursive: true, force: true }));

const ALICE = parseUserId('alice');
const BOB = parseUserId('bob');

function golden(name: string): string {
  const file = join(root, name);
  copyFileSync(GOLDEN, file);
  return file;
}

/** Names and columns of all tables, without the spelling of the statements that made them. */
function shapeOf(database: Database.Database): unknown {
  const tables = database.prepare<[], { name: string }>(
    `SELECT name FROM sqlite_schema WHERE type IN ('table', 'index') ORDER BY name`,
  ).all();
  return tables.map(({ name }) => [name, database.pragma(`table_info(${name})`)]);
}

describe('a user database of format 1', () => {
  it('is read on with everything in it, and takes groups', async () => {
    const store = await SqliteIdentityStore.open({ file: golden('read.db'), create: false });
    const users = await store.listUsers(9);
    assert.deepEqual(users.map(({ id, displayName, admin, rev, groupsRev }) => (
      [id, displayName, admin, rev, groupsRev]
    )), [['alice', 'Name of alice', true, 1, 0], ['bob', 'Bob the golden', false, 2, 0]]);
    const tokens = await store.listTokens(ALICE, 'app-password');
    assert.deepEqual(tokens.map(({ id }) => id), ['phone']);
    const crew = parseGroupId('crew');
    await store.addGroup({ id: crew, displayName: 'Crew', createdAt: 1 });
    assert.equal(await store.joinGroup(crew, BOB), true);
    assert.deepEqual(await store.listGroupsOf(BOB), [crew]);
    await store.close();
  });

  it('has the same tables afterwards as a new one', async () => {
    const file = golden('shape.db');
    await (await SqliteIdentityStore.open({ file, create: false })).close();
    const migrated = new Database(file, { readonly: true });
    const made = new Database(':memory:');
    made.exec(IDENTITY_SCHEMA);
    assert.deepEqual(shapeOf(migrated), shapeOf(made));
    assert.equal(migrated.pragma('user_version', { simple: true }), IDENTITY_FORMAT);
    migrated.close();
    made.close();
  });

  it('is migrated once by two processes that come at once', async () => {
    const file = golden('twice.db');
    const stores = await Promise.all(
      [1, 2].map(() => SqliteIdentityStore.open({ file, create: false })),
    );
    for (const store of stores) {
      assert.equal((await store.listUsers(9)).length, 2);
      await store.close();
    }
  });
});
