/** The real program on a MariaDB server of its own: what users do, and what they see while the
 *  database is away, silent or the wrong one. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LEAST, letLeastUsersIn } from '../../src/platform/mariadb/testing/index.ts';
import { RunningCommand, run } from '../support/command.ts';
import { TestDatabase, envOf } from '../support/database.ts';
import type { Answer, DavClient } from '../support/dav-client.ts';
import { ask } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { ownPort } from '../support/ports.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, START_TIMEOUT_MS, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const SHARES = '/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json';
/** A server that is asked to wait says so within that: see the limits of waiting in platform. */
const PATIENCE_MS = 60_000;

describe('Holdfast on MariaDB', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let database: TestDatabase;
  let server: TestServer;
  let ada: DavClient;
  let ben: DavClient;

  before(async () => {
    database = await TestDatabase.start();
    server = await servers.start({ env: database.env });
    ada = await server.addUser({ name: 'ada', args: ['--admin'] });
    ben = await server.addUser({ name: 'ben' });
  });
  after(async () => {
    database.server.goOn();
    await server.kill();
    await database.stop();
  });

  /** What clients send one after the other: nothing of it may be answered as if files were gone. */
  function requests(): Record<string, () => Promise<Answer>> {
    return {
      GET: () => ada.get('folder/kept.txt'),
      HEAD: () => ada.file('HEAD', 'folder/kept.txt'),
      PROPFIND: () => ada.file('PROPFIND', 'folder', { headers: { Depth: '1' } }),
      PUT: () => ada.put('folder/late.txt', 'late'),
      DELETE: () => ada.file('DELETE', 'folder/other.txt'),
      MKCOL: () => ada.makeFolder('folder/new'),
      REST: () => ada.ask('GET', '/api/v1/spaces'),
    };
  }

  async function assertAskedToWait(): Promise<void> {
    const asked = Object.entries(requests());
    const answers = await Promise.all(asked.map(([, send]) => send()));
    for (const [index, { status, headers, text }] of answers.entries()) {
      const what = asked[index]?.[0] ?? '';
      assert.equal(status, 503, `${what}: ${status} ${text}\n${server.tail(20)}`);
      assert.ok(Number(headers['retry-after']) > 0, `${what} says when to come again`);
    }
  }

  async function assertWorksAgain(): Promise<void> {
    await eventually(PATIENCE_MS, 'the files are read again', async () => (
      (await ada.get('folder/kept.txt')).text === 'kept'));
    assert.equal((await ada.put('folder/after.txt', 'after')).status < 300, true);
    const names = (await ada.list('folder')).map(({ path }) => path);
    assert.ok(names.some((path) => path.includes('kept.txt')), names.join(' '));
  }

  it('has accounts and metadata in the database, and none in files', async () => {
    for (const name of ['metadata.db', 'identity.db', 'api.db']) {
      assert.equal(existsSync(join(server.data, name)), false, name);
    }
    const rows = await database.server.query('SELECT id FROM users', database.name);
    assert.deepEqual(rows.flat().toSorted(), ['ada', 'ben']);
  });

  it('serves what users do: folders, files, moves, copies, deletions', async () => {
    assert.equal((await ada.makeFolder('folder')).status, 201);
    assert.equal((await ada.put('folder/kept.txt', 'kept')).status, 201);
    assert.equal((await ada.put('folder/other.txt', 'other')).status, 201);
    assert.equal((await ada.put('moved.txt', 'moved')).status, 201);
    assert.equal((await ada.move('moved.txt', 'folder/moved é.txt')).status, 201);
    assert.equal((await ada.copy('folder', 'copy')).status, 201);
    assert.equal((await ada.remove('copy/other.txt')).status, 204);
    assert.deepEqual([...(await ada.tree()).keys()].toSorted(), [
      'copy', 'copy/kept.txt', 'copy/moved é.txt', 'folder', 'folder/kept.txt',
      'folder/moved é.txt', 'folder/other.txt',
    ]);
    assert.equal((await ada.get('folder/moved é.txt')).text, 'moved');
    assert.equal((await ada.get('moved.txt')).status, 404);
  });

  it('finds names of every script, whatever the database takes for its usual letters', async () => {
    await database.server.query(`ALTER DATABASE ${database.name} CHARACTER SET latin1`);
    for (const name of ['😀 e\u0301.txt', '日本語', 'ａ', 'b\\c "d".txt', 'Grüße']) {
      assert.equal((await ada.put(name, name)).status, 201, name);
      assert.equal((await ada.get(name)).text, name);
      assert.equal((await ada.put(name, 'again')).status, 204, name);
      assert.equal((await ada.remove(name)).status, 204, name);
    }
  });

  it('shares, and answers the API', async () => {
    const form = new URLSearchParams({ path: '/folder', shareType: '0', shareWith: 'ben' });
    const shared = await ada.ask('POST', SHARES, {
      headers: { 'OCS-APIRequest': 'true', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    });
    assert.equal(shared.status, 200, shared.text);
    assert.equal((await ben.get('folder/kept.txt')).text, 'kept');
    const spaces = await ada.ask('GET', '/api/v1/spaces');
    assert.equal(spaces.status, 200, spaces.text);
  });

  it('tells what the database was busy with, and for which requests', async () => {
    const put = await ada.put('folder/kept.txt', 'kept');
    const [ourPrefix = ''] = String(put.headers['x-request-id']).split('-', 1);
    const { code, stdout, stderr } = await run(PROGRAM,
      ['db', 'top', '--by', 'p99', '--limit', '1000', '--data', server.data],
      { env: database.env, timeoutMs: 60_000 });
    assert.equal(code, 0, stderr);
    const rows = stdout.trimEnd().split('\n').map((line) => line.split('\t'));
    const requestOf = (name: string): string =>
      rows.find(([first]) => first === name)?.at(-1) ?? assert.fail(`${name} ran\n${stdout}`);
    // Not the commits: signs of life, which nobody has asked for, are committed too.
    for (const name of ['metadata.turn.takeTurn', 'metadata.walk.walk']) {
      assert.ok(requestOf(name).startsWith(`${ourPrefix}-`), `${name}: ${requestOf(name)}`);
    }
  });

  it('takes every table that it has made for one of its own', async () => {
    const { code, stdout, stderr } = await run(PROGRAM,
      ['schema', 'drift', '--data', server.data], { env: database.env });
    assert.deepEqual([code, stdout], [0, ''], stderr);
  });

  it('is verified, and finds nothing wrong', async () => {
    const { code, stdout, stderr } = await run(
      PROGRAM, ['verify', 'run', '--data', server.data], { env: database.env, timeoutMs: 120_000 });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /journal-auditor/);
  });

  it('asks users to wait while the database is gone, and goes on when it is back', async () => {
    await database.server.kill();
    await assertAskedToWait();
    await database.server.startAgain();
    await assertWorksAgain();
    assert.equal((await ada.get('folder/other.txt')).text, 'other', 'a deletion was refused');
  });

  it('asks users to wait while the database is silent, and goes on when it speaks', async () => {
    database.server.freeze();
    await assertAskedToWait();
    database.server.goOn();
    await assertWorksAgain();
  });

  it('asks users to wait while another database is in its place, and says why once', async () => {
    const { name } = database;
    const [[own] = []] = await database.server.query('SELECT installation FROM installation', name);
    const become = async (installation: string): Promise<void> => {
      await database.server.query(`UPDATE installation SET installation = '${installation}'`, name);
      await database.server.endConnections(name);
    };
    await become('another');
    await assertAskedToWait();
    const why = 'what answers at the address of the database is not what was there';
    await eventually(PATIENCE_MS, 'the log says so', () => server.log.includes(why));
    await assertAskedToWait();
    assert.equal(server.log.split(why).length, 2);
    await become(String(own));
    await assertWorksAgain();
    await eventually(PATIENCE_MS, 'the log says that it is back', () =>
      server.log.includes('the database of this installation is back'));
    assert.equal((await ada.get('folder/other.txt')).text, 'other', 'a deletion was refused');
  });

  it('waits for its database at the start, answers 503 meanwhile, and can be stopped', async () => {
    await server.stop();
    await database.server.kill();
    const port = await ownPort();
    const args = ['serve', '--data', server.data, '--listen', `127.0.0.1:${port}`];
    const start = (): RunningCommand => new RunningCommand(PROGRAM, args, {
      env: { ...database.env, HOME: server.data },
    });
    const waiting = start();
    const url = `http://127.0.0.1:${port}/remote.php/dav/files/ada/folder/kept.txt`;
    const answer = await eventually(START_TIMEOUT_MS, 'it listens', () =>
      ask('GET', url).catch(() => undefined));
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.headers['retry-after']) > 0);
    await eventually(PATIENCE_MS, 'it says what it waits for', () =>
      waiting.stderr.includes('cannot be reached; requests get 503'));
    process.kill(waiting.pid, 'SIGTERM');
    const { code } = await waiting.end(PATIENCE_MS);
    assert.equal(code, 0);

    const starting = server.startAgain();
    await database.server.startAgain();
    await starting;
    await assertWorksAgain();
  });

  it('starts on no other database, and with no setting that hides what it has', async () => {
    await server.stop();
    const serve = (env: Record<string, string>, data = server.data) => run(
      PROGRAM, ['serve', '--data', data, '--listen', '127.0.0.1:0'], { env, timeoutMs: 90_000 });
    const { database: empty } = await database.server.makeDatabase();
    for (const name of [empty, 'nowhere']) await letLeastUsersIn(database.server, name);
    const url = (name: string): Record<string, string> => envOf(database.server, name);
    const noSchemaUser = {
      HOLDFAST_DATABASE_SCHEMA_USER: '', HOLDFAST_DATABASE_SCHEMA_PASSWORD_PATH: '',
    };
    const refusals: (readonly [RegExp, env: Record<string, string>, data?: string])[] = [
      [/This database is empty, but there are files already/, url(empty)],
      [/in a MariaDB database, and the settings name none/, {}],
      [/belongs to another installation/, database.env, scratchFolder('another')],
      [/no such metadata database/i, url('nowhere')],
      [/SCHEMA_USER: is the user that database.url names/,
        { ...database.env, HOLDFAST_DATABASE_SCHEMA_USER: LEAST.user }],
      // Without the second user nobody may look after the tables.
      [/does not let this server in as hf_app, who lacks the right CREATE/,
        { ...url(empty), ...noSchemaUser }, scratchFolder('alone')],
    ];
    for (const [words, env, data] of refusals) {
      const { code, stderr } = await serve(env, data);
      assert.match(stderr, words);
      assert.ok([1, 2, 3].includes(code ?? 0), `${code}: ${stderr}`);
    }
    await database.server.query('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
    const { stderr } = await serve(database.env);
    assert.match(stderr, /Run SET GLOBAL innodb_flush_log_at_trx_commit = 1;/);
    await database.server.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
    await server.startAgain();
    await assertWorksAgain();
  });
});
