/** cadaver says little by its exit code, so the server's state is what counts. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningCommand } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { fingerprint } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { readTree, seededBytes, write } from '../support/trees.ts';

describe('cadaver', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const home = scratchFolder('cadaver');
  let server: TestServer;
  let user: DavClient;

  before(async () => {
    needPrograms('cadaver');
    server = await servers.start();
    user = await server.addUser();
    const netrc = `machine 127.0.0.1 login ${user.name} password ${user.password}\n`;
    writeFileSync(join(home, '.netrc'), netrc);
    chmodSync(join(home, '.netrc'), 0o600);
    write(home, 'first.txt', 'first');
    write(home, 'second.bin', seededBytes(300_000, 'cadaver'));
  });

  async function cadaver(root: string, ...commands: string[]): Promise<string> {
    const input = `${commands.join('\n')}\nquit\n`;
    const command = new RunningCommand('cadaver', [server.url + root], {
      cwd: home, env: { HOME: home }, input,
    });
    await command.end(60_000);
    return command.tail(80);
  }

  for (const root of ['/remote.php/webdav/', '/remote.php/dav/files/ada/', '/dav/']) {
    it(`makes, locks, overwrites, copies, moves and removes on ${root}`, async () => {
      const printed = await cadaver(root,
        'mkcol t', 'cd t', 'put first.txt', 'lock first.txt', 'put second.bin first.txt',
        'unlock first.txt', 'copy first.txt copied.bin', 'move first.txt moved.bin', 'mkcol gone',
        'rmcol gone', 'put first.txt doomed.txt', 'rm doomed.txt', 'get copied.bin back.bin');
      assert.doesNotMatch(printed, /failed|Access to .* denied|4\d\d |5\d\d /);
      const second = fingerprint(seededBytes(300_000, 'cadaver'));
      assert.deepEqual(await user.tree(), new Map([
        ['t', 'folder'], ['t/copied.bin', second], ['t/moved.bin', second],
      ]), printed);
      assert.equal(readTree(home).get('back.bin'), second);
      const kept = await user.put('t/moved.bin', 'free again');
      assert.equal(kept.status, 204, 'the lock is gone');
      await user.remove('t');
    });
  }

  it('holds a lock against others until it is given back', async () => {
    await cadaver('/dav/', 'put first.txt', 'lock first.txt');
    assert.equal((await user.put('first.txt', 'intruder')).status, 423);
    const answer = await user.file('PROPFIND', 'first.txt', { headers: { Depth: '0' } });
    const token = /opaquelocktoken:[^<]+/.exec(answer.text)?.[0] ?? '';
    const headers = { 'Lock-Token': `<${token}>` };
    const freed = await user.file('UNLOCK', 'first.txt', { headers });
    assert.equal(freed.status, 204);
    assert.equal((await user.get('first.txt')).text, 'first');
  });

  it('sets a property and reads it back', async () => {
    const printed = await cadaver('/dav/',
      'put first.txt p.txt', 'propset p.txt colour blue', 'propget p.txt colour');
    assert.match(printed, /blue/);
  });
});
