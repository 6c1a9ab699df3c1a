/** The past, as an unmodified client sees it: rclone lists it, checks it and copies out of it. */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { run, runWell } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { sleep } from '../support/deadline.ts';
import { needPrograms } from '../support/programs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { assertSameTree, readTree, seededBytes, write } from '../support/trees.ts';

const MIB = 1024 * 1024;
/** So that what follows is surely later than the instant before. */
const TICK_MS = 20;

describe('rclone in the past', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const then = scratchFolder('past-then');
  const home = scratchFolder('past-home');
  let server: TestServer;
  let user: DavClient;
  let instant: string;

  const address = async (root: string, vendor = 'nextcloud'): Promise<string> => {
    const { stdout } = await runWell('rclone', ['obscure', user.password]);
    const login = `user=${user.name},pass=${stdout.trim()}`;
    return `:webdav,url='${server.url}${root}',vendor=${vendor},${login}:`;
  };
  const rclone = (...args: string[]): Promise<Outcome> =>
    run('rclone', ['--config', '/dev/null', '--retries', '1', ...args], {
      env: { HOME: home }, timeoutMs: 120_000,
    });
  const rcloneWell = async (...args: string[]): Promise<Outcome> => {
    const outcome = await rclone(...args);
    assert.equal(outcome.code, 0, `rclone ${args[0]}: ${outcome.stderr}${outcome.stdout}`);
    return outcome;
  };

  before(async () => {
    needPrograms('rclone');
    server = await servers.start();
    user = await server.addUser();
    write(then, 'Grüße.txt', 'as it was');
    write(then, 'sub/5 MiB.bin', seededBytes(5 * MIB, 'past'));
    write(then, 'sub/below/#1 100%.txt', 'odd');
    const present = await address(`/remote.php/dav/files/${user.name}`);
    await rcloneWell('copy', then, present);
    await sleep(TICK_MS);
    instant = new Date().toISOString();
    await sleep(TICK_MS);
    await user.put('Grüße.txt', 'otherwise');
    await rcloneWell('purge', `${present}sub`);
  });

  it('finds the whole tree as of an instant, byte for byte', async () => {
    const past = await address(`/remote.php/dav/as-of/${instant}/${user.name}`);
    await rcloneWell('check', '--download', then, past);
    const copied = scratchFolder('past-copied');
    await rcloneWell('copy', past, copied);
    assertSameTree(readTree(copied), readTree(then), 'copied from the past');
    const { stdout } = await rcloneWell('cat', '--offset', '3', '--count', '2',
      `${past}${join('Grüße.txt')}`);
    assert.equal(stdout, 'it');
  });

  it('finds each revision too, as another vendor', async () => {
    const past = await address(`/remote.php/dav/as-of/rev-0/${user.name}`, 'other');
    assert.equal((await rcloneWell('lsf', past)).stdout, '');
    const present = await address(`/remote.php/dav/files/${user.name}`);
    assert.equal((await rcloneWell('lsf', present)).stdout, 'Grüße.txt\n');
  });

  it('can change nothing there', async () => {
    const past = await address(`/remote.php/dav/as-of/${instant}/${user.name}`);
    const { code, stderr } = await rclone('copy', '--ignore-times', then, past);
    assert.notEqual(code, 0);
    assert.match(stderr, /403|not changed/);
    assert.notEqual((await rclone('deletefile', `${past}Grüße.txt`)).code, 0);
    await rcloneWell('check', '--download', then, past);
  });
});
