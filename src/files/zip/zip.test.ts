import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import fc from 'fast-check';
import type { ByteRange } from '../download.ts';
import { anna, ben, failsWith, NOW, pathOf, ShareSite } from '../testing/share-site.ts';
import { FolderZips } from './folder-zips.ts';
import type { FolderZip } from './folder-zips.ts';
import { ZipPlan } from './zip-plan.ts';
import { ZipStream } from './zip-stream.ts';
import { makeBigZip } from './testing/big-zip.ts';
import { addFile, addFolder, contentOfZeros } from './testing/made-up-plans.ts';

const run = promisify(execFile);
const GIB = 1024 ** 3;

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-zip-'));
});
after(() => rm(root, { recursive: true, force: true }));

interface Readable {
  readonly sizeBytes: number;
  read(range: ByteRange): AsyncIterable<Buffer>;
}

async function bytesOf(zip: Readable, range: Partial<ByteRange> = {}): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const wanted = { startBytes: 0, endBytes: zip.sizeBytes, ...range };
  for await (const piece of zip.read(wanted)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** With a hole where nobody looks. */
async function save(zip: Readable, name: string, hole?: ByteRange): Promise<string> {
  const { startBytes, endBytes } = hole ?? { startBytes: zip.sizeBytes, endBytes: zip.sizeBytes };
  const path = join(root, name);
  const file = await open(path, 'w');
  try {
    await file.write(await bytesOf(zip, { endBytes: startBytes }));
    const rest = await bytesOf(zip, { startBytes: endBytes });
    if (rest.length > 0) await file.write(rest, 0, rest.length, endBytes);
    assert.equal((await file.stat()).size, zip.sizeBytes, 'as long as was said before');
  } finally {
    await file.close();
  }
  return path;
}

/** Name and size of each member, as Debian's program sees them. */
async function listed(path: string): Promise<string[]> {
  const { stdout } = await run('unzip', ['-Z', '-l', path], { maxBuffer: GIB });
  return stdout.split('\n').filter((line) => /^[d-]/.test(line));
}

describe('a folder as a zip', { timeout: 120_000 }, () => {
  let site: ShareSite;
  let zips: FolderZips;
  beforeEach(() => {
    site = new ShareSite();
    zips = new FolderZips(site);
  });

  const zipOf = (path = 'work'): Promise<FolderZip> => zips.open(anna, pathOf(path));
  async function fill(): Promise<void> {
    await site.folder(anna, 'work');
    await site.folder(anna, 'work/empty');
    await site.folder(anna, 'work/Größe 文');
    await site.write(anna, 'work/a.txt', 'first');
    await site.write(anna, 'work/none.txt', '');
    await site.write(anna, 'work/Größe 文/großartig 🎉.txt', 'umlauts');
    await site.write(anna, 'work/large.bin', 'x'.repeat(3_000_000));
  }

  it('is what unzip unpacks to the same: names, bytes, times, empty folders', async () => {
    await fill();
    await site.files.setTimes(anna, pathOf('work/a.txt'), { modifiedAt: Date.UTC(2001, 1, 3, 4) });
    const zip = await zipOf();
    assert.equal(zip.name, 'work.zip');
    assert.equal(zip.entryCount, 7);
    const path = await save(zip, 'small.zip');
    await run('unzip', ['-tqq', path]);
    const env = { TZ: 'UTC', LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' };
    await run('unzip', ['-qq', '-d', join(root, 'out'), path], { env });
    const { stdout } = await run('find', [join(root, 'out'), '-printf', '%P %y %s %T@\n']);
    const found = stdout.split('\n').map((line) => line.replace(/\.0+$/, '')).sort();
    const now = NOW / 1000;
    assert.deepEqual(found.filter((line) => / f /.test(line)), [
      `work/Größe 文/großartig 🎉.txt f 7 ${now}`,
      `work/a.txt f 5 ${Date.UTC(2001, 1, 3, 4) / 1000}`,
      `work/large.bin f 3000000 ${now}`, `work/none.txt f 0 ${now}`,
    ]);
    assert.ok(found.some((line) => line.startsWith('work/empty d ')));
    zip.close();
  });

  it('is refused before it takes more memory than there is for all, also in one large folder',
    async () => {
      await site.folder(anna, 'work');
      for (let at = 0; at < 200; at += 1) await site.write(anna, `work/file-${at}`, '');
      const narrow = new FolderZips({
        files: site.files, content: site.content, plansBytesMax: 16_000,
      });
      let looked = 0;
      const counting = new FolderZips({
        content: site.content, plansBytesMax: 16_000,
        files: {
          get: (caller, path) => site.files.get(caller, path),
          list: async (caller, path, options) => {
            const listing = await site.files.list(caller, path, { ...options, pageMax: 10 });
            const pages = async function* () {
              for await (const page of listing.pages) {
                looked += page.length;
                yield page;
              }
            };
            return { ...listing, pages: pages() };
          },
        },
      });
      await assert.rejects(counting.open(anna, pathOf('work')), failsWith('busy', 'zips-max'));
      assert.ok(looked < 200, 'not when all of it was there already');
      await site.folder(anna, 'few');
      (await narrow.open(anna, pathOf('few'))).close();
      (await narrow.open(anna, pathOf('few'))).close();
    });

  it('has the same bytes in whatever ranges it is fetched, and by another server', async () => {
    await fill();
    const zip = await zipOf();
    const whole = await bytesOf(zip);
    assert.equal(whole.length, zip.sizeBytes);
    const edge = fc.nat(zip.sizeBytes);
    await fc.assert(fc.asyncProperty(edge, edge, async (a, b) => {
      const range = { startBytes: Math.min(a, b), endBytes: Math.max(a, b) };
      const other = await new FolderZips(site).open(anna, pathOf('work'));
      const part = await bytesOf(other, range);
      assert.ok(part.equals(whole.subarray(range.startBytes, range.endBytes)));
    }), { numRuns: 40 });
  });

  it('is the same zip as long as its ETag is, and another one when anything changes', async () => {
    await fill();
    const first = await zipOf();
    assert.deepEqual(await bytesOf(await zipOf()), await bytesOf(first));
    assert.equal((await zipOf()).etag, first.etag);
    await site.write(anna, 'work/Größe 文/new.txt');
    assert.notEqual((await zipOf()).etag, first.etag);
    const before = (await zipOf()).etag;
    await site.files.move(anna, pathOf('work'), pathOf('play'), { replace: false });
    assert.notEqual((await zipOf('play')).etag, before, 'its name is in it');
  });

  it('is as it was when it was opened, whatever is written meanwhile', async () => {
    await fill();
    const zip = await zipOf();
    await site.write(anna, 'work/a.txt', 'second, and longer');
    const path = await save(zip, 'as-it-was.zip');
    assert.equal((await run('unzip', ['-p', path, 'work/a.txt'])).stdout, 'first');
  });

  it('holds what others share in it, and nothing that is hidden', async () => {
    await site.folder(ben, 'given');
    await site.write(ben, 'given/shown.txt');
    await site.folder(ben, 'given/secret');
    await site.write(ben, 'given/secret/hidden.txt');
    await site.grant(ben, 'given', 'anna', 'viewer');
    await site.grant(ben, 'given/secret', 'anna', 'none');
    const path = await save(await zipOf('given'), 'given.zip');
    const members = (await listed(path)).map((line) => line.slice(line.indexOf('given')));
    assert.deepEqual(members, ['given/', 'given/shown.txt']);
    const all = await save(await zipOf(''), 'root.zip');
    const { stdout } = await run('unzip', ['-p', all, 'files/given/shown.txt']);
    assert.equal(stdout, 'given/shown.txt');
  });

  it('is of folders only, of those that may be seen', async () => {
    await fill();
    await assert.rejects(zipOf('work/a.txt'), failsWith('conflict', 'not-folder'));
    await assert.rejects(zips.open(ben, pathOf('work')), failsWith('not-found'));
  });

  it('breaks off when a file in it cannot be read, and says nothing wrong', async () => {
    await fill();
    const broken = new FolderZips({ files: site.files, content: brokenContent() });
    const zip = await broken.open(anna, pathOf('work'));
    await assert.rejects(bytesOf(zip), /broken/);
  });
});

function brokenContent() {
  const at = (): never => {
    throw new Error('broken');
  };
  return { at, of: at };
}

describe('a zip beyond the limits of the old format', { timeout: 120_000 }, () => {
  it('has more than 65,535 entries: unzip reads the first, the last and the count', async () => {
    const plan = new ZipPlan();
    const folder = addFolder(plan, 'many');
    for (let n = 0; n < 66_000; n += 1) {
      const sizeBytes = n === 0 || n === 65_999 ? 3 : 0;
      addFile(plan, { name: `f${n}`, parent: folder, sizeBytes });
    }
    const zip = new ZipStream(contentOfZeros(plan));
    const path = await save(zip, 'many.zip');
    const { stdout } = await run('unzip', ['-Z', '-h', path]);
    assert.match(stdout, /number of entries: 66001/);
    await run('unzip', ['-tqq', path, 'many/f0', 'many/f65999']);
    assert.ok(plan.heldBytes < 66_000 * 200, 'memory by entry');
  });

  it('is as long as was said before, and found whole by unzip', async () => {
    const path = join(root, 'whole.zip');
    const made = await makeBigZip(path, { entries: 500, gib: 0.125 });
    assert.equal(made.writtenBytes, made.announcedBytes);
    const { stdout } = await run('unzip', ['-tq', path]);
    assert.match(stdout, /No errors detected/);
  });

  it('has files of 4 GiB and more, and others behind them', async () => {
    for (const [name, sizeBytes] of [['five.zip', 5 * GIB], ['just.zip', 0xffff_fffe]] as const) {
      const plan = new ZipPlan();
      const large = addFile(plan, { name: 'large', sizeBytes });
      addFile(plan, { name: 'behind', sizeBytes: 1000 });
      // Its own bytes would take seconds: nobody looks at them here, nor at their checksum.
      const crcOf = (place: number): number | undefined => (place === large ? 1 : undefined);
      const zip = new ZipStream(contentOfZeros(plan, { crcOf }));
      const { contentBytes: startBytes, descriptorBytes: endBytes } = plan.place(large);
      const path = await save(zip, name, { startBytes, endBytes });
      const sizes = (await listed(path)).map((line) => Number(line.split(/ +/)[3]));
      assert.deepEqual(sizes, [sizeBytes, 1000]);
      await run('unzip', ['-tqq', path, 'behind']);
    }
  });
});
