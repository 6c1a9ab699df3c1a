/**
 * Real clients against two servers on MariaDB, behind one address that gives each connection to the
 * other one in turn; who they are is in one database, and their files, since a move, in a second. A
 * short walk through what the clients' own tests try at length on one server with files.
 */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RunningCommand, run, runWell } from '../support/command.ts';
import { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import { TcpRelay } from '../support/tcp-relay.ts';
import { assertSameTree, readTree, seededBytes, write } from '../support/trees.ts';
import { TwoNodes } from '../support/two-nodes.ts';
import { Replica, nextcloudcmd } from './sync-program.ts';

/** basic 16, copymove 13, props 30, locks 41, http 4. */
const LITMUS_TESTS = 104;
const MIB = 1024 * 1024;
const WAIT_MS = 90_000;

describe('Real clients on two servers and two databases', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  let nodes: TwoNodes;
  let relay: TcpRelay;
  const connections = { one: 0, two: 0 };

  before(async () => {
    needPrograms('litmus', 'rclone', 'nextcloudcmd', 'mariadbd');
    nodes = await TwoNodes.start(servers);
    relay = await TcpRelay.open(() => {
      const node = connections.one > connections.two ? 'two' : 'one';
      connections[node] += 1;
      return Number(new URL(nodes[node].url).port);
    });
    await moveToSecondDatabase();
  });
  after(async () => {
    assert.ok(Math.min(connections.one, connections.two) > 20, 'both have served');
    await relay.close();
    await nodes.stop();
  });

  const well = async (node: 'one' | 'two', ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await nodes.command(node, ...args);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  async function moveToSecondDatabase(): Promise<void> {
    await nodes.one.addUser({ name: 'first' });
    await well('one', 'shard', 'add', 'second', ...await nodes.anotherDatabase());
    await well('one', 'tenant', 'move', 'default', '--to', 'second');
    await eventually(WAIT_MS, 'the move is over', async () =>
      /reverse/.test(await well('one', 'tenant', 'move', 'status')));
    // Number, name, state, tenants.
    await eventually(WAIT_MS, 'both servers know', async () =>
      /^1\tsecond\topen\t1\t/m.test(await well('two', 'shard', 'list')));
  }

  /** As somebody who knows the common address only. */
  const addUser = async (name: string): Promise<DavClient> => {
    const { credentials } = await nodes.one.addUser({ name });
    return new DavClient(() => relay.url, credentials);
  };

  it('litmus passes without a failure or a warning', async () => {
    const { credentials: { name, password } } = await addUser('lit');
    const args = ['-k', `${relay.url}/remote.php/dav/files/lit/`, name, password];
    const command = new RunningCommand('litmus', args, { cwd: scratchFolder('litmus') });
    const { stdout } = await command.end(90_000);
    const complaints = stdout.split('\n').filter((line) => /FAIL|WARNING/.test(line));
    assert.deepEqual(complaints, [], command.tail(150));
    const passed = [...stdout.matchAll(/(\d+) passed, 0 failed/g)];
    assert.equal(passed.reduce((sum, [, count]) => sum + Number(count), 0), LITMUS_TESTS);
  });

  it('rclone copies a tree, finds it the same, and syncs it back', async () => {
    const { credentials } = await addUser('rob');
    const local = scratchFolder('rclone-local');
    write(local, 'Grüße.txt', 'hello');
    write(local, 'sub/6 MiB.bin', seededBytes(6 * MIB, 'rclone'));
    write(local, 'sub/😀 e\u0301.txt', 'emoji and decomposed');
    write(local, 'sub/below/#1 100%.txt', 'odd');
    const { stdout } = await runWell('rclone', ['obscure', credentials.password]);
    const url = `${relay.url}/remote.php/dav/files/rob`;
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
    const user = await addUser('ada');
    const make = (label: string): Replica =>
      new Replica(label, nextcloudcmd, user.credentials, () => relay.url);
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
