/** Real clients against Holdfast on MariaDB: a short walk through what their own tests try at
 *  length on files. All of it goes through the same code above the store. */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RunningCommand, run, runWell } from '../support/command.ts';
import { TestDatabase } from '../support/database.ts';
import type { DavClient } from '../support/dav-client.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { assertSameTree, readTree, seededBytes, write } from '../support/trees.ts';
import { Replica, nextcloudcmd } from './sync-program.ts';

/** basic 16, copymove 13, props 30, locks 41, http 4. */
const LITMUS_TESTS = 104;
const MIB = 1024 * 1024;

describe('Real clients on MariaDB', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let database: TestDatabase;
  let server: TestServer;

  before(async () => {
    needPrograms('litmus', 'rclone', 'nextcloudcmd');
    database = await TestDatabase.start();
    server = await servers.start({ env: database.env });
  });
  after(async () => {
    await server.kill();
    await database.stop();
  });

  it('litmus passes without a failure or a warning', async () => {
    const { name, password } = await server.addUser({ name: 'lit' });
    const args = ['-k', `${server.url}/remote.php/dav/files/lit/`, name, password];
    const command = new RunningCommand('litmus', args, { cwd: scratchFolder('litmus') });
    const { stdout } = await command.end(90_000);
    const complaints = stdout.split('\n').filter((line) => /FAIL|WARNING/.test(line));
    assert.deepEqual(complaints, [], command.tail(150));
    const passed = [...stdout.matchAll(/(\d+) passed, 0 failed/g)];
    assert.equal(passed.reduce((sum, [, count]) => sum + Number(count), 0), LITMUS_TESTS);
  });

  it('rclone copies a tree, finds it the same, and syncs it back', async () => {
    const user = await server.addUser({ name: 'rob' });
    const local = scratchFolder('rclone-local');
    write(local, 'Grüße.txt', 'hello');
    write(local, 'sub/6 MiB.bin', seededBytes(6 * MIB, 'rclone'));
    write(local, 'sub/😀 e\u0301.txt', 'emoji and decomposed');
    write(local, 'sub/below/#1 100%.txt', 'odd');
    const { stdout } = await runWell('rclone', ['obscure', user.password]);
    const url = `${server.url}/remote.php/dav/files/rob`;
    const remote = `:webdav,url='${url}',vendor=nextcloud,user=rob,pass=${stdout.trim()}:dir`;
    const rclone = async (...args: string[]): Promise<void> => {
      const outcome = await run('rclone', ['--config', '/dev/null', '--retries', '1', ...args], {
        env: { HOME: scratchFolder('rclone') }, timeoutMs: 120_000,
      });
      assert.equal(outcome.code, 0, `rclone ${args[0]}: ${outcome.stderr}${outcome.stdout}`);
    };
    await rclone('copy', local, remote);
    await rclone('check', local, remote);
    await rclone('check', '--download', local, remote);
    const back = scratchFolder('rclone-back');
    await rclone('sync', remote, back);
    assertSameTree(readTree(back), readTree(local), 'after sync back');
  });

  it('the desktop client keeps two devices alike through edits, moves and deletions', async () => {
    const user: DavClient = await server.addUser({ name: 'ada' });
    const make = (label: string): Replica =>
      new Replica(label, nextcloudcmd, user.credentials, () => server.url);
    const [a, b] = [make('a'), make('b')];
    const carry = async (from: Replica, to: Replica, what: string): Promise<void> => {
      const wanted = readTree(from.folder);
      for (const replica of [from, to]) {
        const { code, tail } = await replica.sync();
        assert.equal(code, 0, `${what}: the client ended with ${code}\n${tail}`);
      }
      assertSameTree(readTree(to.folder), wanted, `${what}, other device`);
      assertSameTree(await user.tree(), wanted, `${what}, server`);
    };
    for (let n = 0; n < 100; n += 1) write(a.folder, `many/${n % 5}/file ${n}.txt`, `${n}\n`);
    write(a.folder, 'Cafe\u0301 decomposed.txt', 'e and an accent of its own');
    write(a.folder, 'large/25 MiB.bin', seededBytes(25 * MIB, 'pieces'));
    mkdirSync(join(a.folder, 'empty folder'));
    await carry(a, b, 'upload');
    appendFileSync(join(b.folder, 'many/0/file 0.txt'), 'edited on B');
    renameSync(join(b.folder, 'many/1'), join(b.folder, 'moved é'));
    rmSync(join(b.folder, 'many/2'), { recursive: true });
    await carry(b, a, 'edit, move and deletion');
  });
});
