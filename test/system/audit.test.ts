/** The audit log of the real server: what is in it, after an end of every kind, and what is not. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';

interface Entry {
  seq: number; act: string; user: string; device?: string; from?: string; name?: string;
  rev?: number; subject?: string;
}

describe('the audit log', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  const audit = (server: TestServer, ...words: string[]): Promise<Outcome> =>
    run(PROGRAM, ['audit', ...words, '--data', server.data], { timeoutMs: 60_000 });

  async function entries(server: TestServer): Promise<Entry[]> {
    const { code, stdout, stderr } = await audit(server, 'export');
    assert.equal(code, 0, stderr);
    return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Entry);
  }

  it('says who came in and what they changed, also after kill -9', async () => {
    const server = await servers.start();
    const ada = await server.addUser();
    await ada.put('first.txt', 'one');
    await ada.put('first.txt', 'two');
    await ada.ask('MOVE', '/remote.php/dav/files/ada/first.txt', {
      headers: { Destination: `${server.url}/remote.php/dav/files/ada/second.txt` },
    });
    await server.kill();
    await server.startAgain();
    assert.equal((await ada.ask('DELETE', '/remote.php/dav/files/ada/second.txt')).status, 204);
    assert.equal((await server.client('ada', 'a wrong password').get('x')).status, 401);
    assert.equal((await server.client('no-such-user', 'a password').get('x')).status, 401);
    await server.stop();

    const all = await entries(server);
    assert.deepEqual(
      all.filter(({ rev }) => rev !== undefined).map(({ rev, act, user, name, from }) =>
        [rev, act, user, name, from]),
      [
        [1, 'create', 'ada', 'first.txt', '127.0.0.1'],
        [2, 'update', 'ada', 'first.txt', '127.0.0.1'],
        [3, 'move', 'ada', 'second.txt', '127.0.0.1'],
        [4, 'delete', 'ada', 'second.txt', '127.0.0.1'],
      ],
    );
    const others = all.filter(({ rev }) => rev === undefined);
    assert.ok(others.some(({ act, user, from }) =>
      act === 'signed-in' && user === 'ada' && from === '127.0.0.1'));
    assert.ok(others.some(({ act, user }) => act === 'sign-in-refused' && user === 'ada'));
    assert.ok(others.some(({ act, user }) => act === 'sign-in-refused' && user === ''));
    assert.ok(others.some(({ act, subject }) => act === 'user-added' && subject === 'ada'));
    assert.deepEqual(all.map(({ seq }) => seq), all.map((_, at) => at + 1));
  });

  it('holds no password and no content, and is sound by `audit verify`', async () => {
    const server = await servers.start();
    const ada = await server.addUser({ password: 'a-very-secret-password' });
    await ada.put('a.txt', 'very secret content');
    await server.client('ada', 'another-secret-password').get('a.txt');
    await server.client('typed-secret-as-name', 'x').get('a.txt');
    await server.stop();
    const folder = join(server.data, 'audit', 'default');
    const names = readdirSync(folder, { withFileTypes: true });
    const text = names.filter((entry) => entry.isFile())
      .map(({ name }) => readFileSync(join(folder, name), 'utf8')).join('');
    assert.doesNotMatch(text, /secret/);
    const { code, stdout } = await audit(server, 'verify');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /Every entry is as it was written\.\nplace: \d+:[0-9a-f]{64}/);
  });
});
