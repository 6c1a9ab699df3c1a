/** Accounts from the command line, beside a running server and without one. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Secret, TOTP } from 'otpauth';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import { ask, basic } from '../support/dav-client.ts';
import { sleep } from '../support/deadline.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

describe('accounts', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  async function user(server: TestServer, args: string[], input = ''): Promise<Outcome> {
    const outcome = await run(PROGRAM, ['user', ...args, '--data', server.data], {
      input, timeoutMs: 60_000,
    });
    assert.equal(outcome.code, 0, `user ${args.join(' ')}: ${outcome.stderr}${outcome.stdout}`);
    return outcome;
  }

  it('are made, listed, disabled, enabled, given a new password and removed at once', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    const bob = await server.addUser({ name: 'bob', password: 'the password of bob' });
    assert.equal((await bob.put('b.txt', 'b')).status, 201);
    const { stdout } = await user(server, ['list']);
    assert.match(stdout, /ada/);
    assert.match(stdout, /bob/);

    await user(server, ['disable', 'bob']);
    assert.equal((await bob.get('b.txt')).status, 401, 'a disabled account still reads');
    assert.equal((await ada.put('a.txt', 'a')).status, 201);
    await user(server, ['enable', 'bob']);
    assert.equal((await bob.get('b.txt')).status, 200);

    await user(server, ['password', 'bob', '--password-stdin'], 'another password of bob\n');
    assert.equal((await bob.get('b.txt')).status, 401, 'the old password still works');
    const renewed = server.client('bob', 'another password of bob');
    assert.equal((await renewed.get('b.txt')).text, 'b');
  });

  it('get back in without phone and recovery codes, by a command, over a restart', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    const headers = {
      'Authorization': basic(ada.credentials), 'Content-Type': 'application/json',
    };
    const post = (path: string, body: object) => (
      ask('POST', `${server.url}/api/v1/account/second-factor${path}`, {
        headers, body: JSON.stringify(body),
      }));
    const { secret } = JSON.parse((await post('', { password: ada.password })).text) as {
      secret: string;
    };
    const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
    const on = await post('/confirmation', { code });
    assert.equal(on.status, 200, on.text);
    assert.equal((await ada.get('x')).status, 401, 'the password alone still signs in');
    await server.stop();
    await server.startAgain();
    const signIn = (shown: string) => ask('POST', `${server.url}/api/v1/session`, {
      headers: { 'Content-Type': 'application/json', 'Origin': server.url },
      body: JSON.stringify({ user: 'ada', password: ada.password, code: shown }),
    });
    assert.equal((await signIn(code)).status, 401, 'the code was used before the restart');
    const [recovery = ''] = (JSON.parse(on.text) as { codes: string[] }).codes;
    assert.equal((await signIn(recovery)).status, 200);
    for (const stored of [secret, recovery]) {
      assert.ok(!server.log.includes(stored), 'a secret is in the log');
    }
    await user(server, ['second-factor-off', 'ada']);
    assert.equal((await ada.get('x')).status, 404);
  });

  it('are made while no server runs', async () => {
    const server = await servers.start();
    await server.addUser();
    await server.stop();
    const late = await server.addUser({ name: 'late', password: 'late to the party' });
    await user(server, ['disable', 'ada']);
    await server.startAgain();
    assert.equal((await late.put('x', 'x')).status, 201);
    assert.equal((await server.client('ada', 'correct-horse-battery').get('x')).status, 401);
  });

  it('never see each other\'s files', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    const bob = await server.addUser({ name: 'bob', password: 'the password of bob' });
    await ada.put('private.txt', 'of ada');
    const targets = [
      '/remote.php/dav/files/ada/private.txt', '/remote.php/dav/files/bob/../ada/private.txt',
      '/remote.php/dav/files/bob/%2e%2e/ada/private.txt', '/remote.php/dav/files/ADA/private.txt',
      '/remote.php/dav/uploads/ada/', '/remote.php/dav/files/ada/',
    ];
    for (const target of targets) {
      for (const method of ['GET', 'PROPFIND', 'DELETE']) {
        const { status, text } = await bob.ask(method, target, { headers: { Depth: '1' } });
        assert.ok(status >= 400 && status < 500, `${method} ${target} answers ${status}`);
        assert.ok(!text.includes('of ada'));
      }
      const put = await bob.ask('PUT', target, { body: 'intruder' });
      assert.ok(put.status >= 400 && put.status < 500, `PUT ${target} answers ${put.status}`);
    }
    const destination = { Destination: '/remote.php/dav/files/ada/from bob.txt' };
    await bob.put('mine.txt', 'mine');
    const moved = await bob.file('MOVE', 'mine.txt', { headers: destination });
    assert.ok(moved.status >= 400 && moved.status < 500, `MOVE answers ${moved.status}`);
    assert.deepEqual([...(await ada.tree()).keys()], ['private.txt']);
  });

  it('are guessed ever more slowly, while their owner is not locked out for long', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    const statuses: number[] = [];
    let retryAfter: string | undefined;
    for (let n = 0; n < 40; n += 1) {
      const { status, headers } = await server.client('ada', `a wrong guess ${n}`).get('x');
      statuses.push(status);
      if (status !== 401) retryAfter = headers['retry-after'];
    }
    const refused = statuses.filter((status) => status === 429 || status === 503).length;
    assert.ok(refused >= 20, `only ${refused} of 40 were turned away: ${statuses.join(' ')}`);
    assert.ok(Number(retryAfter) > 0, 'it does not say when to try again');
    await sleep(Math.min(5, Number(retryAfter)) * 1000 + 200);
    const { status } = await ada.get('nothing.txt');
    assert.ok(status === 404 || status === 429 || status === 503, `the owner gets ${status}`);
  });

  it('are not slowed down by one wrong password that a client sends again and again', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    for (let n = 0; n < 30; n += 1) {
      const { status } = await server.client('ada', 'the password of last year').get('x');
      assert.equal(status, 401);
    }
    assert.equal((await ada.put('works.txt', 'works')).status, 201);
  });

  it('do not show by the answer whether a name exists', async () => {
    const server = await servers.start();
    await server.addUser();
    const answers = [];
    for (const name of ['ada', 'nobody']) {
      const headers = { Authorization: basic({ name, password: 'wrong password here' }) };
      const { status, text } = await ask('GET', `${server.url}/dav/x`, { headers });
      answers.push(`${status} ${text}`);
    }
    assert.equal(answers[0], answers[1]);
  });
});
