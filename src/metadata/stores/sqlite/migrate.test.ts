import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import type { Role } from '../../../base/roles.ts';
import { ANNA, BEN, Hand, NOON } from '../../conformance/hand.ts';
import { assertConsistent } from '../../conformance/replay.ts';
import { createDatabaseFile } from './database-file.ts';
import { migrate } from './migrate.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const FIXTURES = new URL('../../../../test/fixtures/metadata/', import.meta.url);

describe('A metadata database of an older format', () => {
  const folders = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
  let made = 0;
  let file: string;
  after(() => rmSync(folders, { recursive: true, force: true }));
  beforeEach(() => {
    made += 1;
    file = join(folders, `${made}.db`);
    copyFileSync(new URL('format-1.db', FIXTURES), file);
  });

  /** Tables, columns and indexes, without the way they are written. */
  function shapeOf(path: string): unknown {
    const database = new Database(path, { readonly: true });
    const names = database.prepare(`SELECT type, name, tbl_name FROM sqlite_schema
      ORDER BY type, name`).all() as { type: string; name: string }[];
    const columns = names.map(({ type, name }) => (type === 'table'
      ? database.pragma(`table_info(${name})`) : database.pragma(`index_xinfo(${name})`)));
    const meta = database.prepare('SELECT name FROM meta ORDER BY name').all();
    const version: unknown = database.pragma('user_version', { simple: true });
    database.close();
    return { names, columns, meta, version };
  }

  it('gets the very tables that a new database has', async () => {
    await (await SqliteMetadataStore.open({ file, create: false })).close();
    const fresh = join(folders, 'fresh.db');
    createDatabaseFile(fresh);
    assert.deepEqual(shapeOf(file), shapeOf(fresh));
  });

  it('keeps all that it held, and takes changes of the new kinds', async () => {
    const store = await SqliteMetadataStore.open({ file, create: false });
    const h = await Hand.on(store, { owner: 'anna' });
    assert.deepEqual(await h.tree(), [
      'copy/ 5', 'copy/Ωmega 5', 'docs/ 5', 'docs/Ωmega 5', 'moved.txt 20',
    ]);
    const { rev, quotaBytes, usedBytes, kind, name, owner, accessRev } =
      await store.getSpace(h.space.id);
    assert.deepEqual({ rev, quotaBytes, usedBytes, kind, name, owner, accessRev }, {
      rev: 11, quotaBytes: 1_000_000, usedBytes: 30, kind: 'personal', name: '', owner: ANNA,
      accessRev: 0,
    });
    const moved = await h.find('moved.txt');
    assert.ok(moved !== undefined);
    const versions = await store.listVersions(h.space.id, moved.id);
    assert.deepEqual(versions.map(({ sizeBytes, checksums }) => [sizeBytes, checksums]),
      [[20, ''], [10, 'MD5:1']]);
    assert.deepEqual(await store.listProperties(h.space.id, moved.id),
      [{ namespace: 'urn:x', name: 'colour', xml: 'blue' }]);
    assert.equal((await store.listLocks(h.space.id, NOON)).length, 1);
    assert.equal((await store.listParts(ANNA, 'u1')).length, 1);
    assert.deepEqual(await store.readWitness(), [[3, 77]]);
    const ben = await Hand.on(store, { owner: 'ben' });
    assert.equal(ben.space.casePolicy, 'insensitive');
    const [trashed] = await store.listTrash(h.space.id, 10);
    assert.ok(trashed !== undefined);
    const { nodeId, deletedRev } = trashed;
    await store.commit(h.restoreChange(nodeId, deletedRev, h.root, 'back'));
    assert.deepEqual((await h.tree(nodeId)), ['a 3', 'b 4']);
    const role: Role = 'viewer';
    await store.commit({
      op: 'put-grant', spaceId: h.space.id, nodeId, subject: { kind: 'user', id: BEN }, role,
      isShown: true, expiresAt: undefined, terms: '{}', actor: h.actor(),
    });
    const past = await store.past(h.space.id, 5);
    assert.equal((await past.resolve([])).length, 1);
    await assertConsistent(store, h.space.id);
    await assertConsistent(store, ben.space.id);
    await store.close();
  });

  it('becomes the same from format 2, whose grants, batches and figures stay', async () => {
    copyFileSync(new URL('format-2.db', FIXTURES), file);
    const store = await SqliteMetadataStore.open({ file, create: false });
    const h = await Hand.on(store, { owner: 'anna' });
    assert.deepEqual(await h.tree(),
      ['docs/ 32', 'docs/brought 7', 'docs/report 20', 'docs/Ωmega 5']);
    const { rev, accessRev, quotaBytes, usedBytes } = await store.getSpace(h.space.id);
    assert.deepEqual([rev, accessRev, quotaBytes, usedBytes], [11, 8, 1_000_000, 32]);
    const grants = await store.listGrants(h.space.id);
    assert.deepEqual(grants.map(({ id, role, downloads }) => [id, role, downloads]),
      [[1, 'editor', 0], [2, 'viewer', 1]]);
    const past = await store.past(h.space.id, 6);
    assert.deepEqual((await past.listGrants()).map(({ role }) => role), ['viewer']);
    const [batch] = await store.listBatches({}, 10);
    assert.deepEqual([batch?.state, batch?.withSharing, batch?.revTo], ['done', false, 9]);
    assert.equal((await store.getHorizon(h.space.id)).revFloor, 2);
    const usage = await store.readUsage(h.space.id, NOON);
    assert.deepEqual([usage.reservedBytes, usage.ofTenant?.quotaBytes], [5, 5_000_000]);
    const ben = await Hand.on(store, { owner: 'ben' });
    assert.equal((await store.listMounts(ben.space.id)).mounts.length, 1);
    await store.commit({
      op: 'set-retention', scope: { kind: 'space', spaceId: h.space.id },
      rule: { trashKeepDays: 1 },
    });
    await assertConsistent(store, h.space.id);
    await store.close();
    const fresh = join(folders, 'fresh-3.db');
    createDatabaseFile(fresh);
    assert.deepEqual(shapeOf(file), shapeOf(fresh));
  });

  it('becomes the same from format 3, and all tenants are at home', async () => {
    copyFileSync(new URL('format-3.db', FIXTURES), file);
    const store = await SqliteMetadataStore.open({ file, create: false });
    const h = await Hand.on(store, { owner: 'anna' });
    assert.deepEqual(await h.tree(), ['docs/ 20', 'docs/a 20']);
    assert.equal((await store.listParts(ANNA, 'u1')).length, 1);
    assert.equal((await store.listQuarantines({}, 10)).length, 1);
    assert.deepEqual(await store.readRetention({ kind: 'space', spaceId: h.space.id }),
      { trashKeepDays: 3 });
    const { tenant } = h.space;
    assert.deepEqual(await store.tenantRows.findPlacement(tenant), { epoch: 0, state: 'home' });
    await h.put(h.root, 'new');
    await assertConsistent(store, h.space.id);
    await store.close();
    const fresh = join(folders, 'fresh-4.db');
    createDatabaseFile(fresh);
    assert.deepEqual(shapeOf(file), shapeOf(fresh));
  });

  it('is as it was when bringing it up to date breaks off, and works the next time', async () => {
    const database = new Database(file);
    // In the way of the last step.
    database.exec('CREATE TABLE retention (of_another_program TEXT)');
    const before = shapeOf(file);
    assert.throws(() => migrate(database), /retention/);
    database.pragma('wal_checkpoint(TRUNCATE)');
    assert.deepEqual(shapeOf(file), before);
    database.exec('DROP TABLE retention');
    migrate(database);
    migrate(database);
    database.close();
    await (await SqliteMetadataStore.open({ file, create: false })).close();
  });
});
