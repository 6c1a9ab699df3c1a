/**
 * Machines and disks that are not what they seem: refused with the reason, and nothing on them, or
 * on the disks that are known, is changed.
 */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint } from '../support/dav-client.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { clustersForTests, TestFiler, volumesIn } from '../support/filer.ts';
import type { TestCluster } from '../support/filer.ts';
import { scratchFolder } from '../support/scratch.ts';
import { TestServer } from '../support/server.ts';
import { hashFolder, seededBytes } from '../support/trees.ts';

const SETTINGS = {
  HOLDFAST_STORAGE_COPIES: '2', HOLDFAST_STORAGE_COPIES_ACKNOWLEDGED: '2',
  HOLDFAST_STORAGE_MISSING_AFTER: '600',
};

describe('a server with one filer refuses', { timeout: 600_000 }, () => {
  const clusters = clustersForTests();
  let cluster: TestCluster;
  let filer: TestFiler;
  let user: DavClient;
  /** An older server's data, from before the last restarts. */
  const old = scratchFolder('old-data');
  let files = 0;

  before(async () => {
    cluster = await clusters.cluster({ env: SETTINGS });
    filer = await clusters.filer({ key: cluster.key });
    await cluster.diskWell('add', '--filer', filer.address, '--yes');
    await cluster.server.restart();
    user = await cluster.server.addUser();
    await works();
    await cluster.server.stop();
    cpSync(cluster.server.data, old, { recursive: true });
    await cluster.server.startAgain();
    await cluster.server.restart();
    await works();
  });

  /** Stored on both disks, and read back. */
  async function works(): Promise<void> {
    const name = `file ${files + 1}.bin`;
    const bytes = seededBytes(200_000, name);
    await eventually(60_000, 'files are taken', async () => {
      const { status, text } = await user.put(name, bytes);
      assert.ok(status === 201 || status === 503, text); // A disk that was away is found soon.
      return status === 201;
    });
    files += 1;
    for (let n = 1; n <= files; n += 1) {
      const { status, body } = await user.get(`file ${n}.bin`);
      assert.equal(status, 200);
      assert.ok(body.equals(seededBytes(200_000, `file ${n}.bin`)), `file ${n}.bin`);
    }
    await cluster.fullAgain(120_000);
  }

  /** The other filer is left as it was. */
  async function refusesToAdd(other: TestFiler, reason: RegExp): Promise<void> {
    const untouched = hashFolder(other.disk);
    const { code, stdout, stderr } = await cluster.disk('add', '--filer', other.address, '--yes');
    assert.match(stdout + stderr, reason);
    assert.equal(code, 3, `${stdout}${stderr}`);
    assert.equal(hashFolder(other.disk), untouched);
    await works();
  }

  it('a filer of another cluster', async () => {
    const foreign = await clusters.cluster();
    await refusesToAdd(await clusters.filer({ key: foreign.key }), /another cluster/);
  });

  it('a filer with another key', async () => {
    const [first, id] = readFileSync(cluster.key, 'utf8').split('\n');
    const key = join(scratchFolder('key'), 'cluster.key');
    const secret = Buffer.alloc(32, 7).toString('base64');
    writeFileSync(key, `${first}\n${id}\n${secret}\n`, { mode: 0o600 });
    await refusesToAdd(await clusters.filer({ key }), /key/);
  });

  it('a copy of a disk that it has', async () => {
    const disk = scratchFolder('clone');
    await filer.stop();
    cpSync(filer.disk, disk, { recursive: true });
    await filer.startAgain();
    const clone = await clusters.filer({ key: cluster.key, disk });
    await refusesToAdd(clone, /one is a copy of the other/);
  });

  it('to start a filer on a disk of another cluster', async () => {
    const foreign = await clusters.cluster();
    const other = await clusters.filer({ key: foreign.key });
    await other.stop();
    const untouched = hashFolder(other.disk);
    const wrong = TestFiler.prepare({ key: cluster.key, disk: other.disk });
    const { code, stderr } = await wrong.failedStart();
    assert.notEqual(code, 0);
    assert.match(stderr, /belongs to another cluster/);
    assert.equal(hashFolder(other.disk), untouched);
  });

  it('another disk where a known one was', async () => {
    const { server } = cluster;
    const place = join(server.data, 'volumes');
    const aside = join(scratchFolder('aside'), 'volumes');
    await server.stop();
    renameSync(place, aside);
    cpSync(filer.disk, place, { recursive: true });
    const untouched = volumesIn(place).map((name) => fingerprint(readFileSync(join(place, name))));
    await server.startAgain();
    assert.match(server.log, /Another disk is mounted where a known one was/);
    assert.equal((await user.get('file 1.bin')).status, 200, 'the filer has it');
    assert.equal((await user.put('more.bin', 'more')).status, 503, 'one copy is too few');
    await server.stop();
    const names = volumesIn(place);
    assert.deepEqual(names.map((name) => fingerprint(readFileSync(join(place, name)))), untouched);
    rmSync(place, { recursive: true });
    renameSync(aside, place);
    await server.startAgain();
    await works();
  });

  it('to work with a copy of its own data that is older', async () => {
    const restored = TestServer.prepare({ data: old, env: SETTINGS });
    clusters.owns(restored);
    const untouched = hashFolder(filer.disk);
    const epoch = readFileSync(join(old, 'epoch.json'), 'utf8');
    await assert.rejects(restored.startAgain(), /by a server whose data is newer than this copy/);
    assert.equal(readFileSync(join(old, 'epoch.json'), 'utf8'), epoch, 'it never becomes newer');
    assert.equal(hashFolder(filer.disk), untouched);
    await works();
  });
});
