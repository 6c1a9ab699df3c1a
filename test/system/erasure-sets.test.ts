/**
 * A server with folders as disks, whose old volumes become erasure sets: two disks are taken away,
 * everything is read bit by bit, and the sets are whole again without being asked.
 *
 * The tests build on each other.
 */
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, sleep } from '../support/deadline.ts';
import type { DavClient } from '../support/dav-client.ts';
import { run } from '../support/command.ts';
import { clustersForTests, type TestCluster } from '../support/filer.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';

const [DATA, PARITY, FOLDERS] = [3, 2, 6];
const SETTINGS = {
  HOLDFAST_STORAGE_COPIES: '3', HOLDFAST_STORAGE_COPIES_ACKNOWLEDGED: '2',
  HOLDFAST_STORAGE_MISSING_AFTER: '3', HOLDFAST_STORAGE_VOLUME_SIZE: '1MiB',
  HOLDFAST_STORAGE_ERASURE_DATA: String(DATA), HOLDFAST_STORAGE_ERASURE_PARITY: String(PARITY),
  HOLDFAST_STORAGE_ERASURE_AFTER: '0',
};
const FILES = 24;
const FILE_BYTES = 300_000;

interface Erasure {
  readonly sets: number;
  readonly blocked: readonly unknown[];
  readonly making?: { readonly underWay: boolean };
}

describe('old volumes on folders as disks', { timeout: 600_000 }, () => {
  const clusters = clustersForTests();
  const place = scratchFolder('disks');
  const folders = Array.from({ length: FOLDERS }, (_, n) => join(place, `disk-${n + 1}`));
  let cluster: TestCluster;
  let user: DavClient;
  let taken: string[] = [];

  before(async () => {
    cluster = await clusters.cluster({ env: SETTINGS });
    for (const folder of folders) {
      mkdirSync(folder);
      await cluster.diskWell('add', folder, '--yes');
    }
    await cluster.server.restart();
    user = await cluster.server.addUser();
    for (let n = 1; n <= FILES; n++) {
      const bytes = seededBytes(FILE_BYTES, `file ${n}`);
      const { status, text } = await user.put(`file ${n}.bin`, bytes);
      assert.equal(status, 201, text);
    }
  });

  async function readsAll(): Promise<void> {
    for (let n = 1; n <= FILES; n++) {
      const { status, body } = await user.get(`file ${n}.bin`);
      assert.equal(status, 200, `file ${n}.bin`);
      assert.ok(body.equals(seededBytes(FILE_BYTES, `file ${n}`)), `file ${n}.bin`);
    }
  }

  async function erasure(): Promise<Erasure> {
    return (await cluster.listing() as unknown as { erasure: Erasure }).erasure;
  }

  /** In the folders that are there: each kind of file, with the folders that have it. */
  function found(kind: RegExp): Map<string, string[]> {
    const files = new Map<string, string[]>();
    for (const folder of [...folders, join(cluster.server.data, 'volumes')]) {
      if (taken.includes(folder)) continue;
      for (const name of readdirSync(folder).filter((one) => kind.test(one))) {
        files.set(name, [...(files.get(name) ?? []), folder]);
      }
    }
    return files;
  }

  /** Parity files are there, each once; volumes of sets have one copy, all others three. */
  function areWhole(sets: number): boolean {
    const parity = [...found(/^e\d+\.\d+\.hx$/).values()];
    const volumes = [...found(/^v\d+\.1\.hv$/).values()];
    const single = volumes.filter(({ length }) => length === 1);
    return parity.length === sets * PARITY && parity.every(({ length }) => length === 1)
      && single.length === sets * DATA && volumes.every(({ length }) => length !== 2);
  }

  /** Waits until all sets are whole and nothing stands in their way. On a busy machine a disk may
   *  be too slow for a write: then a volume ends early, and there may be more sets. */
  async function comeToRest(setsMin: number): Promise<void> {
    let last: unknown;
    const isDone = async (): Promise<boolean> => {
      await sleep(300);
      const now = await erasure();
      last = { now, files: Object.fromEntries(found(/^[ev]\d+\.\d+\.h[vx]$/)) };
      const isIdle = now.blocked.length === 0 && now.making?.underWay !== true;
      return now.sets >= setsMin && isIdle && areWhole(now.sets);
    };
    try {
      await eventually(90_000, `${setsMin} sets are whole`, isDone);
    } catch (error) {
      throw new Error(JSON.stringify(last, undefined, 1), { cause: error });
    }
  }

  it('keep one copy each, once their parity is proven', async () => {
    await comeToRest(2);
    await readsAll();
    assert.match(await cluster.diskWell('list'), /[2-9] erasure sets of old volumes/);
    const { stdout } = await run(PROGRAM, ['durability', '--data', cluster.server.data]);
    assert.match(stdout, /3 \+ 2 shards/);
    const { text } = await user.ask('GET', '/metrics');
    assert.match(text, /^holdfast_erasure_sets [1-9]/m);
    assert.match(text, /^holdfast_erasure_set_volumes [1-9]/m);
    assert.match(text, /^holdfast_repair_waiting_bytes \d+$/m);
  });

  it('are read bit by bit with two disks taken away, and after a start without them', async () => {
    const volumes = [...found(/^v\d+\.1\.hv$/)].sort();
    // A start has to see two copies of the volume that is still being written.
    const inUse = volumes.at(-1)?.[1] ?? [];
    const isOwn = (folder: string): boolean => folder.endsWith('volumes');
    const ofParity = [...found(/^e\d+\.\d+\.hx$/).values()].flat();
    const single = volumes.filter(([, { length }]) => length === 1).flatMap(([, on]) => on);
    const pairs = ofParity.flatMap((one) => single.map((other) => [one, other]));
    taken = pairs.find(([one = '', other = '']) => one !== other && !isOwn(one) && !isOwn(other)
      && !(inUse.includes(one) && inUse.includes(other))) ?? [];
    assert.equal(taken.length, 2);
    for (const folder of taken) renameSync(folder, `${folder}-taken`);
    await readsAll();
    await cluster.server.restart();
    await readsAll();
  });

  it('are whole again on the disks that are left', async () => {
    // A set may have been ended for copies, when one more disk was slow at the wrong moment: it is
    // made anew only when all disks answer.
    await comeToRest(1);
    await readsAll();
  });

  it('use what returns only after it was compared, and keep no shard twice', async () => {
    for (const folder of taken) renameSync(`${folder}-taken`, folder);
    taken = [];
    await cluster.fullAgain(120_000);
    await comeToRest(2);
    await readsAll();
  });

  it('leave a disk that drains, before it may be retired', async () => {
    const [folder] = [...found(/^e\d+\.4\.hx$/).values()][0] as [string];
    const { id } = await cluster.diskAt(folder);
    const refused = await cluster.disk('retire', id, '--yes');
    assert.match(refused.stdout + refused.stderr, /drain it first/);
    await cluster.diskWell('drain', id, '--yes');
    await eventually(60_000, 'nothing on it is needed', async () => {
      await sleep(300);
      return (await cluster.disk('retire', id)).code === 0;
    });
    await cluster.diskWell('retire', id, '--yes');
    renameSync(folder, `${folder}-retired`);
    taken = [folder];
    await readsAll();
  });

  it('lose nothing when the server is killed while a set is made', async () => {
    for (let round = 1; round <= 3; round++) {
      for (let n = 1; n <= 12; n++) {
        const name = `more ${round} ${n}.bin`;
        const { status, text } = await user.put(name, seededBytes(FILE_BYTES, name));
        assert.equal(status, 201, text);
      }
      await sleep(1_500 * round);
      await cluster.server.kill();
      await cluster.server.startAgain();
      await readsAll();
      for (let n = 1; n <= 12; n++) {
        const name = `more ${round} ${n}.bin`;
        const { body } = await user.get(name);
        assert.ok(body.equals(seededBytes(FILE_BYTES, name)), name);
      }
    }
    await eventually(60_000, 'more sets are made', async () => {
      await sleep(300);
      const { sets, blocked } = await erasure();
      return sets >= 5 && blocked.length === 0;
    });
    await readsAll();
  });
});
