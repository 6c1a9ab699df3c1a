/** Tenants and a server on databases that go away or are changed by others: a storage that is
 *  opened while the database of a shard is away, what a request knows of where tenants are, and a
 *  move whose mover has died. */
import { after, before, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSpaceId, parseTenantId, parseUserId } from '../base/ids.ts';
import type { MoveRecord } from '../metadata/index.ts';
import {
  MariadbMoveJournal,
} from '../metadata/move/stores/mariadb/mariadb-move-journal.ts';
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
import { TenantMoves } from './tenant-moves.ts';

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

const WAIT_MAX_MS = 30_000;

/** As the dead one has left it; so that nothing follows behind the thaw, an operator's pause. */
const FROZEN: MoveRecord = {
  tenant: ACME, from: 0, to: 1, epoch: 0, state: 'freeze', isPaused: true, wish: 'none',
  cursor: { space: parseSpaceId(1), table: 0, key: undefined }, rowsCopied: 0, rowsFollowed: 0,
  rowsCompared: 0, isClaimed: true, freezeMs: undefined, freezeFailures: 0, begunAt: 1,
  reverseUntil: undefined, trouble: undefined,
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

const urlOf = (database: string): string => `mariadb://root@127.0.0.1:${server.port}/${database}`;

const storesOn = (path: string, database: string, clock: Clock) => openStores(path, {
  clock, log: silentLog, random: systemRandom,
  ...storageSettings(Config.load({ slices: SLICES, env: {} })),
  database: {
    url: parseDatabaseUrl(urlOf(database)), passwordPath: undefined, tlsCaPath: undefined,
    isUnencrypted: false, accountsAgeMs: 0, returnAfterMs: 60_000, schemaUser: undefined,
    schemaPasswordPath: undefined,
  },
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
  const stores = await storesOn(path, address.database, LOOKS_NO_MORE);
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

it('A server alone thaws what its mover left frozen, under the next lease, with no new start', {
  timeout: 120_000,
}, async () => {
  const clock = systemClock;
  const path = join(root, 'alone');
  await openDataDirectory(path, clock);
  const address = await server.makeDatabase();
  const stores = await storesOn(path, address.database, clock);
  const { metadata, shards: { pool, directory } } = stores;
  const moves = await TenantMoves.begin({
    root: path, stores, clock, settings: { rowsPerSecond: 1_000, wayBackHours: 1 },
    onFlipped: () => undefined,
  });
  try {
    const { database } = await server.makeDatabase();
    await shardOperations(stores, clock)['shard.add']?.({ name: 'two', url: urlOf(database) },
      { signal: AbortSignal.timeout(60_000), progress: () => undefined });
    await directory.place(ACME, 0);
    const makeSpace = (user: string) => metadata.ensureSpace({
      tenant: ACME, owner: parseUserId(user), casePolicy: 'sensitive', quotaBytes: undefined, at: 1,
    });
    await makeSpace('ada');
    const [main] = directory.map.inUse;
    assert.ok(main !== undefined && moves.isHere);
    const [lease] = (await stores.webNode?.leases.list() ?? [])
      .filter(({ name }) => name === 'tenant-moves');
    assert.ok(lease !== undefined);

    // The lease has been lost, as it is to a server that stood still for too long.
    const dead = new MariadbMoveJournal({ address, clock, epoch: lease.epoch + 1 });
    await server.query(`UPDATE lease SET epoch = epoch + 1, holder = 'dead', until = 0
      WHERE name = 'tenant-moves'`, address.database);
    await dead.put(FROZEN);
    await dead.close();
    const { tenantRows } = await pool.get(main);
    await tenantRows?.setPlacement(
      ACME, { epoch: 0, state: 'home' }, { epoch: 0, state: 'frozen' });
    await assert.rejects(makeSpace('ben'), { kind: 'unavailable', code: 'tenant-frozen' });

    const latest = clock.monotonic() + WAIT_MAX_MS;
    for (let isFrozen = true; isFrozen;) {
      assert.ok(clock.monotonic() < latest, 'the tenant is still frozen');
      await new Promise<void>((resolve) => {
        clock.after(100, resolve);
      });
      isFrozen = await makeSpace('ben').then(() => false, (error: unknown) => {
        assert.equal((error as { code?: string }).code, 'tenant-frozen');
        return true;
      });
    }
    const [now] = (await stores.webNode?.leases.list() ?? [])
      .filter(({ name }) => name === 'tenant-moves');
    assert.deepEqual([now?.holder, now?.epoch], [lease.holder, lease.epoch + 2]);
    assert.equal((await moves.list()).find(({ tenant }) => tenant === ACME)?.state, 'tail');
  } finally {
    await moves.stop();
    await stores.close();
  }
});
