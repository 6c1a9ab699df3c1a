import assert from 'node:assert/strict';
import { hash, randomUUID } from 'node:crypto';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { systemClock } from '../../platform/index.ts';
import { LocalVolumeStore } from '../backends/local/local-volume-store.ts';
import { SeededRandom } from '../backends/local/testing/random.ts';
import { SimulatedVolumeFiles } from '../backends/local/testing/simulated-volume-files.ts';
import { patterned, testVolumeFiles } from '../backends/local/volume-files.conformance.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { testBlockStore } from '../block-store.conformance.ts';
import { DIGEST_SPAN_BYTES } from './disk.ts';
import type { FilerClient } from './filer-client.ts';
import type { FilerDisk } from './filer-disk.ts';
import { FilerTrial } from './testing/filer-trial.ts';
import { makeCertificates } from './testing/certificates.ts';

const trial = await FilerTrial.begin();
after(() => trial.end());
const VOLUME = 'v00000001.1.hv';

function onlyDisk(client: FilerClient): FilerDisk {
  const [disk, ...others] = client.disks();
  assert.ok(disk !== undefined && others.length === 0);
  return disk;
}

async function freshDisk(): Promise<FilerDisk> {
  return onlyDisk(await trial.connect(await trial.serve()));
}

testVolumeFiles('FilerClient over TCP', async () => (await freshDisk()).files);

const certificates = await makeCertificates();
testVolumeFiles('FilerClient over TLS', async () => {
  const { cert, key, ca } = certificates;
  const server = await trial.serve({ tls: { cert, key } });
  return onlyDisk(await trial.connect(server, { tls: { ca } })).files;
});

testBlockStore('LocalVolumeStore on a filer', async () => {
  const { files } = await freshDisk();
  return LocalVolumeStore.open({
    root: '', files, witness: [], clock: systemClock, onFinding: () => undefined,
  });
});

describe('FilerClient', () => {
  it('serves each disk of a filer by itself, and knows it again by its id', async () => {
    const roots = [await trial.root(), await trial.root()];
    let server = await trial.serve({ roots });
    let client = await trial.connect(server);
    const ids = client.disks().map(({ id }) => id);
    assert.equal(new Set(ids).size, 2);
    for (const [at, disk] of client.disks().entries()) {
      const file = await disk.files.open(VOLUME, 'create');
      await file.writeDurably([Buffer.from(`disk ${at}`)], 0);
      await file.close();
    }
    client.close();
    await server.close();
    server = await trial.serve({ roots: roots.toReversed() });
    client = await trial.connect(server);
    assert.deepEqual(client.disks().map(({ id }) => id), ids.toReversed());
    for (const [at, id] of ids.entries()) {
      const file = await client.disk(id).files.open(VOLUME, 'read');
      const into = Buffer.alloc(6);
      await file.read(into, 0);
      assert.equal(String(into), `disk ${at}`);
      await file.close();
    }
    const absent = client.disk(randomUUID()).files.list();
    await assert.rejects(absent, (error) => errorCode(error) === 'ENODEV');
  });

  it('moves volumes to the trash of their disk and back, and erases none', async () => {
    const root = await trial.root();
    const disk = onlyDisk(await trial.connect(await trial.serve({ roots: [root] })));
    const file = await disk.files.open(VOLUME, 'create');
    await file.writeDurably([patterned(5000)], 0);
    await file.close();
    await assert.rejects(disk.files.remove(VOLUME), (error) => isKind(error, 'denied'));
    const trashName = await disk.moveToTrash(VOLUME);
    assert.deepEqual(await disk.files.list(), []);
    const [entry] = await disk.listTrash();
    assert.deepEqual([entry?.trashName, entry?.name, entry?.sizeBytes], [trashName, VOLUME, 5000]);
    await disk.restoreFromTrash(trashName);
    assert.ok((await readFile(join(root.path, VOLUME))).equals(patterned(5000)));
    assert.deepEqual(await disk.listTrash(), []);
  });

  it('compares without moving bytes: digests are made where the disk is', async () => {
    const disk = await freshDisk();
    const bytes = patterned(2 * DIGEST_SPAN_BYTES + 99);
    const file = await disk.files.open(VOLUME, 'create');
    await file.write([bytes], 0);
    const { digests, sizeBytes } = await disk.digests(VOLUME, 1, 5);
    assert.equal(sizeBytes, bytes.length);
    const wanted = [bytes.subarray(1 << 20, 2 << 20), bytes.subarray(2 << 20)];
    assert.deepEqual(digests, wanted.map((part) => hash('sha256', part, 'buffer')));
    await assert.rejects(disk.digests(VOLUME, 0, 65), (error) => isKind(error, 'invalid'));
    await file.close();
  });

  it('writes and reads beyond 4 GiB', async () => {
    const { files } = await freshDisk();
    const file = await files.open(VOLUME, 'create');
    const position = 5 * 1024 ** 3 + 3;
    await file.writeDurably([patterned(100)], position);
    const back = Buffer.alloc(100);
    assert.equal(await file.read(back, position), 100);
    assert.ok(back.equals(patterned(100)));
    assert.equal(await file.size(), position + 100);
    await file.close();
  });

  it('lists thousands of names, page by page', async () => {
    const files = new SimulatedVolumeFiles(new SeededRandom(1));
    const names = Array.from({ length: 6001 }, (_, at) => `v${10_000_000 + at}.1.hv`);
    for (const name of names) files.setContent(name, Buffer.alloc(0));
    const server = await trial.serve({ roots: [{ ...(await trial.root()), files }] });
    const disk = onlyDisk(await trial.connect(server));
    assert.deepEqual(await disk.files.list(), names);
  });

  it('passes on what the disk says: its code, and no path', async () => {
    const files = new SimulatedVolumeFiles(new SeededRandom(1));
    const server = await trial.serve({ roots: [{ ...(await trial.root()), files }] });
    const disk = onlyDisk(await trial.connect(server));
    const file = await disk.files.open(VOLUME, 'create');
    for (const code of ['EIO', 'ENOSPC', 'EROFS', 'EDQUOT']) {
      files.plan = ({ what }) => (what === 'write' ? code : undefined);
      const write = file.writeDurably([Buffer.from('x')], 0);
      await assert.rejects(write, (error) => errorCode(error) === code);
    }
    files.plan = ({ what }) => (what === 'sync' ? 'EIO' : undefined);
    await assert.rejects(file.sync(), (error) => errorCode(error) === 'EIO');
    files.plan = () => undefined;
    const isFailed = (error: unknown): boolean => errorCode(error) === 'file-failed';
    await assert.rejects(file.writeDurably([Buffer.from('x')], 0), isFailed);
    await assert.rejects(file.sync(), isFailed);
    await file.truncate(0);
    await file.close();
    await assert.rejects(disk.files.open(VOLUME, 'write'), isFailed);
  });

  it('has on the disk what it was told is on the disk', async () => {
    for (const how of ['writeDurably', 'datasync', 'sync'] as const) {
      const files = new SimulatedVolumeFiles(new SeededRandom(5));
      const server = await trial.serve({ roots: [{ ...(await trial.root()), files }] });
      const disk = onlyDisk(await trial.connect(server));
      const file = await disk.files.open(`${VOLUME}.new`, 'create');
      await file.write([patterned(1000)], 0);
      await file.sync();
      await disk.files.rename(`${VOLUME}.new`, VOLUME);
      await disk.files.syncFolder();
      const big = patterned(how === 'writeDurably' ? 17_000_000 : 5000);
      if (how === 'writeDurably') await file.writeDurably([big], 1000);
      else await file.write([big], 1000);
      if (how !== 'writeDurably') await file[how]();
      const after = files.crash();
      assert.deepEqual(after.names(), [VOLUME]);
      assert.ok(after.content(VOLUME).equals(Buffer.concat([patterned(1000), big])), how);
    }
  });

  it('closes the files of a connection that has ended', async () => {
    const files = new SimulatedVolumeFiles(new SeededRandom(1));
    const server = await trial.serve({ roots: [{ ...(await trial.root()), files }] });
    const client = await trial.connect(server);
    await onlyDisk(client).files.open(VOLUME, 'create');
    await onlyDisk(client).files.open(VOLUME, 'read');
    assert.equal(files.openHandles, 2);
    client.close();
    await server.close();
    assert.equal(files.openHandles, 0);
  });

  it('takes no more than its share of memory, however much is asked for at once', async () => {
    const limits = { inFlightBytesMax: 600_000, waitingRequestsMax: 50 };
    const client = await trial.connect(await trial.serve({ limits: { inFlightBytesMax: 1e5 } }), {
      limits,
    });
    const file = await onlyDisk(client).files.open(VOLUME, 'create');
    const parts = Array.from({ length: 40 }, (_, at) => patterned(200_000, at));
    await Promise.all(parts.map((part, at) => file.write([part], at * part.length)));
    const back = Buffer.alloc(8_000_000);
    assert.equal(await file.read(back, 0), back.length);
    assert.ok(back.equals(Buffer.concat(parts)));
    const flood = Array.from({ length: 100 }, () => file.write([parts[0] as Buffer], 0));
    const outcomes = await Promise.allSettled(flood);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.ok(refused.length > 0 && refused.length <= 50, `${refused.length} refused`);
    assert.ok(refused.every(({ reason }) => isKind(reason, 'busy')));
    await file.close();
  });
});

describe('FilerServer serves only what is surely its own', () => {
  it('leaves disks alone that are foreign, unknown or copies, and serves the others', async () => {
    const [good, foreign, full, twin, other] = await Promise.all(
      [1, 2, 3, 4, 5].map(() => trial.root()),
    );
    assert.ok(good && foreign && full && twin && other);
    await (await trial.serve({ roots: [foreign], clusterId: randomUUID() })).close();
    await writeFile(join(full.path, 'photo.jpg'), 'x');
    await (await trial.serve({ roots: [twin] })).close();
    await cp(twin.path, other.path, { recursive: true });
    trial.findings.length = 0;
    const gone = { path: join(good.path, 'nowhere') };
    const server = await trial.serve({ roots: [good, foreign, full, twin, other, gone] });
    assert.equal(server.disks.length, 1);
    const reasons = server.refusedDisks.map(({ root, reason }) => [root, reason.code]);
    assert.deepEqual(reasons.sort(), [
      [foreign.path, 'foreign-cluster'], [full.path, 'disk-foreign'],
      [twin.path, 'disk-cloned'], [other.path, 'disk-cloned'], [gone.path, 'disk-unusable'],
    ].sort());
    assert.equal(trial.findings.filter(({ kind }) => kind === 'disk-refused').length, 5);
    const client = await trial.connect(server);
    assert.equal(client.disks().length, 1);
  });

  it('does not start when it has no disk at all, and lets go of what it held', async () => {
    const [one, copy] = [await trial.root(), await trial.root()];
    await (await trial.serve({ roots: [one] })).close();
    await cp(one.path, copy.path, { recursive: true });
    const start = trial.serve({ roots: [one, copy] });
    await assert.rejects(start, (error) => errorCode(error) === 'disk-cloned');
    await rm(copy.path, { recursive: true });
    await trial.serve({ roots: [one] });
  });

  it('wants a key that is one, and a disk', async () => {
    await assert.rejects(trial.serve({ roots: [] }), (error) => errorCode(error) === 'no-disk');
    const start = trial.serve({ key: Buffer.alloc(16) });
    await assert.rejects(start, (error) => isKind(error, 'invalid') && error.code === 'short-key');
  });
});
