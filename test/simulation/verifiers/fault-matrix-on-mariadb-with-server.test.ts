/** The verifier fault matrix with the canary's metadata on a MariaDB server, and that a proof there
 *  leaves users' metadata alone: with least rights, and when it is killed. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onMariadb } from '../../../src/app/canary-places.ts';
import { isKind } from '../../../src/base/errors.ts';
import { proveVerifiers } from '../../../src/durability/index.ts';
import type { ProveOptions } from '../../../src/durability/index.ts';
import { FAULTS } from '../../../src/durability/verify/prove/fault-table.ts';
import {
  Hand, MariadbMetadataStore,
} from '../../../src/metadata/stores/mariadb/testing/index.ts';
import { systemClock } from '../../../src/platform/index.ts';
import type { ServerAddress } from '../../../src/platform/mariadb/index.ts';
import {
  LEAST, letLeastUsersIn, ScratchServer,
} from '../../../src/platform/mariadb/testing/index.ts';
import { eventually } from '../../support/deadline.ts';
import { REPOSITORY } from '../../support/server.ts';
import { BACKENDS } from './backends.ts';

const INSTALLATION = '5b0ad0d5-1f05-4d8e-9b5a-6f6a4e0c5a11';
const WAIT_MS = 30_000;
const PAGE = readFileSync(join(REPOSITORY, 'docs/mariadb-users.md'), 'utf8');
const ONE_OF_EACH = FAULTS.filter(({ name }) => [
  'a block that no file needs', 'two files have each other\'s content',
  'a folder whose size is not that of its files', 'nothing at all',
].includes(name));

describe('A proof on MariaDB', { timeout: 300_000 }, () => {
  let root: string;
  let server: ScratchServer;
  let users: ServerAddress;
  let sumBefore: string;
  let names: string[] = [];

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-prove-'));
    server = await ScratchServer.start();
    users = await server.makeDatabase();
    const store = await MariadbMetadataStore.open({ address: users, create: true });
    const hand = await Hand.on(store);
    await hand.put(hand.root, 'of a user');
    await store.close();
    sumBefore = await sumOfUsers();
  });
  after(async () => {
    await server.stop();
    await rm(root, { recursive: true });
  });

  /** Of every row in all tables. */
  async function sumOfUsers(): Promise<string> {
    const { database } = users;
    const tables = await server.query(`SELECT table_name FROM information_schema.tables
      WHERE table_schema = '${database}' ORDER BY table_name`);
    assert.ok(tables.length > 10);
    const names = tables.map(([name]) => `${database}.${String(name)}`);
    return JSON.stringify(await server.query(`CHECKSUM TABLE ${names.join(', ')}`));
  }

  async function canaryDatabases(): Promise<string[]> {
    const rows = await server.query(`SELECT schema_name FROM information_schema.schemata
      WHERE schema_name LIKE 'holdfast\\_canary\\_%' ORDER BY schema_name`);
    return rows.map(([name]) => String(name));
  }

  async function prove(
    address: ServerAddress, faults: ProveOptions['faults'] = FAULTS, folder = 'canary',
  ) {
    const metadata = await onMariadb({
      name: 'first', address, installation: INSTALLATION, clock: systemClock,
    });
    return proveVerifiers({
      directory: join(root, folder), backends: { ...BACKENDS, metadata }, faults,
      signal: new AbortController().signal,
    });
  }

  async function assertNothingLeft(): Promise<void> {
    assert.deepEqual(await canaryDatabases(), []);
    assert.equal(await sumOfUsers(), sumBefore);
  }

  it('plants every fault there, and each is found by exactly the right verifiers', async () => {
    const { lines } = await prove(users);
    assert.deepEqual(lines.filter(({ complaints }) => complaints.length > 0), []);
    assert.deepEqual(lines.map(({ fault }) => fault),
      ['the canary before any fault', ...FAULTS.map(({ name }) => name)]);
    assert.deepEqual(new Set(lines.map(({ metadata }) => metadata)), new Set(['MariaDB (first)']));
    await assertNothingLeft();
  });

  it('is refused with the statement to say if a right is lacking, and goes with that', async () => {
    const address = await letLeastUsersIn(server, users.database);
    let statement = '';
    await assert.rejects(prove(address, ONE_OF_EACH), (error) => {
      assert.ok(isKind(error, 'denied'));
      statement = /GRANT .*;/.exec(error.message)?.[0] ?? '';
      return true;
    });
    await assertNothingLeft();
    const [rights = ''] = statement.split(' TO ');
    assert.ok(rights !== '' && PAGE.includes(`${rights} TO hf_ddl@`), 'the page has the same');
    await server.query(statement.replace('HOST', '127.0.0.1'));
    const { isProved, lines } = await prove(address, ONE_OF_EACH);
    assert.ok(isProved, JSON.stringify(lines));
    assert.equal(lines.length, 1 + 4);
    await assertNothingLeft();
    const grants = await server.query(`SHOW GRANTS FOR '${LEAST.user}'@'127.0.0.1'`);
    assert.ok(!JSON.stringify(grants).includes('canary'), 'who serves has got no right by it');
  });

  it('leaves nothing in users\' metadata when it is killed, and the next one removes the rest',
    async () => {
      const child = fork(fileURLToPath(import.meta.resolve('./proof-to-be-killed.ts')),
        [JSON.stringify(users), INSTALLATION, join(root, 'killed')]);
      const exited = once(child, 'exit');
      // All copies are made, and faults are planted in them again and again.
      await eventually(WAIT_MS, 'faults are being planted', async () =>
        (await canaryDatabases()).length === 6);
      child.kill('SIGKILL');
      await exited;
      assert.equal(await sumOfUsers(), sumBefore);
      names = await canaryDatabases();
      assert.equal(names.length, 6, 'what is left has names of its own');
      await eventually(WAIT_MS, 'the server has noticed', async () => (await server.query(
        'SELECT 1 FROM information_schema.processlist WHERE db LIKE \'holdfast%\'')).length === 0);
      const { isProved } = await prove(users, ONE_OF_EACH, 'killed');
      assert.ok(isProved);
      await assertNothingLeft();
    });

  it('is refused while another is under way, which goes on', async () => {
    const first = prove(users, ONE_OF_EACH);
    await eventually(WAIT_MS, 'it is under way', async () => (await server.query(
      'SELECT 1 FROM information_schema.processlist WHERE db LIKE \'holdfast%\'')).length > 0);
    await assert.rejects(prove(users, ONE_OF_EACH, 'other'), (error) => isKind(error, 'conflict'));
    assert.ok((await first).isProved);
    await assertNothingLeft();
  });

  it('removes no database with something in it that no proof has made', async () => {
    const [name] = names;
    assert.ok(name !== undefined);
    await server.query(`CREATE DATABASE ${name}`);
    await server.query(`CREATE TABLE ${name}.letters (id INTEGER)`);
    await assert.rejects(prove(users, ONE_OF_EACH), (error) =>
      isKind(error, 'conflict') && error.message.includes('letters'));
    assert.deepEqual(await server.query(`SELECT COUNT(*) FROM ${name}.letters`), [[0]]);
    await server.query(`DROP DATABASE ${name}`);
  });
});
