import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { DEFAULT_TENANT, parseGroupId, parseUserId } from '../../../base/ids.ts';
import { sampleToken } from '../../identity-store.conformance.ts';
import { IDENTITY_FORMAT, IDENTITY_SCHEMA } from './identity-schema.ts';
import { SqliteIdentityStore } from './sqlite-identity-store.ts';

const GOLDEN = new URL('../../../../test/fixtures/identity/', import.meta.url);
const root = mkdtempSync(join(tmpdir(), 'holdfast-identity-migration-'));
after(() => rmSync(root, { recursive: true, force: true }));

const ALICE = parseUserId('alice');
const BOB = parseUserId('bob');

function golden(format: number, name: string): string {
  const file = join(root, `${format}-${name}`);
  copyFileSync(new URL(`format-${format}.db`, GOLDEN), file);
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
    const store = await SqliteIdentityStore.open({ file: golden(1, 'read.db'), create: false });
    const users = await store.listUsers(9);
    assert.deepEqual(users.map(({ id, displayName, admin, rev, groupsRev }) => (
      [id, displayName, admin, rev, groupsRev]
    )), [['alice', 'Name of alice', true, 1, 0], ['bob', 'Bob the golden', false, 2, 0]]);
    const tokens = await store.listTokens(ALICE, 'app-password');
    assert.deepEqual(tokens.map(({ id }) => id), ['phone']);
    const crew = parseGroupId('crew');
    await store.addGroup({
      id: crew, tenant: DEFAULT_TENANT, displayName: 'Crew', createdAt: 1,
    });
    assert.equal(await store.joinGroup(crew, BOB, 1), true);
    assert.deepEqual(await store.listGroupsOf(BOB), [crew]);
    await store.close();
  });
});

describe('a user database of format 2', () => {
  it('is read on with everything in it, and takes tenants', async () => {
    const store = await SqliteIdentityStore.open({ file: golden(2, 'read.db'), create: false });
    const users = await store.listUsers(9);
    assert.deepEqual(users.map(({ id, tenant, email, disabled, groupsRev }) => (
      [id, tenant, email, disabled, groupsRev]
    )), [
      ['alice', 'default', undefined, false, 2], ['bob', 'default', undefined, false, 3],
      ['cleo', 'default', undefined, true, 0],
    ]);
    const groups = await store.listGroups(9);
    assert.deepEqual(groups.map(({ id, tenant }) => [id, tenant]),
      [['board', 'default'], ['crew', 'default']]);
    assert.deepEqual(await store.listGroupsOf(ALICE), ['board', 'crew']);
    assert.deepEqual(await store.listGroupsAt(ALICE, 0), ['board', 'crew'], 'since ever');
    assert.equal(await store.leaveGroup(parseGroupId('crew'), ALICE, 5000), true);
    assert.deepEqual(await store.listGroupsAt(ALICE, 4999), ['board', 'crew']);
    assert.deepEqual(await store.listGroupsAt(ALICE, 5000), ['board']);
    assert.deepEqual((await store.listTokens(BOB, 'session')).map(({ id }) => id), ['browser']);
    assert.deepEqual((await store.listTenants()).map(({ id }) => id), [DEFAULT_TENANT]);
    await store.close();
  });
});

describe('a user database of format 3', () => {
  it('is read on with everything in it, and takes API tokens', async () => {
    const store = await SqliteIdentityStore.open({ file: golden(3, 'read.db'), create: false });
    const users = await store.listUsers(9);
    assert.deepEqual(users.map(({ id, tenant, email }) => [id, tenant, email]), [
      ['alice', 'default', 'alice@example.org'], ['bob', 'default', undefined],
      ['cleo', 'default', undefined], ['dora', 'acme', undefined],
    ]);
    assert.deepEqual(await store.listGroupsAt(BOB, 2500), ['crew']);
    const [phone] = await store.listTokens(ALICE, 'app-password');
    assert.deepEqual([phone?.id, phone?.usedAt, phone?.scopes], ['phone', 1100, undefined]);
    const token = {
      ...sampleToken(ALICE, 'script', 'api-token'), scopes: ['files:read', 'sharing'] as const,
    };
    await store.addToken(token, { countMax: 9, whenFull: 'refuse' });
    assert.deepEqual(await store.findToken('api-token', token.hash), token);
    await store.close();
  });
});

describe('a user database of format 4', () => {
  it('is read on with everything in it, and takes second factors', async () => {
    const store = await SqliteIdentityStore.open({ file: golden(4, 'read.db'), create: false });
    const users = await store.listUsers(9);
    assert.deepEqual(users.map(({ id, displayName, tenant, disabled, hasSecondFactor }) => (
      [id, displayName, tenant, disabled, hasSecondFactor]
    )), [
      ['alice', 'Name of alice', 'default', false, false],
      ['bob', 'Bob the golden', 'default', false, false],
      ['cleo', 'Name of cleo', 'default', true, false],
      ['dora', 'Name of dora', 'acme', false, false],
      ['emil', 'Name of emil', 'default', false, false],
    ]);
    assert.match(users[0]?.passwordHash ?? '', /^\$argon2id\$/);
    const [script] = await store.listTokens(ALICE, 'api-token');
    assert.deepEqual(script?.scopes, ['files:read', 'sharing']);
    assert.equal(await store.findSecondFactor(ALICE), undefined);
    await store.putSecondFactorDraft({ user: ALICE, secret: 'sealed', createdAt: 1 });
    assert.equal(await store.turnOnSecondFactor(ALICE, {
      secret: 'sealed', step: 1, at: 2, recoveryHashes: [], keepSession: 'browser',
    }), true);
    assert.equal((await store.findUser(ALICE))?.hasSecondFactor, true);
    assert.deepEqual((await store.listTokens(ALICE, 'session')).map(({ id }) => id), ['browser']);
    await store.close();
  });
});

for (const format of [1, 2, 3, 4]) describe(`a user database of format ${format}`, () => {
  it('has the same tables afterwards as a new one', async () => {
    const file = golden(format, 'shape.db');
    await (await SqliteIdentityStore.open({ file, create: false })).close();
    const migrated = new Database(file, { readonly: true });
    const made = new Database(':memory:');
    made.exec(IDENTITY_SCHEMA);
    assert.deepEqual(shapeOf(migrated), shapeOf(made));
    assert.equal(migrated.pragma('user_version', { simple: true }), IDENTITY_FORMAT);
    migrated.close();
    made.close();
  });

  it('is as it was when bringing it up to date breaks off, and works the next time', async () => {
    const file = golden(format, 'broken-off.db');
    const database = new Database(file);
    database.exec('ALTER TABLE users ADD COLUMN has_second_factor INT'); // In the last step.
    const before = shapeOf(database);
    await assert.rejects(SqliteIdentityStore.open({ file, create: false }));
    assert.deepEqual(shapeOf(database), before);
    assert.equal(database.pragma('user_version', { simple: true }), format);
    database.exec('ALTER TABLE users DROP COLUMN has_second_factor');
    database.close();
    const store = await SqliteIdentityStore.open({ file, create: false });
    assert.equal((await store.listUsers(9)).length, format + 1);
    await store.close();
  });

  it('is migrated once by two processes that come at once', async () => {
    const file = golden(format, 'twice.db');
    const stores = await Promise.all(
      [1, 2].map(() => SqliteIdentityStore.open({ file, create: false })),
    );
    for (const store of stores) {
      assert.equal((await store.listUsers(9)).length, format + 1);
      assert.equal((await store.listTenants()).length, format >= 3 ? 2 : 1);
      await store.close();
    }
  });
});
