/** Which data directory and which database belong together, tried on a server of its own. */
import { after, before, beforeEach, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TenantId, UserId } from '../base/ids.ts';
import { MariadbShardDirectory } from '../metadata/shards/stores/mariadb/mariadb-directory.ts';
import { parseDatabaseUrl, silentLog, systemClock } from '../platform/index.ts';
import type { DatabaseSettings } from '../platform/index.ts';
import { ChangeMarks } from '../platform/mariadb/index.ts';
import { ScratchServer } from '../platform/mariadb/testing/index.ts';
import { claimPlace, findDatabasePlace } from './database-place.ts';
import { openIdempotencyStore } from './idempotency-place.ts';
import { openIdentityStore } from './identity-place.ts';
import { openMetadata } from './metadata-place.ts';
import { WebNode } from './web-node.ts';

const OURS = '11111111-1111-4111-8111-111111111111';
const OTHERS = '22222222-2222-4222-8222-222222222222';
const OWNER = 'SELECT installation FROM installation';
const FILES: DatabaseSettings = {
  url: undefined, passwordPath: undefined, tlsCaPath: undefined, isUnencrypted: false,
  accountsAgeMs: 0, returnAfterMs: 60_000, schemaUser: undefined, schemaPasswordPath: undefined,
};

describe('A data directory and a database', () => {
  let server: ScratchServer;
  let settings: DatabaseSettings;
  let database: string;
  let root: string;

  before(async () => {
    server = await ScratchServer.start();
  });
  after(() => server.stop());
  beforeEach(async (test) => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-place-'));
    ({ database } = await server.makeDatabase());
    settings = named(database);
    if ('after' in test) test.after(() => rm(root, { recursive: true }));
  });

  function named(name: string, user = 'root', { port } = server): DatabaseSettings {
    return { ...FILES, url: parseDatabaseUrl(`mariadb://${user}@127.0.0.1:${port}/${name}`) };
  }

  async function claim({ isNew = true, installation = OURS, by = settings } = {}): Promise<void> {
    await claimPlace(root, await findDatabasePlace(root, { settings: by, installation, isNew }));
  }

  async function tables(): Promise<string[]> {
    const rows = await server.query('SHOW TABLES', database);
    return rows.map(([name]) => String(name));
  }

  it('take each other when both are new, and know each other from then on', async () => {
    await claim();
    assert.deepEqual(await tables(), ['installation']);
    await claim({ isNew: false });
    const place = await findDatabasePlace(root, { settings, installation: OURS, isNew: true });
    const store = await openMetadata(root, place, { clock: systemClock, create: true });
    await store.close();
    await claim({ isNew: false });
  });

  it('go on after a first start that was cut short, wherever that was', async () => {
    await claim();
    await rm(join(root, 'database.json'));
    await claim();
    await server.query('DELETE FROM installation', database);
    await claim();
    assert.deepEqual(await server.query(OWNER, database), [[OURS]]);
  });

  it('refuse another installation, and nothing is changed', async () => {
    await claim();
    await rm(join(root, 'database.json'));
    await assert.rejects(claim({ installation: OTHERS }), { code: 'database-of-another' });
    assert.deepEqual(await readdir(root), []);
    assert.deepEqual(await server.query(OWNER, database), [[OURS]]);
  });

  it('refuse an empty database where there were files, and nothing is made in it', async () => {
    await claim();
    const { database: empty } = await server.makeDatabase();
    database = empty;
    await assert.rejects(claim({ isNew: false, by: named(empty) }), { code: 'database-empty' });
    await mkdir(join(root, 'volumes'));
    await writeFile(join(root, 'volumes', 'v0000000001.vol'), '');
    await assert.rejects(claim({ by: named(empty) }), { code: 'database-empty' });
    assert.deepEqual(await tables(), []);
  });

  it('refuse a database of another program, and one that lost its mark', async () => {
    await server.query('CREATE TABLE wordpress (id INT)', database);
    await assert.rejects(claim(), { code: 'database-not-ours' });
    await server.query('CREATE TABLE meta (id INT)', database);
    await assert.rejects(claim(), { code: 'database-unmarked' });
    assert.deepEqual(await tables(), ['meta', 'wordpress']);
    assert.deepEqual(await readdir(root), []);
  });

  it('refuse a change of the settings in either direction', async () => {
    await claim();
    await assert.rejects(claim({ isNew: false, by: FILES }), { code: 'database-changed' });
    await rm(join(root, 'database.json'));
    await assert.rejects(claim({ isNew: false }), { code: 'database-changed' });
    await writeFile(join(root, 'metadata.db'), '');
    await assert.rejects(claim(),
      { code: 'database-changed', message: /database move --to mariadb/ });
  });

  it('refuse a damaged note, one of a newer version, and that of another directory', async () => {
    await claim();
    await assert.rejects(claim({ isNew: false, installation: OTHERS }), {
      code: 'database-note-damaged',
    });
    await writeFile(join(root, 'database.json'), '{"format":"holdfast-database","version":2}');
    await assert.rejects(claim({ isNew: false }), { code: 'newer-format' });
    await writeFile(join(root, 'database.json'), '{"for');
    await assert.rejects(claim({ isNew: false, by: FILES }), { code: 'database-note-damaged' });
  });

  it('tell a wrong name, user or server apart from one that is away', async () => {
    await assert.rejects(claim({ by: named('nowhere') }), { code: 'database-refused' });
    await assert.rejects(claim({ by: named(database, 'nobody') }), { code: 'database-refused' });
    const away = named(database, 'root', { ...server, port: 1 } as ScratchServer);
    await assert.rejects(claim({ by: away }), { code: 'database-away' });
    assert.deepEqual(await tables(), []);
  });

  it('are not parted later: whatever is opened there refuses what came in its place', async (t) => {
    const clock = systemClock;
    const place = await claimPlace(
      root, await findDatabasePlace(root, { settings, installation: OURS, isNew: true }));
    assert.ok(place.kind === 'mariadb');
    const { address } = place;
    const node = await WebNode.open(address, { name: 'one', root, version: '1', clock,
      log: silentLog });
    const metadata = await openMetadata(root, place, { clock, create: true });
    const directory = await MariadbShardDirectory.open({ address, clock });
    const { store: identity } = await openIdentityStore(root, place, clock);
    const keyed = await openIdempotencyStore(root, place, clock);
    const marks = new ChangeMarks({ address, clock, words: { op: 'test', database: 'database' } });
    t.after(async () => {
      for (const each of [marks, keyed, identity, directory, metadata, node]) await each.close();
    });
    let serial = 0;
    const key = { user: 'ada' as UserId, fingerprint: 'f' };
    const acts: Record<string, () => Promise<unknown>> = {
      metadata: () => metadata.findBatch(0),
      changeOfMetadata: () => metadata.ensureSpace({
        owner: `u${serial++}` as UserId, tenant: 'default' as TenantId, casePolicy: 'sensitive',
        quotaBytes: undefined, at: 1,
      }),
      accounts: () => identity.findUser('ada' as UserId),
      changeOfAccounts: () => identity.addTenant({
        id: `t${serial++}` as TenantId, title: 't', policy: 'default', createdAt: 1,
      }),
      directory: () => directory.readRev(),
      changeOfDirectory: () => directory.place(`p${serial++}` as TenantId, 0),
      lease: () => node.leases.take('work', 'one', 1_000),
      nodes: () => node.list(),
      keyed: () => keyed.begin({ ...key, key: `k${serial++}` }, 1),
      marks: () => marks.ask(),
    };
    const allWork = async (): Promise<void> => {
      for (const act of Object.values(acts)) await act();
    };
    /** After the way to the server broke. */
    const areRefused = async (why: RegExp): Promise<void> => {
      await server.endConnections(database);
      for (const [name, act] of Object.entries(acts)) {
        await assert.rejects(act(), { kind: 'unavailable', code: 'database-changed', message: why },
          name);
      }
    };
    const set = (what: string): Promise<unknown> => server.query(`UPDATE ${what}`, database);
    await allWork();
    await allWork();
    await set(`installation SET installation = '${OTHERS}'`);
    await areRefused(new RegExp(`another one than was there .*now installation ${OTHERS}`));
    await set(`installation SET installation = '${OURS}'`);
    await allWork();
    for (const number of [
      'identity_turn SET turn = turn', 'writer_turn SET turn = turn', 'directory SET value = value',
    ]) {
      await set(`${number} - 1`);
      await areRefused(/is an older state of the one that was there, without changes that were/);
      await set(`${number} + 1`);
      await allWork();
    }
    await server.query(`DROP DATABASE ${database}`);
    await server.query(`CREATE DATABASE ${database}`);
    await areRefused(/the tables that were there are missing/);
  });

  it('refuse an address without a name where a certificate is asked for', async () => {
    const tlsCaPath = join(root, 'ca.pem');
    await writeFile(tlsCaPath, '-----BEGIN CERTIFICATE-----');
    const by = { ...named(database), tlsCaPath, url: parseDatabaseUrl('mariadb://a@10.0.0.7/h') };
    await assert.rejects(claim({ by }), { code: 'database-nameless', message: /10\.0\.0\.7/ });
    await rm(tlsCaPath);
  });

  it('refuse a server that is not safe, with every reason and what to set', async () => {
    await server.query('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
    await server.query('SET GLOBAL max_allowed_packet = 1048576');
    try {
      await assert.rejects(claim(), (error: Error) => {
        assert.match(error.message, /SET GLOBAL innodb_flush_log_at_trx_commit = 1/);
        assert.match(error.message, /SET GLOBAL max_allowed_packet = 16777216/);
        return true;
      });
      assert.deepEqual(await tables(), []);
    } finally {
      await server.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
      await server.query('SET GLOBAL max_allowed_packet = 16777216');
    }
  });
});
