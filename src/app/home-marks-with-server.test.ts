/** A tenant's storage that is opened while the database of a shard is away; and what a request
 *  knows of where tenants are. */
import { after, before, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTenantId } from '../base/ids.ts';
import {
  Config, openDataDirectory, parseDatabaseUrl, silentLog, systemClock, systemRandom,
} from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { MariadbShardDirectory } from '../metadata/shards/stores/mariadb/mariadb-directory.ts';
import { ScratchServer } from '../platform/mariadb/testing/index.ts';
import { marksOf } from './home-list.ts';
import { shardOperations } from './shard-operations.ts';
import { SLICES } from './settings.ts';
import { storageSettings } from './storage-policies.ts';
import { openStores } from './stores.ts';

const ACME = parseTenantId('acme');
/** After a shard could not be opened. */
const RETRY_MS = 1_100;

const REFRESH_MS = 1_000;
/** Of who does not look once a second where tenants are. */
const LOOKS_NO_MORE: Clock = {
  ...systemClock,
  after: (delayMs, act) => (delayMs === REFRESH_MS ? () => undefined
    : systemClock.after(delayMs, act)),
};

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

it('A request knows where tenants were when it came', { timeout: 120_000 }, async () => {
  const path = join(root, 'on-server');
  await openDataDirectory(path, systemClock);
  const address = await server.makeDatabase();
  const stores = await openStores(path, {
    clock: LOOKS_NO_MORE, log: silentLog, random: systemRandom,
    ...storageSettings(Config.load({ slices: SLICES, env: {} })),
    database: {
      url: parseDatabaseUrl(`mariadb://root@127.0.0.1:${server.port}/${address.database}`),
      passwordPath: undefined, tlsCaPath: undefined, isUnencrypted: false, accountsAgeMs: 0,
      returnAfterMs: 60_000, schemaUser: undefined, schemaPasswordPath: undefined,
    },
  });
  const others = MariadbShardDirectory.of({ address, clock: systemClock });
  try {
    const { identity, shards: { directory } } = stores;
    await identity.users.add({ id: 'ada', password: 'correct-horse-battery', admin: false });
    await others.place(ACME, 0); // As another server does it.
    assert.equal(directory.map.placeOf(ACME), undefined);
    await identity.authenticateBasic({
      user: 'ada', password: 'correct-horse-battery', address: '127.0.0.1',
    });
    assert.equal(directory.map.placeOf(ACME)?.shard, 0);
  } finally {
    await others.close();
    await stores.close();
  }
});
