/** Tenants on several databases: a file, and one on a MariaDB server that goes away and returns. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ScratchServer } from '../../src/platform/mariadb/testing/index.ts';
import { run, runWell } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

const WAIT_MS = 90_000;
/** Longer than the server waits for a database that does not answer. */
const ASK_MS = 90_000;

describe('tenants on several databases', { timeout: 480_000 }, () => {
  const servers = serverForTests();
  let databases: ScratchServer;
  let server: TestServer;
  let anna: DavClient;
  let eve: DavClient;
  let passwordPath: string;

  const tell = async (...words: string[]): Promise<string> =>
    (await runWell(PROGRAM, [...words, '--data', server.data])).stdout;
  const ask = (...words: string[]) => run(PROGRAM, [...words, '--data', server.data]);

  before(async () => {
    databases = await ScratchServer.start();
    await databases.query('CREATE DATABASE far');
    await databases.query('CREATE USER holdfast@\'127.0.0.1\' IDENTIFIED BY \'open sesame\'');
    await databases.query('GRANT ALL ON far.* TO holdfast@\'127.0.0.1\'');
    server = await servers.start();
    passwordPath = join(server.data, 'far-password');
    writeFileSync(passwordPath, 'open sesame\n', { mode: 0o600 });
    anna = await server.addUser({ name: 'anna' });
    await anna.put('one.txt', 'one');
  });
  afterEach(() => databases.goOn()); // Whatever happened, nobody waits for it for ever.
  after(() => databases.stop());

  it('adds a database to a running server, and refuses what cannot be one', async () => {
    const url = `mariadb://holdfast@127.0.0.1:${databases.port}/far`;
    const wrong: [RegExp, string, ...string[]][] = [
      [/must not hold a password/, `mariadb://holdfast:secret@127.0.0.1:${databases.port}/far`],
      [/does not let this server in/, url],
      [/cannot be read/, url, '--password-path', join(server.data, 'nothing')],
      [/not encrypted/, 'mariadb://holdfast@db.example.org/far', '--password-path', passwordPath],
    ];
    for (const [why, ...words] of wrong) {
      const { code, stdout, stderr } = await ask('shard', 'add', 'wrong', ...words);
      assert.notEqual(code, 0, stdout);
      assert.match(stdout + stderr, why);
      assert.doesNotMatch(stdout + stderr + server.log, /secret@|open sesame/);
    }
    assert.match(await tell('shard', 'add', 'far', url, '--password-path', passwordPath),
      /added shard \d+: far/);
    const list = await tell('shard', 'list');
    assert.match(list, /^0\tmain\topen\t1\t1\t.*\tyes\t/m);
    assert.match(list, /\tfar\topen\t0\t0\t.*\tyes\t/);
  });

  it('puts new tenants where there is least, and serves all of them alike', async () => {
    await tell('tenant', 'add', 'acme');
    eve = await server.addUser({ name: 'eve', args: ['--admin', '--tenant', 'acme'] });
    assert.equal((await eve.put('two.txt', 'two')).status, 201);
    assert.equal((await eve.get('two.txt')).text, 'two');
    assert.equal((await anna.get('one.txt')).text, 'one');
    const rows = await databases.query('SELECT tenant, MIN(id) > POW(2, 40) FROM space', 'far');
    assert.deepEqual(rows, [['acme', 1]]);
    assert.match(await tell('shard', 'list'), /\tfar\topen\t1\t1\t/);
    assert.match(await tell('shard', 'check'), /all shards are well/);
  });

  it('serves one tenant while the database of the other is away, and both after', async () => {
    databases.freeze();
    const held = eve.file('PUT', 'three.txt', { body: 'three', timeoutMs: ASK_MS });
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await anna.put(`meanwhile-${n}.txt`, 'x')).status, 201);
    }
    assert.equal((await anna.get('one.txt')).text, 'one');
    const { code, stdout, stderr } = await ask('shard', 'list');
    assert.equal(code, 1, stdout);
    assert.match(stdout, /\tfar\topen\t1\t-\t-\tno\t/);
    assert.match(stderr, /does not answer|cannot be reached/);
    databases.goOn();
    assert.ok([201, 503].includes((await held).status));
    await databases.kill();
    const refused = await eve.file('PUT', 'four.txt', { body: 'x', timeoutMs: ASK_MS });
    assert.equal(refused.status, 503);
    assert.ok(refused.headers['retry-after'] !== undefined);
    assert.equal((await anna.put('later.txt', 'x')).status, 201);
    const check = await ask('shard', 'check');
    assert.equal(check.code, 1, check.stdout);
    assert.match(check.stdout, /\(far\) cannot be used/);
    await databases.startAgain();
    await eventually(WAIT_MS, 'the other tenant is served again', async () =>
      (await eve.put('five.txt', 'five')).status === 201);
    assert.equal((await eve.get('two.txt')).text, 'two');
  });

  it('starts without that database, serves the others, and collects no garbage', async () => {
    await server.stop();
    await databases.kill();
    const before = readdirSync(join(server.data, 'volumes'));
    const run = await ask('gc', 'run');
    assert.notEqual(run.code, 0, run.stdout);
    assert.match(run.stdout + run.stderr, /cannot be reached/);
    assert.match(await tell('gc', 'status'), /suspects: 0 blocks/);
    assert.deepEqual(readdirSync(join(server.data, 'volumes')), before);
    await server.startAgain();
    assert.equal((await anna.get('one.txt')).text, 'one');
    assert.equal((await anna.put('alone.txt', 'x')).status, 201);
    const refused = await eve.file('GET', 'two.txt', { timeoutMs: ASK_MS });
    assert.equal(refused.status, 503);
    assert.ok(refused.headers['retry-after'] !== undefined);
    const quotas = await ask('quota', 'show');
    assert.equal(quotas.code, 1, quotas.stdout);
    assert.match(quotas.stdout, /^anna\t/m);
    assert.match(quotas.stderr, /tenant acme: UNREACHABLE/);
    await databases.startAgain();
    await eventually(WAIT_MS, 'the other tenant is served by itself', async () =>
      (await eve.get('two.txt')).text === 'two');
    assert.match(server.log, /a metadata shard is back/);
    assert.equal((await ask('quota', 'show')).code, 0);
  });

  it('does not use a database that is not the one that was there, and says what is', async () => {
    await server.stop();
    const put = (id: string) => databases.query(`UPDATE installation SET installation = '${id}'`,
      'far');
    const [[own] = []] = await databases.query('SELECT installation FROM installation', 'far');
    await put('00000000-0000-4000-8000-000000000000');
    await server.startAgain();
    assert.equal((await anna.get('one.txt')).text, 'one');
    assert.equal((await eve.file('GET', 'two.txt', { timeoutMs: ASK_MS })).status, 503);
    const check = await ask('shard', 'check');
    assert.equal(check.code, 1, check.stdout);
    assert.match(check.stdout, /NOT WELL: Shard 1 \(far\) .*belongs to another installation/);
    assert.match(check.stdout, /Its tenants get 503 and lose nothing\. Put that right/);
    const drain = await ask('shard', 'drain', 'far');
    assert.equal(drain.code, 1, drain.stdout);
    assert.match(drain.stderr, /cannot be used at the moment/);
    await put(String(own));
    await eventually(WAIT_MS, 'it is used again by itself', async () =>
      (await eve.get('two.txt')).text === 'two');
  });

  it('names shard and column where one is missing', async () => {
    await databases.query('ALTER TABLE grant_count CHANGE downloads away BIGINT NOT NULL', 'far');
    const { code, stdout } = await ask('shard', 'check');
    assert.equal(code, 1, stdout);
    assert.match(stdout, /NOT WELL: Shard far: grant_count\.downloads is missing\./);
    assert.match(stdout, /note: Shard far: grant_count\.away is not known to this program\./);
    assert.doesNotMatch(stdout, /all shards are well/);
    await databases.query('ALTER TABLE grant_count CHANGE away downloads BIGINT NOT NULL', 'far');
  });

  it('names shard and table where one is missing', async () => {
    await databases.query('RENAME TABLE grant_count TO away', 'far');
    const { code, stdout } = await ask('shard', 'check');
    assert.equal(code, 1, stdout);
    assert.match(stdout, /NOT WELL: Shard far lacks the table grant_count\./);
    assert.match(stdout, /Restore its database as a whole/);
    await databases.query('RENAME TABLE away TO grant_count', 'far');
    const again = await ask('shard', 'check');
    assert.equal(again.code, 0, again.stdout);
    assert.doesNotMatch(again.stdout, /grant_count/);
  });

  it('finds all of it after a restart', async () => {
    await server.restart();
    assert.equal((await eve.get('five.txt')).text, 'five');
    assert.equal((await anna.get('one.txt')).text, 'one');
    assert.match(await tell('shard', 'check'), /all shards are well/);
  });
});
