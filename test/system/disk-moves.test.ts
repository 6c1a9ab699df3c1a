/**
 * Disks that stand elsewhere than before: in another folder, or on a filer with another address.
 * Whatever is not the disk that was meant, or is there twice, is refused with the reason.
 *
 * The tests build on each other.
 */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/deadline.ts';
import type { DavClient } from '../support/dav-client.ts';
import { clustersForTests } from '../support/filer.ts';
import type { TestCluster, TestFiler } from '../support/filer.ts';
import { scratchFolder } from '../support/scratch.ts';
import { hashFolder, seededBytes } from '../support/trees.ts';

const SETTINGS = {
  HOLDFAST_STORAGE_COPIES: '3', HOLDFAST_STORAGE_COPIES_ACKNOWLEDGED: '2',
  HOLDFAST_STORAGE_MISSING_AFTER: '600',
};

describe('a disk that stands elsewhere', { timeout: 600_000 }, () => {
  const clusters = clustersForTests();
  const place = scratchFolder('places');
  const [first, second, copy] = ['first', 'second', 'copy'].map((name) => join(place, name)) as
    [string, string, string];
  let cluster: TestCluster;
  let filer: TestFiler;
  let user: DavClient;
  let folderId: string;
  let filerId: string;
  let files = 0;

  before(async () => {
    cluster = await clusters.cluster({ env: SETTINGS });
    filer = await clusters.filer({ key: cluster.key });
    mkdirSync(first);
    await cluster.diskWell('add', first, '--yes');
    await cluster.diskWell('add', '--filer', filer.address, '--yes');
    await cluster.server.restart();
    user = await cluster.server.addUser();
    ({ id: folderId } = await cluster.diskAt(first));
    ({ id: filerId } = await cluster.diskAt('filer:'));
    await works();
  });

  /** Stored and read back, with copies everywhere. */
  async function works(): Promise<void> {
    files += 1;
    const bytes = seededBytes(200_000, `file ${files}`);
    const { status, text } = await user.put(`file ${files}.bin`, bytes);
    assert.equal(status, 201, text);
    for (let n = 1; n <= files; n += 1) {
      const { body } = await user.get(`file ${n}.bin`);
      assert.ok(body.equals(seededBytes(200_000, `file ${n}`)), `file ${n}.bin`);
    }
    await cluster.fullAgain(120_000);
  }

  async function refuses(id: string, to: string, reason: RegExp): Promise<void> {
    const { code, stdout, stderr } = await cluster.disk('move', id, to, '--yes');
    assert.match(stdout + stderr, reason);
    assert.equal(code, 3, `${stdout}${stderr}`);
  }

  it('is not believed to be where another one is, or none, or that is none of ours', async () => {
    const untouched = hashFolder(join(filer.disk));
    await refuses(folderId, filer.address, new RegExp(`the disk there is ${filerId}`));
    assert.equal(hashFolder(join(filer.disk)), untouched);
    await refuses(folderId, scratchFolder('nothing'), /empty. Is it mounted/);
    await refuses(folderId, first, /known there already/);
    await refuses('nobody', first, /no such disk/);
    const foreign = await clusters.cluster();
    const theirs = await clusters.filer({ key: foreign.key });
    await refuses(folderId, theirs.address, /another cluster/);
    await works();
  });

  it('is not taken from its place for a copy of it', async () => {
    cpSync(first, copy, { recursive: true });
    const untouched = hashFolder(copy);
    await refuses(folderId, copy, /It is at .*first as well: one of the two is a copy/);
    assert.equal(hashFolder(copy), untouched);
    await works();
  });

  it('is used again after a plan, while the server runs', async () => {
    renameSync(first, second);
    await eventually(60_000, 'it is noticed', async () =>
      !(await cluster.diskAt(first)).answers);
    const plan = await cluster.diskWell('move', folderId, second);
    assert.match(plan, /From .*first to .*second/);
    assert.match(plan, /Nothing was done/);
    assert.equal((await cluster.diskAt(first)).answers, false);
    await cluster.diskWell('move', folderId, second, '--yes');
    await works();
    assert.equal((await cluster.diskAt(second)).id, folderId);
    await cluster.server.restart();
    await works();
  });

  it('is found at another address of its filer', async () => {
    await filer.kill();
    const moved = await clusters.filer({ key: cluster.key, data: filer.data });
    assert.notEqual(moved.port, filer.port);
    await cluster.diskWell('move', filerId, moved.address, '--yes');
    await works();
    assert.equal((await cluster.diskAt(`filer:${moved.address}`)).id, filerId);
    filer = moved;
    await cluster.server.restart();
    await works();
  });

  it('can be moved while no server runs, also when too few others are left to start', async () => {
    await cluster.server.stop();
    renameSync(second, first);
    await filer.kill();
    const moved = await clusters.filer({ key: cluster.key, data: filer.data });
    await cluster.diskWell('move', folderId, first, '--yes');
    await cluster.diskWell('move', filerId, moved.address, '--yes');
    await cluster.server.startAgain();
    await works();
  });
});
