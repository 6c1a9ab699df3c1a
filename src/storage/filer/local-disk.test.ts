import assert from 'node:assert/strict';
import { hash, randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { isKind, type ErrorKind } from '../../base/errors.ts';
import { ManualClock } from '../../platform/index.ts';
import { testVolumeFiles } from '../backends/local/volume-files.conformance.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { DIGEST_SPAN_BYTES } from './disk.ts';
import { LocalDisk, type LocalDiskOptions } from './local-disk.ts';

const base = await mkdtemp(join(tmpdir(), 'holdfast-disk-'));
const opened: LocalDisk[] = [];
after(async () => {
  await Promise.all(opened.map((disk) => disk.close()));
  await rm(base, { recursive: true });
});
const CLUSTER_ID = randomUUID();
const VOLUME = 'v00000001.1.hv';
const clock = new ManualClock(1_700_000_000_000);
let count = 0;

async function emptyRoot(): Promise<string> {
  const root = join(base, String(count++));
  await mkdir(root);
  return root;
}

async function open(root: string, options: Partial<LocalDiskOptions> = {}): Promise<LocalDisk> {
  const disk = await LocalDisk.open({
    root, clusterId: CLUSTER_ID, clock, adopt: 'if-empty', ...options,
  });
  opened.push(disk);
  return disk;
}

function refusal(kind: ErrorKind, code: string): (error: unknown) => boolean {
  return (error) => isKind(error, kind) && error.code === code;
}

testVolumeFiles('LocalDisk', async () => (await open(await emptyRoot())).files);

describe('LocalDisk has an identity that', () => {
  let root: string;
  beforeEach(async () => {
    root = await emptyRoot();
  });

  it('is given once, to an empty root, and stays', async () => {
    const disk = await open(root);
    const marker = JSON.parse(await readFile(join(root, 'disk.json'), 'utf8')) as unknown;
    assert.deepEqual(marker, {
      format: 1, diskId: disk.id, clusterId: CLUSTER_ID, createdAt: '2023-11-14T22:13:20.000Z',
    });
    await disk.close();
    assert.equal((await open(root, { adopt: 'never' })).id, disk.id);
  });

  it('is not given where none was asked for: the disk may not be mounted', async () => {
    await assert.rejects(open(root, { adopt: 'never' }), refusal('conflict', 'disk-unknown'));
    assert.deepEqual(await readdir(root), []);
  });

  it('is given to a root with contents only when that is said', async () => {
    await writeFile(join(root, VOLUME), 'a volume of before');
    for (const adopt of ['never', 'if-empty'] as const) {
      await assert.rejects(open(root, { adopt }), refusal('conflict', 'disk-foreign'));
      assert.deepEqual(await readdir(root), [VOLUME], 'nothing was changed');
    }
    const disk = await open(root, { adopt: 'with-contents' });
    assert.deepEqual(await disk.files.list(), [VOLUME]);
  });

  it('is refused by another cluster, which changes nothing', async () => {
    const disk = await open(root);
    await disk.close();
    const before = await snapshot(root);
    const foreign = open(root, { clusterId: randomUUID(), adopt: 'with-contents' });
    await assert.rejects(foreign, refusal('conflict', 'foreign-cluster'));
    assert.deepEqual(await snapshot(root), before);
  });

  it('is refused when it is damaged or of a newer version, and nothing is changed', async () => {
    const disk = await open(root);
    await disk.close();
    const path = join(root, 'disk.json');
    const whole = await readFile(path, 'utf8');
    const cases = [
      [whole.replace('"format": 1', '"format": 2'), 'conflict', 'disk-newer'],
      [whole.slice(0, 40), 'corrupt', 'disk-damaged'],
      ['', 'corrupt', 'disk-damaged'],
      ['null', 'corrupt', 'disk-damaged'],
      [whole.replace(disk.id, 'x'), 'corrupt', 'disk-damaged'],
    ] as const;
    for (const [text, kind, code] of cases) {
      await writeFile(path, text);
      const before = await snapshot(root);
      await assert.rejects(open(root, { adopt: 'with-contents' }), refusal(kind, code));
      assert.deepEqual(await snapshot(root), before);
    }
  });

  it('is in use once: a second process, or a second opening, is refused', async () => {
    const disk = await open(root);
    await assert.rejects(open(root), refusal('conflict', 'data-locked'));
    await disk.close();
    await disk.close();
    await open(root);
  });

  it('is not made where there is no root', async () => {
    await assert.rejects(open(join(root, 'absent')), refusal('unavailable', 'disk-unusable'));
    assert.deepEqual(await readdir(root), []);
  });
});

async function snapshot(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of (await readdir(root)).sort()) {
    if (!name.startsWith('lock.') && name !== 'trash') {
      found.set(name, await readFile(join(root, name), 'latin1'));
    }
  }
  return found;
}

describe('LocalDisk has a fence that', () => {
  const [first, second] = [randomUUID(), randomUUID()];

  it('takes the first writer, then the same or a later one, also after a restart', async () => {
    const root = await emptyRoot();
    let disk = await open(root);
    assert.equal(disk.fence.writer, undefined);
    const writer = { epoch: 3, coordinatorId: first };
    assert.throws(() => disk.fence.check(writer), refusal('unavailable', 'fence-failed'));
    await disk.fence.raise(writer);
    await disk.fence.raise(writer);
    disk.fence.check(writer);
    for (let round = 0; round < 2; round++) {
      const stale = { epoch: 2, coordinatorId: first };
      const taken = { epoch: 3, coordinatorId: second };
      await assert.rejects(disk.fence.raise(stale), refusal('conflict', 'stale-epoch'));
      await assert.rejects(disk.fence.raise(taken), refusal('conflict', 'epoch-taken'));
      assert.throws(() => disk.fence.check(stale), refusal('conflict', 'stale-epoch'));
      assert.throws(() => disk.fence.check(taken), refusal('conflict', 'epoch-taken'));
      disk.fence.check(writer);
      await disk.close();
      disk = await open(root);
    }
    await disk.fence.raise({ epoch: 4, coordinatorId: second });
    assert.throws(() => disk.fence.check(writer), refusal('conflict', 'stale-epoch'));
  });

  it('is not forgotten when its file is damaged: the disk is refused', async () => {
    const root = await emptyRoot();
    const disk = await open(root);
    await disk.fence.raise({ epoch: 3, coordinatorId: first });
    await disk.close();
    for (const text of ['', '{}', '{"format":1,"epoch":-1}', '{"format":2,"epoch":3}']) {
      await writeFile(join(root, 'fence.json'), text);
      await assert.rejects(open(root), refusal('corrupt', 'fence-damaged'));
    }
  });
});

describe('LocalDisk has a trash that', () => {
  let root: string;
  let disk: LocalDisk;
  beforeEach(async () => {
    root = await emptyRoot();
    disk = await open(root);
  });

  async function makeFile(name: string, text: string): Promise<void> {
    const file = await disk.files.open(name, 'create');
    await file.writeDurably([Buffer.from(text)], 0);
    await file.close();
  }

  it('takes volumes, and gives them back as they were', async () => {
    await makeFile(VOLUME, 'content');
    const trashName = await disk.moveToTrash(VOLUME);
    assert.deepEqual(await disk.files.list(), []);
    assert.deepEqual(await disk.listTrash(), [
      { trashName, name: VOLUME, trashedAtMs: clock.now(), sizeBytes: 7 },
    ]);
    await disk.restoreFromTrash(trashName);
    assert.deepEqual(await disk.listTrash(), []);
    assert.equal(await readFile(join(root, VOLUME), 'utf8'), 'content');
    const gone = disk.restoreFromTrash(trashName.replace(VOLUME, 'v00000002.1.hv'));
    await assert.rejects(gone, (error) => errorCode(error) === 'ENOENT');
  });

  it('keeps many of one name apart, the oldest first', async () => {
    for (const text of ['one', 'two', 'three']) {
      await makeFile(VOLUME, text);
      await disk.moveToTrash(VOLUME);
      clock.advance(5);
    }
    const trash = await disk.listTrash();
    assert.deepEqual(trash.map(({ sizeBytes }) => sizeBytes), [3, 3, 5]);
    await disk.restoreFromTrash((trash[1] as { trashName: string }).trashName);
    assert.equal(await readFile(join(root, VOLUME), 'utf8'), 'two');
  });

  it('never replaces a file when it gives one back', async () => {
    await makeFile(VOLUME, 'old');
    const trashName = await disk.moveToTrash(VOLUME);
    await makeFile(VOLUME, 'new');
    await assert.rejects(disk.restoreFromTrash(trashName), (error) => isKind(error, 'exists'));
    assert.equal(await readFile(join(root, VOLUME), 'utf8'), 'new');
    assert.equal((await disk.listTrash()).length, 1);
  });

  it('takes nothing else, and gives back nothing from elsewhere', async () => {
    for (const name of ['disk.json', '../disk.json', 'v00000001.1.hint', `${VOLUME}.new`]) {
      await assert.rejects(disk.moveToTrash(name), (error) => isKind(error, 'denied'), name);
    }
    for (const name of ['disk.json', `../../x/1700000000000-1-${VOLUME}`, VOLUME, '']) {
      await assert.rejects(disk.restoreFromTrash(name), (error) => isKind(error, 'denied'), name);
    }
    await assert.rejects(disk.moveToTrash(VOLUME), (error) => errorCode(error) === 'ENOENT');
    assert.ok((await readdir(root)).includes('disk.json'));
  });

  it('ends the writes to a file that went into it', async () => {
    const file = await disk.files.open(VOLUME, 'create');
    await file.writeDurably([Buffer.from('before')], 0);
    const trashName = await disk.moveToTrash(VOLUME);
    await assert.rejects(file.writeDurably([Buffer.from('behind')], 0));
    await file.close();
    await disk.restoreFromTrash(trashName);
    assert.equal(await readFile(join(root, VOLUME), 'utf8'), 'before');
  });
});

it('LocalDisk erases from the trash only where and after the time that was said', async () => {
  const trashName = `${VOLUME}.trash`;
  for (const eraseTrashAfterMs of [undefined, 60_000]) {
    const now = new ManualClock(Date.now() + 1000);
    const disk = await open(await emptyRoot(), {
      clock: now, ...(eraseTrashAfterMs !== undefined && { eraseTrashAfterMs }),
    });
    const file = await disk.files.open(VOLUME, 'create');
    await file.close();
    await disk.files.rename(VOLUME, trashName);
    await assert.rejects(disk.files.remove(trashName), refusal('denied', 'trash-held'));
    now.advance(120_000);
    const later = disk.files.remove(trashName);
    if (eraseTrashAfterMs === undefined) {
      await assert.rejects(later, refusal('denied', 'trash-held'));
    } else {
      await later;
    }
    const left = eraseTrashAfterMs === undefined ? [trashName] : [];
    assert.deepEqual(await disk.files.list(), left);
  }
});

it('LocalDisk makes a digest of each MiB, the last one shorter, none beyond the end', async () => {
  const disk = await open(await emptyRoot());
  const bytes = Buffer.alloc(3 * DIGEST_SPAN_BYTES + 10);
  bytes.forEach((_, at) => (bytes[at] = (at >> 8) * 7 + at));
  const file = await disk.files.open(VOLUME, 'create');
  await file.write([bytes], 0);
  await file.close();
  const sha = (from: number): Buffer =>
    hash('sha256', bytes.subarray(from << 20, (from + 1) << 20), 'buffer');
  const all = { digests: [sha(0), sha(1), sha(2), sha(3)], sizeBytes: bytes.length };
  assert.deepEqual(await disk.digests(VOLUME, 0, 64), all);
  assert.deepEqual((await disk.digests(VOLUME, 1, 2)).digests, [sha(1), sha(2)]);
  assert.deepEqual((await disk.digests(VOLUME, 4, 9)).digests, []);
  for (const [first, number] of [[-1, 1], [0, 0], [0, 65], [0.5, 1]] as const) {
    await assert.rejects(disk.digests(VOLUME, first, number), (error) => isKind(error, 'invalid'));
  }
  await assert.rejects(disk.digests('v00000002.1.hv', 0, 1), (e) => errorCode(e) === 'ENOENT');
});

it('LocalDisk is not empty when it is gone: it says that it is not there', async () => {
  const root = await emptyRoot();
  const disk = await open(root);
  await (await disk.files.open(VOLUME, 'create')).close();
  await rename(root, `${root}-elsewhere`);
  const asks = [
    () => disk.files.list(), () => disk.files.open(VOLUME, 'read'),
    () => disk.files.open('v00000002.1.hv', 'create'), () => disk.files.remove(`${VOLUME}.new`),
    () => disk.files.rename(`${VOLUME}.new`, VOLUME), () => disk.digests(VOLUME, 0, 1),
    () => disk.moveToTrash(VOLUME),
  ];
  for (let round = 0; round < 2; round++) {
    for (const ask of asks) await assert.rejects(ask(), refusal('unavailable', 'ENODEV'));
    if (round === 0) await mkdir(root); // An empty mount point.
  }
  await cp(`${root}-elsewhere`, root, { recursive: true });
  await assert.rejects(disk.files.list(), refusal('unavailable', 'ENODEV'), 'a copy is not it');
  await rm(root, { recursive: true });
  await rename(`${root}-elsewhere`, root);
  assert.deepEqual(await disk.files.list(), [VOLUME]);
});

it('LocalDisk is a clone when its folder is copied: both have one identity', async () => {
  const [root, copy] = [await emptyRoot(), join(base, 'copy')];
  const disk = await open(root);
  await disk.close();
  await cp(root, copy, { recursive: true });
  assert.equal((await open(copy)).id, disk.id);
});
