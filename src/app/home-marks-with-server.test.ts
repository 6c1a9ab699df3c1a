/** A tenant's storage that is opened while the database of a shard is away. */
import { after, before, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTenantId } from '../base/ids.ts';
import {
  Config, openDataDirectory, silentLog, systemClock, systemRandom,
} from '../platform/index.ts';
import { ScratchServer } from '../platform/mariadb/testing/index.ts';
import { marksOf } from './home-list.ts';
import { shardOperations } from './shard-operations.ts';
import { SLICES } from './settings.ts';
import { storageSettings } from './storage-policies.ts';
import { openStores } from './stores.ts';

const ACME = parseTenantId('acme');
/** After a shard could not be opened. */
const RETRY_MS = 1_100;

let server: ScratchServer;
const root = mkdtempSync(join(tmpdir(), 'holdfast-marks-'));
before(async () => {
  server = await ScratchServer.start();
});
after(async () => {
  await server.stop();
  rmSync(root, { recursive: true });
});

it('The shard is compared with it before it is used again', { timeout: 120_000 }, async () => {
  await openDataDirectory(root, systemClock);
  const stores = await openStores(root, {
    clock: systemClock, log: silentLog, random: systemRandom,
    ...storageSettings(Config.load({ slices: SLICES, env: {} })),
  });
  try {
    const { database, port } = await server.makeDatabase();
    await shardOperations(stores, systemClock)['shard.add']?.(
      { name: 'two', url: `mariadb://root@127.0.0.1:${port}/${database}` },
      { signal: AbortSignal.timeout(60_000), progress: () => undefined });
    await stores.identity.tenants.create({ id: 'acme', title: 'Acme' });
    const { shards: { pool, directory }, homes } = stores;
    const [, two] = directory.map.inUse;
    assert.ok(two !== undefined);
    const opened = await pool.get(two);
    await server.kill();
    const home = await homes.of(ACME);
    assert.equal(home.place.number, 1);
    assert.equal(pool.find(two.number), undefined, 'it would be used unasked');
    await server.startAgain();
    // As if what the shard refers to had been in a volume that is gone.
    for (const [volume, bytes] of marksOf(1, [[7, 4_096]])) {
      await server.query(`INSERT INTO witness VALUES (${volume}, ${bytes})`, database);
    }
    await assert.rejects(pool.openNow(two), { kind: 'corrupt' });
    await server.query('DELETE FROM witness', database);
    await new Promise((resolve) => {
      systemClock.after(RETRY_MS, () => resolve(undefined));
    });
    assert.notEqual(await pool.get(two), opened);
  } finally {
    await stores.close();
  }
});
