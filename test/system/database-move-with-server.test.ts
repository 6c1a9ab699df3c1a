/** An installation with accounts, shares, versions and a second shard is carried from its files
 *  into a MariaDB database and back, killed at every step on both ways. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { Secret, TOTP } from 'otpauth';
import { parseGroupId, parseTenantId, parseUserId } from '../../src/base/ids.ts';
import { openIdentityAlone } from '../../src/app/stores.ts';
import type { Identity } from '../../src/identity/index.ts';
import { parseDatabaseUrl, systemClock } from '../../src/platform/index.ts';
import { ScratchServer } from '../../src/platform/mariadb/testing/index.ts';
import { RunningCommand, run, runWell } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import { ask } from '../support/dav-client.ts';
import type { DavClient, Tree } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, TestServer } from '../support/server.ts';

const PASSWORD = 'correct-horse-battery';
const SHARES = '/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json';
const NOT_EMPTY = [
  'users', 'tenants', 'user_groups', 'memberships', 'past_memberships', 'tokens', 'second_factors',
  'recovery_codes', 'keyed_request', 'shard', 'tenant_place', 'space', 'node', 'node_past',
  'folder', 'version', 'event', 'trash', 'property', 'dav_lock', 'access_grant', 'mount',
  'witness', 'meta',
];
const COMMAND_MS = 90_000;
const LATE_WRITER = fileURLToPath(new URL('./late-writer-program.ts', import.meta.url));
const LATE_SCHEMA = fileURLToPath(new URL('./late-schema-program.ts', import.meta.url));
type Env = Record<string, string>;

describe('an installation that grows from files to MariaDB', { timeout: 600_000 }, () => {
  const data = scratchFolder('data');
  const server = TestServer.prepare({ data });
  let databases: ScratchServer;
  let appPassword = '';
  let secret = '';
  let recovery: string[] = [];
  let trees: ReadonlyMap<string, Tree>;

  before(async () => {
    databases = await ScratchServer.start();
    for (const name of ['holdfast', 'again', 'more', 'two', 'strange']) {
      await databases.query(`CREATE DATABASE ${name}`);
    }
    await databases.query('CREATE TABLE recipes (id INT)', 'strange');
  });
  after(async () => {
    await endServer();
    await databases.stop();
  });

  let isStarted = false;
  async function endServer(): Promise<void> {
    if (isStarted && server.isRunning) await server.kill();
  }
  async function serve(more: Env = {}): Promise<void> {
    await endServer();
    isStarted = true;
    await server.startAgain({ env: { ...more, HOLDFAST_WEBHOOKS_ALLOW_PRIVATE: 'true' } });
  }

  const env = (database: string): Env =>
    ({ HOLDFAST_DATABASE_URL: `mariadb://root@127.0.0.1:${databases.port}/${database}` });
  const command = (words: readonly string[], more: Env = {}): Promise<Outcome> =>
    run(PROGRAM, [...words, '--data', data], { env: more, timeoutMs: COMMAND_MS });
  const move = (to: string, more: Env): Promise<Outcome> =>
    command(['database', 'move', '--to', to, '--yes'], more);

  async function moved(to: string, more: Env): Promise<string> {
    const { code, stdout, stderr } = await move(to, more);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  }

  async function killedAt(to: string, failpoint: string): Promise<void> {
    const { signal, stdout, stderr } = await move(
      to, { ...env('holdfast'), HOLDFAST_FAILPOINT: failpoint });
    assert.equal(signal, 'SIGKILL', `${to} ${failpoint}: ${stdout}${stderr}`);
  }

  async function refused(outcome: Promise<Outcome>, why: RegExp): Promise<void> {
    const { code, stdout, stderr } = await outcome;
    assert.ok(code === 2 || code === 3, `${code} ${stdout}${stderr}`);
    assert.match(stdout + stderr, why);
  }

  /** It does not get as far as to serve. */
  const start = (more: Env = {}): Promise<Outcome> =>
    command(['serve', '--listen', '127.0.0.1:0'], more);

  const person = (name: string, password = PASSWORD): DavClient => server.client(name, password);
  const people = (): DavClient[] => [
    person('anna'), person('ben'), person('carl', appPassword), person('eve'),
  ];

  async function readTrees(): Promise<Map<string, Tree>> {
    const found = new Map<string, Tree>();
    for (const user of people()) found.set(user.name, await user.tree());
    return found;
  }

  /** All rows of all files, but for what is said of a database itself. */
  function dump(): Record<string, unknown[]> {
    const files: Record<string, unknown[]> = {};
    for (const name of ['metadata.db', 'identity.db', 'api.db', 'directory.db']) {
      const database = new DatabaseSync(join(data, name), { readOnly: true });
      const tables = database.prepare(
        'SELECT name, sql FROM sqlite_schema WHERE type = \'table\' ORDER BY name').all();
      for (const { name: table, sql } of tables) {
        const rows = database.prepare(`SELECT * FROM ${String(table)}`).all();
        files[String(table)] = [sql, ...rows.map((row) => JSON.stringify(row)).toSorted()];
      }
      database.close();
    }
    return files;
  }

  async function makePeople(): Promise<void> {
    const identity = await openIdentityAlone(data, { clock: systemClock, create: true });
    const [acme, team] = [parseTenantId('acme'), parseGroupId('team')];
    await identity.tenants.create({ id: 'acme', title: 'Acme' });
    await identity.groups.add({ id: 'team', displayName: 'The team' });
    for (const id of ['anna', 'ben', 'carl', 'dora', 'eve']) {
      await identity.users.add({
        id, password: PASSWORD, admin: id === 'anna', ...(id === 'eve' && { tenant: acme }),
      });
    }
    for (const id of ['anna', 'ben', 'dora']) await identity.groups.join(team, parseUserId(id));
    await identity.groups.leave(team, parseUserId('dora')); // Remembered: she was there.
    await identity.users.setDisabled(parseUserId('dora'), true);
    await identity.close();
  }

  async function makeFiles(): Promise<void> {
    const [anna, ben, carl, eve] = ['anna', 'ben', 'carl', 'eve'].map((name) => person(name));
    assert.ok(anna && ben && carl && eve);
    const hook = await ask('POST', `${server.url}/api/v1/webhooks`, {
      headers: { ...authorization(anna), 'Content-Type': 'application/json' },
      body: JSON.stringify({
        url: 'http://127.0.0.1:9/hook', path: '/nowhere',
        secret: 'a secret of 32 characters at least',
      }),
    });
    assert.equal(hook.status, 201, hook.text);
    await anna.makeFolder('shared');
    for (const text of ['first', 'second']) await anna.put('shared/versions.txt', text);
    await anna.put('shared/😀 e\u0301 \uFF21.txt', 'names of every script');
    await anna.put('gone.txt', 'in the trash');
    assert.equal((await anna.remove('gone.txt')).status, 204);
    for (const form of [{ shareType: '0', shareWith: 'ben' }, { shareType: '3' },
      { shareType: '1', shareWith: 'team' }]) {
      const shared = await anna.ask('POST', SHARES, {
        headers: {
          'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ path: '/shared', ...form }).toString(),
      });
      assert.equal(shared.status, 200, shared.text);
    }
    const patched = await anna.file('PROPPATCH', 'shared/versions.txt', {
      body: `<d:propertyupdate xmlns:d="DAV:" xmlns:b="urn:b" xmlns:a="urn:a"><d:set><d:prop>
        <b:x>1</b:x><a:y>2</a:y><a:x>3</a:x></d:prop></d:set></d:propertyupdate>`,
    });
    assert.equal(patched.status, 207, patched.text);
    const locked = await anna.ask('LOCK', `${anna.root}/shared/versions.txt`,
      { headers: { 'X-User-Lock': '1', 'Timeout': 'Second-3600' } });
    assert.equal(locked.status, 200, locked.text);
    await ben.put('of ben.txt', 'ben');
    assert.equal((await eve.put('far away.txt', 'on the second shard')).status, 201);
    const post = (path: string, body: object, more: Env = {}) => ask('POST',
      `${server.url}/api/v1${path}`, {
      headers: { ...authorization(carl), 'Content-Type': 'application/json', ...more },
      body: JSON.stringify(body),
    });
    const token = await post('/tokens', { label: 'once', scopes: ['sharing'] },
      { 'Idempotency-Key': 'k1' });
    assert.equal(token.status, 201, token.text);
    const made = await post('/devices', { name: 'phone' });
    assert.equal(made.status, 201, made.text);
    appPassword = (JSON.parse(made.text) as { password: string }).password;
    await carl.put('of carl.txt', 'carl');
    secret = (JSON.parse((await post('/account/second-factor', { password: PASSWORD })).text) as
      { secret: string }).secret;
    const on = await post('/account/second-factor/confirmation', { code: codeAt(0) });
    recovery = (JSON.parse(on.text) as { codes: string[] }).codes;
  }

  const authorization = ({ name, password }: DavClient): Env => ({
    Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
  });
  const codeAt = (laterMs: number): string => new TOTP({ secret: Secret.fromBase32(secret) })
    .generate({ timestamp: systemClock.now() + laterMs });
  const signIn = (code: string) => ask('POST', `${server.url}/api/v1/session`, {
    headers: { 'Content-Type': 'application/json', 'Origin': server.url },
    body: JSON.stringify({ user: 'carl', password: PASSWORD, code }),
  });

  async function checkAll(): Promise<void> {
    assert.deepEqual(await readTrees(), trees);
    assert.equal((await person('dora').list().catch(() => [])).length, 0, 'she is disabled');
    const anna = person('anna');
    const hooks = await anna.ask('GET', '/api/v1/webhooks');
    assert.match(hooks.text, /127\.0\.0\.1:9\/hook/);
    const [trash, shares] = await Promise.all([
      anna.ask('PROPFIND', '/remote.php/dav/trashbin/anna/trash', { headers: { Depth: '1' } }),
      anna.ask('GET', SHARES, { headers: { 'OCS-APIRequest': 'true' } }),
    ]);
    assert.match(trash.text, /gone\.txt/);
    assert.equal((JSON.parse(shares.text) as { ocs: { data: unknown[] } }).ocs.data.length, 3);
    const held = await person('ben').put('shared/versions.txt', 'not while anna has locked it');
    assert.equal(held.status, 423, held.text);
  }

  it('has a little of everything', async () => {
    await makePeople();
    await serve();
    await runWell(PROGRAM, ['shard', 'add', 'two',
      `mariadb://root@127.0.0.1:${databases.port}/two`, '--data', data]);
    await makeFiles();
    trees = await readTrees();
    assert.ok([...trees.values()].every((tree) => tree.size > 0));
    await checkAll();
  });

  it('is not touched by what cannot be done', async () => {
    await server.stop();
    await refused(start(env('holdfast')), /holdfast database move --to mariadb/);
    await refused(move('mariadb', env('strange')), /another program/);
    await refused(move('mariadb', env('two')), /not empty/);
    assert.deepEqual(await databases.query('SHOW TABLES', 'holdfast'), []);
  });

  it('goes on from wherever it was killed, also when files have changed since', async () => {
    await killedAt('mariadb', 'app.database-copy:20');
    await moved('files', {}); // It stays there for the time being.
    await serve();
    assert.equal((await person('ben').put('since.txt', 'since')).status, 201);
    assert.equal((await person('ben').remove('of ben.txt')).status, 204);
    trees = await readTrees();
    await server.stop();
    for (const place of ['marked', 'compared', 'owned', 'flipped']) {
      await killedAt('mariadb', `app.database-${place}`);
    }
    await killedAt('mariadb', 'app.database-file:2');
    const said = await moved('mariadb', env('holdfast'));
    assert.match(said, /database\.url = mariadb:/);
    await refused(start(), /Set database\.url = mariadb:/);
    const names = readdirSync(data);
    assert.equal(names.filter((name) => name.includes('.db.moved-')).length, 4, names.join(' '));
  });

  it('serves the same from there, and is found whole', async () => {
    await serve(env('holdfast'));
    await checkAll();
    assert.equal((await signIn(codeAt(30_000))).status, 200, 'the key of second factors fits');
    const { code, stdout, stderr } = await command(['verify', 'run'], env('holdfast'));
    assert.equal(code, 0, stdout + stderr);
    assert.equal((await person('ben').put('there.txt', 'there')).status, 201);
    trees = await readTrees();
    await server.stop();
  });

  const owner = async (database = 'holdfast'): Promise<unknown> =>
    (await databases.query('SELECT installation FROM installation', database))[0]?.[0];

  /** As a command does that then waits for somebody. */
  const openAccounts = (database: string): Promise<Identity> => openIdentityAlone(data, {
    clock: systemClock, create: false, database: {
      url: parseDatabaseUrl(`mariadb://root@127.0.0.1:${databases.port}/${database}`),
      passwordPath: undefined, tlsCaPath: undefined, isUnencrypted: false, accountsAgeMs: 0,
      returnAfterMs: 60_000, schemaUser: undefined, schemaPasswordPath: undefined,
    },
  });

  it('comes back with all that was done there, from wherever it was killed', async () => {
    const { instanceId: id } = JSON.parse(readFileSync(join(data, 'holdfast.json'), 'utf8')) as
      { instanceId: string };
    // Another machine may have the same name, and the same folder.
    for (const place of ['elsewhere:/data', `${hostname()}:${data}`]) {
      await databases.query(`INSERT INTO cluster_node VALUES ('other', 'x', '1', '${place}', 1,
        UNIX_TIMESTAMP() * 1000 + 3600000, 0)`, 'holdfast');
      await refused(move('files', env('holdfast')), /Another server works on this database/);
      await databases.query('DELETE FROM cluster_node', 'holdfast');
    }
    const home = join(data, 'tenants', 'acme');
    renameSync(home, `${home}-away`);
    await refused(move('files', env('holdfast')), /acme has no place in this data directory/);
    renameSync(`${home}-away`, home);
    const homes = JSON.parse(readFileSync(join(data, 'block-homes.json'), 'utf8')) as object;
    // As if another server had made them since this one looked.
    writeFileSync(join(data, 'block-homes.json'), JSON.stringify({ ...homes, homes: [] }));
    assert.equal(await owner(), id, 'it is as it was');
    const late = await openAccounts('holdfast');
    try {
      await killedAt('files', 'app.database-copy:20');
      await refused(start(env('holdfast')), /holdfast database move --to files/);
      await moved('mariadb', env('holdfast')); // It stays there for the time being.
      await late.users.add({ id: 'late', password: PASSWORD, admin: false });
      await killedAt('files', 'app.database-fenced');
      await assert.rejects(late.users.add({ id: 'lost', password: PASSWORD, admin: false }),
        { code: 'database-left' });
      await killedAt('files', 'app.database-compared');
      for (const [fence] of await databases.query('SHOW TRIGGERS', 'holdfast')) {
        await databases.query(`DROP TRIGGER ${String(fence)}`, 'holdfast'); // By hand.
      }
      await late.users.add({ id: 'later', password: PASSWORD, admin: false });
      await refused(move('files', env('holdfast')), /Somebody has changed something/);
      await killedAt('files', 'app.database-owned');
      await assert.rejects(late.users.add({ id: 'lost', password: PASSWORD, admin: false }),
        { code: 'database-left' });
    } finally {
      await late.close();
    }
    await refused(move('mariadb', env('holdfast')), /--to files/);
    await killedAt('files', 'app.database-file:2');
    await killedAt('files', 'app.database-flipped');
    await moved('files', env('holdfast'));
    assert.deepEqual(JSON.parse(readFileSync(join(data, 'block-homes.json'), 'utf8')), homes);
    await serve();
    await checkAll();
    assert.equal((await person('late').put('late.txt', 'what was acknowledged')).status, 201);
    assert.equal((await person('later').put('later.txt', 'also')).status, 201);
    assert.equal((await signIn(recovery[0] ?? '')).status, 200);
    await server.stop();
  });

  /** A change of the tables that stands still at a marked place. */
  async function alterUntil(
    place: string, column: string, shard?: string,
  ): Promise<RunningCommand> {
    const address = JSON.stringify(databases.addressOf('again'));
    const slept = new RunningCommand(process.execPath, [
      LATE_SCHEMA, address, place, column, String(await owner('again')),
      ...(shard === undefined ? [] : [JSON.stringify(databases.addressOf(shard))]),
    ]);
    const state = (): string => readFileSync(`/proc/${slept.pid}/status`, 'utf8');
    await eventually(COMMAND_MS, 'it stands still', () => /^State:\tT/m.test(state()));
    return slept;
  }

  it('is not left while its tables are being altered', async () => {
    await moved('mariadb', env('again'));
    const altering = await alterUntil('schema.before-statement:2:stop', 'late_one');
    try {
      const { code, stderr } = await move('files', env('again'));
      assert.equal(code, 1, 'the same may succeed later');
      assert.match(stderr, /altering the tables of this database/);
      assert.match(String(await owner('again')), /^[0-9a-f-]+$/, 'it is as it was');
      altering.kill('SIGCONT');
      await altering.printed(/^ended done \[\]$/m, COMMAND_MS);
    } finally {
      altering.kill('SIGKILL');
      await altering.end(COMMAND_MS);
    }
  });

  it('is not left while somebody who has looked at it is about to alter a shard, which is served '
    + 'on', async () => {
    const altering = await alterUntil('schema.before-statement:2:stop', 'late_shard', 'two');
    try {
      const { code, stderr } = await move('files', env('again'));
      assert.equal(code, 1, 'the same may succeed later');
      assert.match(stderr, /Shard two: .*altering the tables of this database.*same again/);
      assert.match(String(await owner('again')), /^[0-9a-f-]+$/, 'it is as it was');
      altering.kill('SIGCONT');
      await altering.printed(/^ended done \[\]$/m, COMMAND_MS);
    } finally {
      altering.kill('SIGKILL');
      await altering.end(COMMAND_MS);
    }
  });

  it('leaves a database to which nothing comes from those who slept all the while', async () => {
    const address = JSON.stringify(databases.addressOf('again'));
    const altering = await alterUntil('schema.before-step:1:stop', 'late_two');
    const slept = new RunningCommand(process.execPath, [LATE_WRITER, address]);
    try {
      await slept.printed(/^ready$/m, COMMAND_MS);
      await moved('files', env('again'));
      const left = await sumsOf('again');
      assert.ok(left.length > 50, `${left.length} tables`);
      slept.kill('SIGCONT');
      altering.kill('SIGCONT');
      await slept.printed(/^over$/m, COMMAND_MS);
      const tried = slept.stdout.trim().split('\n').slice(1, -1);
      assert.equal(tried.length, 15, slept.stdout);
      // A connection that is made only then meets a database that is not what it was.
      for (const line of tried) assert.match(line, /^\w+ database-(left|changed)$/);
      assert.match(tried.join('\n'), /^metadata database-left$/m);
      await altering.printed(/^ended refused database-left .*carried to files/m, COMMAND_MS);
      const columns = await databases.query('SHOW COLUMNS FROM lease', 'again');
      const names = columns.map(([name]) => String(name));
      assert.deepEqual(names.filter((name) => name.startsWith('late')), ['late_one']);
      assert.deepEqual(await sumsOf('again'), left);
    } finally {
      for (const each of [slept, altering]) {
        each.kill('SIGKILL');
        await each.end(COMMAND_MS);
      }
    }
  });

  async function sumsOf(database: string): Promise<string[]> {
    const sums: string[] = [];
    for (const [table] of await databases.query('SHOW TABLES', database)) {
      const [row] = await databases.query(`CHECKSUM TABLE ${String(table)}`, database);
      sums.push(`${String(table)} ${String(row?.[1])}`);
    }
    return sums;
  }

  it('has every row when it was there and back', async () => {
    const rows = dump();
    for (const table of NOT_EMPTY) assert.ok(Number(rows[table]?.length) > 1, `rows in ${table}`);
    await moved('mariadb', env('more'));
    await moved('files', env('more'));
    assert.deepEqual(dump(), rows);
  });
});
