import { afterEach, beforeEach, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseTenantId } from '../base/ids.ts';
import { SqliteShardDirectory } from '../metadata/shards/stores/sqlite/sqlite-directory.ts';
import { createDatabaseFile } from '../metadata/stores/sqlite/database-file.ts';
import { checkFilesMovable, closeFileShards } from './database-move-checks.ts';

const ACME = parseTenantId('acme');

describe('Files that are to be carried to MariaDB', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-checks-'));
    createDatabaseFile(join(root, 'metadata.db'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('stay where they are while a tenant is on its way', async () => {
    await checkFilesMovable(root);
    const database = new DatabaseSync(join(root, 'metadata.db'));
    database.exec('INSERT INTO move_capture (tenant) VALUES (\'acme\')');
    database.close();
    await assert.rejects(checkFilesMovable(root), { code: 'tenant-moves', message: /acme/ });
  });

  it('stay while a tenant is on a shard that is a file; an empty one is closed', async () => {
    const directory = new SqliteShardDirectory({ file: join(root, 'directory.db') });
    const shard = { passwordPath: undefined, at: 1 };
    const { number } = await directory.addShard({ ...shard, name: 'a', url: 'sqlite:a.db' });
    await directory.addShard({ ...shard, name: 'b', url: 'sqlite:b.db' });
    await directory.place(ACME, number);
    await assert.rejects(checkFilesMovable(root), { code: 'shard-in-file', message: /acme/ });
    await directory.movePlace({ tenant: ACME, epochWas: 0, shard: 0, spaces: [] });
    await checkFilesMovable(root);
    await closeFileShards(root);
    const states = (await directory.read()).shards.map(({ name, state }) => `${name} ${state}`);
    assert.deepEqual(states, ['main open', 'a closed', 'b closed']);
    await directory.close();
  });
});
