/** The tables on a server are those that are read from the texts that make them; and a program that
 *  starts finds the shards as it needs them, or does not serve. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { MemoryTerminal, schemaCommands } from '../cli/index.ts';
import { ensureFailureTables } from '../identity/stores/mariadb/mariadb-failure-counts.ts';
import { MariadbIdentityStore } from '../identity/stores/mariadb/mariadb-identity-store.ts';
import { ensureDrainTables } from '../metadata/move/stores/mariadb/mariadb-drain-journal.ts';
import { MariadbShardDirectory } from '../metadata/shards/stores/mariadb/mariadb-directory.ts';
import type { ShardRecord } from '../metadata/index.ts';
import { claimDatabase } from '../metadata/stores/mariadb/installation.ts';
import { openDatabase } from '../metadata/stores/mariadb/open-database.ts';
import { ensureClusterTables } from '../platform/cluster/stores/mariadb/cluster-schema.ts';
import {
  MariadbNodeRegistry,
} from '../platform/cluster/stores/mariadb/mariadb-node-registry.ts';
import { openDataDirectory, parseDatabaseUrl, silentLog, systemClock } from '../platform/index.ts';
import { Session } from '../platform/mariadb/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import {
  LEAST, ScratchServer, letLeastUsersIn,
} from '../platform/mariadb/testing/index.ts';
import {
  MariadbIdempotencyStore,
} from '../protocols/rest/idempotency/stores/mariadb/mariadb-idempotency-store.ts';
import type { Expand } from '../schema/index.ts';
import { claimPlace, findDatabasePlace } from './database-place.ts';
import type { DatabasePlace } from './database-place.ts';
import { shardOf } from './schema-shards.ts';
import { checkLateShard, checkShards, openSchema } from './schema.ts';
import { SLICES } from './settings.ts';

const COLOUR: Expand = {
  id: 'tenant-colour', kind: 'expand', family: 'metadata', minCode: '0.1.0', title: 'A colour',
  algorithm: 'instant', isNeeded: true, steps: [{
    effect: { table: 'tenant', column: 'colour' },
    sqlite: 'ALTER TABLE tenant ADD COLUMN colour TEXT',
    mariadb: 'ALTER TABLE tenant ADD COLUMN colour VARCHAR(255) NULL',
  }],
};

describe('An installation on MariaDB with two shards', () => {
  let server: ScratchServer;
  let root: string;
  let place: DatabasePlace;
  let [first, second]: ServerAddress[] = [];
  let url: string;
  /** Of the last command. */
  let complaints = '';
  let two: ShardRecord | undefined;

  before(async () => {
    server = await ScratchServer.start();
    root = await mkdtemp(join(tmpdir(), 'holdfast-schema-'));
    [first, second] = [await server.makeDatabase(), await server.makeDatabase()];
    first = await letLeastUsersIn(server, first.database);
    second = await letLeastUsersIn(server, second.database);
    url = `mariadb://${LEAST.user}@127.0.0.1:${server.port}/${first.database}`;
    const { passwordPath, schemaUser, schemaPasswordPath } = settingsOf();
    await writeFile(passwordPath, LEAST.password);
    await writeFile(schemaPasswordPath, LEAST.schemaUser.password);
    await writeFile(join(root, 'holdfast.toml'), `[database]\nurl = "${url}"
      password_path = "${passwordPath}"\nschema_user = "${schemaUser}"
      schema_password_path = "${schemaPasswordPath}"\n`);
    const data = join(root, 'data');
    const { instanceId: installation } = await openDataDirectory(data, systemClock);
    const options = { settings: settingsOf(), installation };
    await claimPlace(data, await findDatabasePlace(data, { ...options, isNew: true }));
    const clock = systemClock;
    await openDatabase(first, { create: true, shard: 0 });
    await (await MariadbIdentityStore.open({ address: first, create: true, clock })).close();
    await (await MariadbIdempotencyStore.open({ address: first, clock })).close();
    const session = await Session.open(first, 'schema');
    await ensureClusterTables(session);
    await ensureDrainTables(session);
    await ensureFailureTables(session);
    await session.end();
    const directory = await MariadbShardDirectory.open({ address: first, clock });
    await directory.addShard({
      name: 'two', url: url.replace(first.database, second.database),
      passwordPath: settingsOf().passwordPath, at: 1,
    });
    const { shards } = await directory.read();
    two = shards.find(({ name }) => name === 'two');
    await directory.close();
    await claimDatabase(second, { installation, mayTake: true });
    await openDatabase(second, { create: true, shard: 1 });
    await writeFile(join(data, 'stores-complete'), '');
    place = await findDatabasePlace(data, { ...options, isNew: false });
  });
  after(async () => {
    await server.stop();
    await rm(root, { recursive: true });
  });

  const settingsOf = () => ({
    url: parseDatabaseUrl(url), passwordPath: join(root, 'password'), tlsCaPath: undefined,
    isUnencrypted: false, accountsAgeMs: 0, returnAfterMs: 60_000,
    schemaUser: LEAST.schemaUser.user,
    schemaPasswordPath: join(root, 'schema-password'),
  });
  const check = (changes: readonly Expand[], version = '0.1.0') => checkShards(
    join(root, 'data'), place,
    { database: settingsOf(), clock: systemClock, log: silentLog, changes, version });

  const commands = schemaCommands({
    slices: SLICES, clock: systemClock,
    open: (config, options) => openSchema(config, { ...options, clock: systemClock }),
  });

  async function run(
    wanted: string, { config = 'holdfast.toml', yes = false } = {},
  ): Promise<{ exit: number | undefined; printed: string }> {
    const terminal = new MemoryTerminal();
    const command = commands.find(({ name }) => name === `schema ${wanted}`);
    const flags = { data: join(root, 'data'), config: join(root, config), ...(yes && { yes }) };
    const exit = await command?.run(terminal, { args: ['x'], flags });
    ({ complaints } = terminal);
    return { exit, printed: terminal.printed };
  }

  const drift = () => run('drift');

  async function tables(database: string | undefined): Promise<unknown[]> {
    return (await server.query('SHOW TABLES', database)).flat();
  }

  /** As long as `act` goes on, a row of a database says something else. */
  async function otherwise(
    database: string | undefined, [table, column, where]: [string, string, string],
    act: () => Promise<void>,
  ): Promise<void> {
    const [[was] = []] = await server.query(
      `SELECT ${column} FROM ${table} WHERE ${where}`, database);
    const set = (value: unknown) => server.query(
      `UPDATE ${table} SET ${column} = '${String(value)}' WHERE ${where}`, database);
    await set(5);
    await act().finally(() => set(was));
  }

  const OWNER: [string, string, string] = ['installation', 'installation', 'id = 1'];
  const SHARD: [string, string, string] = ['meta', 'value', 'name = \'shard\''];

  it('has the tables that the texts in the program say, all of them', async () => {
    assert.deepEqual(await drift(), { exit: 0, printed: '' });
  });

  it('shows what was altered by hand, by shard, table and column', async () => {
    await server.query('ALTER TABLE node MODIFY name VARCHAR(200) NULL', second?.database);
    await server.query('ALTER TABLE users DROP KEY users_by_admin', first?.database);
    assert.deepEqual(await drift(), {
      exit: 1,
      printed: 'main: users index users_by_admin is missing\n'
        + 'two: node.name is varchar(200) NULL utf8mb4_nopad_bin; it should be '
        + 'varchar(255) NULL utf8mb4_nopad_bin\n',
    });
  });

  it('shows which table is missing on which shard, whoever\'s it is', async () => {
    for (const [address, shard, table] of [
      [first, 'main', 'users'], [second, 'two', 'installation'], [second, 'two', 'grant_count'],
    ] as const) {
      await server.query(`RENAME TABLE ${table} TO away`, address?.database);
      const { exit, printed } = await drift();
      await server.query(`RENAME TABLE away TO ${table}`, address?.database);
      assert.equal(exit, 1, printed);
      assert.match(printed, new RegExp(`${shard}: ${table} is missing`));
    }
  });

  it('is brought up by a program that is alone, and by command when there are others', async () => {
    await check([COLOUR]);
    const columns = await server.query(`SELECT table_schema FROM information_schema.columns
      WHERE table_name = 'tenant' AND column_name = 'colour' ORDER BY 1`);
    assert.deepEqual(columns, [[first?.database], [second?.database]]);
    assert.ok(first !== undefined);
    const nodes = new MariadbNodeRegistry({ address: first, clock: systemClock });
    for (const name of ['one', 'two']) {
      await nodes.enter({ name, incarnation: name, version: '0.1.0', place: name }, 0);
    }
    await nodes.close();
    await check([COLOUR]);
    const later = JSON.parse(JSON.stringify(COLOUR).replaceAll('colour', 'shape')) as Expand;
    await assert.rejects(check([COLOUR, later]), (error) => (
      error instanceof HoldfastError && error.code === 'schema-behind'
        && error.message.includes('Run: holdfast schema apply')));
  });

  it('is looked at by a user without rights to alter, who cannot bring it up', async () => {
    const found = place;
    assert.ok(found.kind === 'mariadb');
    const { address: { schemaUser: _, ...address } } = found;
    const asUser = (changes: readonly Expand[]) => checkShards(join(root, 'data'), {
      ...found, address,
    }, { database: settingsOf(), clock: systemClock, log: silentLog, changes, version: '0.1.0' });
    const late = (changes: readonly Expand[]) => {
      assert.ok(two !== undefined);
      return checkLateShard(join(root, 'data'), two,
        { settings: settingsOf(), clock: systemClock, changes });
    };
    await asUser([COLOUR]);
    await late([COLOUR]);
    await server.query('DELETE FROM cluster_node', first?.database);
    const shape = JSON.parse(JSON.stringify(COLOUR).replaceAll('colour', 'shape')) as Expand;
    for (const act of [asUser, late]) {
      await assert.rejects(act([COLOUR, shape]), (error) => (
        error instanceof HoldfastError && error.code === 'schema-behind'));
    }
  });

  it('is served although the password of one shard is gone, and drift is not silent', async () => {
    assert.ok(first !== undefined);
    const directory = await MariadbShardDirectory.open({ address: first, clock: systemClock });
    const { number } = await directory.addShard({
      name: 'three', url: `${url}-3`, passwordPath: join(root, 'no-such-file'), at: 2,
    });
    await check([COLOUR]);
    await drift();
    assert.match(complaints, /^three: .*cannot be read.*\n3 shards, 2 with .*, 1 not looked/);
    await directory.setShardState(number, 'closed');
    await directory.close();
  });

  it('is left as it is by commands whose settings name a database of another', async () => {
    const before = await tables(first?.database);
    await server.query('DELETE FROM schema_pause', first?.database);
    await otherwise(first?.database, OWNER, async () => {
      for (const { name } of commands) {
        await assert.rejects(run(name.replace('schema ', ''), { yes: true }),
          (error) => error instanceof HoldfastError && error.code === 'database-of-another'
            && /belongs to another installation.*Nothing was changed/.test(error.message), name);
      }
    });
    assert.deepEqual(await server.query('SELECT * FROM schema_pause', first?.database), []);
    assert.deepEqual(await tables(first?.database), before);
  });

  it('makes nothing in a database that is empty, or was carried to files', async () => {
    const { database: empty } = await server.makeDatabase();
    await letLeastUsersIn(server, empty);
    const settings = await readFile(join(root, 'holdfast.toml'), 'utf8');
    await writeFile(join(root, 'empty.toml'),
      settings.replace(`/${String(first?.database)}"`, `/${empty}"`));
    for (const yes of [false, true]) {
      await assert.rejects(run('apply', { config: 'empty.toml', yes }), { code: 'database-empty' });
    }
    await assert.rejects(run('pause', { config: 'empty.toml' }), { code: 'database-empty' });
    assert.deepEqual(await tables(empty), []);
    const mark = (as: string) => server.query(`UPDATE installation SET installation = ${as}`,
      first?.database);
    await mark('CONCAT(\'left:\', installation)');
    await assert.rejects(run('apply', { yes: true }), { code: 'database-left' });
    await mark('SUBSTR(installation, 6)');
    assert.equal((await run('apply', { yes: true })).exit, 0);
  });

  it('has no shard altered while one of them is another one, and says which and why', async () => {
    for (const [what, words] of [
      [OWNER, /two: The database at the address of this shard belongs to another installation/],
      [SHARD, /two: This database is shard 5, and stands where shard 1 is expected/],
    ] as const) {
      await otherwise(second?.database, what, async () => {
        for (const name of ['apply', 'contract']) {
          await assert.rejects(run(name, { yes: true }), (error) => error instanceof HoldfastError
            && error.code === 'schema-wrong-database' && words.test(error.message));
        }
        for (const name of ['status', 'drift']) {
          assert.equal((await run(name)).exit, 1);
          assert.match(complaints, words);
        }
      });
    }
    await server.query('RENAME TABLE installation TO away', second?.database);
    await assert.rejects(run('apply', { yes: true }), /two: .*nothing in it says whose it is/);
    await server.query('RENAME TABLE away TO installation', second?.database);
    assert.equal((await run('apply', { yes: true })).exit, 0);
  });

  it('serves beside a shard that is another one, and alters nothing there, however late that '
    + 'comes about', async () => {
    const size = JSON.parse(JSON.stringify(COLOUR).replaceAll('colour', 'size')) as Expand;
    const columns = () => server.query(`SELECT table_schema FROM information_schema.columns
      WHERE table_name = 'tenant' AND column_name = 'size'`);
    await otherwise(second?.database, OWNER, async () => {
      await check([COLOUR, size]);
      assert.deepEqual(await columns(), [[first?.database]]);
    });
    assert.ok(two !== undefined);
    const opened = await shardOf(join(root, 'data'), two, {
      settings: settingsOf(), readonly: false, place, clock: systemClock,
    });
    const target = await opened.open();
    await otherwise(second?.database, OWNER, () => assert.rejects(target.runStep(size, 0, 1),
      { code: 'database-of-another' }));
    await otherwise(first?.database, OWNER, () => assert.rejects(target.runStep(size, 0, 1),
      { code: 'database-of-another' }));
    assert.deepEqual(await columns(), [[first?.database]]);
    assert.equal(await target.runStep(size, 0, 1), 'made');
    await target.close();
  });

  it('is not served by a program older than a contract that has begun', async () => {
    await server.query(`INSERT INTO schema_change (id, done_at_ms, min_code)
      VALUES ('x', NULL, '0.2.0')`, first?.database);
    await assert.rejects(check([]), (error) => (
      error instanceof HoldfastError && error.code === 'schema-ahead'));
    await check([], '0.2.0');
  });
});
