/** The key of a cluster is replaced while its server and its filer run. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { runWell } from '../support/command.ts';
import { eventually } from '../support/deadline.ts';
import { clustersForTests } from '../support/filer.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM } from '../support/server.ts';

describe('the key of a cluster', { timeout: 600_000 }, () => {
  const clusters = clustersForTests();

  it('is replaced in two steps, and the filer answers all the time', async () => {
    const cluster = await clusters.cluster();
    const { server } = cluster;
    const key = join(scratchFolder('filer-key'), 'cluster.key');
    copyFileSync(cluster.key, key);
    const filer = await clusters.filer({ key });
    await cluster.diskWell('add', '--filer', filer.address, '--yes');
    await server.restart();
    const ada = await server.addUser();
    assert.equal((await ada.put('a.txt', 'on both disks')).status, 201);
    const answers = async (): Promise<boolean> =>
      (await cluster.diskAt(`filer:${filer.address}`)).answers;
    const rotate = (...args: string[]): Promise<unknown> =>
      runWell(PROGRAM, ['cluster', 'key-rotate', '--data', server.data, ...args]);

    await rotate();
    await server.restart();
    assert.ok(await answers(), 'a filer with the old key is refused too soon');
    copyFileSync(cluster.key, key);
    filer.command.kill('SIGHUP');
    await eventually(60_000, 'the filer has read it', () =>
      `${filer.command.stdout}${filer.command.stderr}`.includes('were read again'));
    await server.restart();
    assert.ok(await answers(), 'a filer with the new key is refused');
    await rotate('--finish');
    await server.restart();
    assert.ok(await answers());

    // One that was forgotten: its key is worth nothing any more.
    await rotate();
    await rotate('--finish');
    await server.restart();
    assert.equal(await answers(), false);
  });
});
