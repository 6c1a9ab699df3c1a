import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { errorCode, type VolumeFile, type VolumeFiles } from './volume-files.ts';

const VOLUME = 'v00000001.1.hv';
const DRAFT = `${VOLUME}.new`;
const HINT = 'v00000001.1.hint';
const MIB = 1024 ** 2;

/** Bytes of which no two stretches are alike, so that a mixed-up position shows. */
export function patterned(lengthBytes: number, salt = 0): Buffer {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  for (let at = 0; at + 4 <= lengthBytes; at += 4) bytes.writeUInt32LE((at + salt) >>> 0, at);
  bytes.fill(salt & 255, lengthBytes - (lengthBytes % 4));
  return bytes;
}

async function readAll(file: VolumeFile): Promise<Buffer> {
  const bytes = Buffer.alloc(await file.size());
  assert.equal(await file.read(bytes, 0), bytes.length);
  return bytes;
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => errorCode(error) === code;
}

/**
 * The promises of VolumeFiles. Every implementation and every wrapper runs them. `makeEmpty` gives
 * a disk on which nothing was ever written; who makes it takes it away again.
 */
export function testVolumeFiles(name: string, makeEmpty: () => Promise<VolumeFiles>): void {
  describe(`${name} keeps the promises of VolumeFiles`, () => {
    let files: VolumeFiles;
    beforeEach(async () => {
      files = await makeEmpty();
    });

    async function contentOf(name: string): Promise<Buffer> {
      const file = await files.open(name, 'read');
      try {
        return await readAll(file);
      } finally {
        await file.close();
      }
    }

    async function make(name: string, bytes: Buffer): Promise<VolumeFile> {
      const file = await files.open(name, 'create');
      await file.write([bytes], 0);
      return file;
    }

    it('lists nothing on an empty disk, and takes a second prepare calmly', async () => {
      assert.deepEqual(await files.list(), []);
      await files.prepare();
      await files.prepare();
      assert.deepEqual(await files.list(), []);
    });

    describe('once prepared', () => {
      beforeEach(() => files.prepare());

      it('creates what is not there, and opens what is', async () => {
        await assert.rejects(files.open(VOLUME, 'read'), coded('ENOENT'));
        await assert.rejects(files.open(VOLUME, 'write'), coded('ENOENT'));
        assert.deepEqual(await files.list(), [], 'a refused open makes nothing');
        const file = await make(VOLUME, Buffer.from('content'));
        await assert.rejects(files.open(VOLUME, 'create'), coded('EEXIST'));
        await file.close();
        assert.equal(String(await contentOf(VOLUME)), 'content');
        const again = await files.open(VOLUME, 'write');
        assert.equal(await again.size(), 7, 'opening for writing keeps what is there');
        await again.close();
      });

      it('lists the names of all files, each once', async () => {
        const names = Array.from({ length: 40 }, (_, at) => `v${10_000_000 + at}.1`);
        for (const one of names) {
          for (const kind of ['hv', 'hint']) await (await make(`${one}.${kind}`, DATA)).close();
        }
        const wanted = names.flatMap((one) => [`${one}.hv`, `${one}.hint`]).sort();
        assert.deepEqual((await files.list()).sort(), wanted);
      });

      it('writes the pieces one after the other, wherever it is told to', async () => {
        const file = await files.open(VOLUME, 'create');
        const pieces = ['one', '', 'two', 'three'].map((piece) => Buffer.from(piece));
        await file.write(pieces, 0);
        assert.equal(String(await readAll(file)), 'onetwothree');
        await file.write([Buffer.from('TWO')], 3);
        assert.equal(String(await readAll(file)), 'oneTWOthree');
        await file.write([Buffer.from('end')], 15);
        assert.equal(String(await readAll(file)), 'oneTWOthree\0\0\0\0end');
        await file.write([], 0);
        await file.write([Buffer.alloc(0)], 3);
        assert.equal(await file.size(), 18);
        await file.close();
      });

      it('writes and reads hundreds of pieces, and far more than a message holds', async () => {
        const file = await files.open(VOLUME, 'create');
        const bytes = patterned(18 * MIB + 13);
        const cuts = [0, 1, 70, 4096, 5 * MIB, 5 * MIB + 9, 12 * MIB, bytes.length];
        const big = cuts.slice(1).map((end, at) => bytes.subarray(cuts[at], end));
        await file.write(big, 64);
        const back = Buffer.alloc(bytes.length);
        assert.equal(await file.read(back, 64), bytes.length);
        assert.ok(back.equals(bytes));
        const small = Array.from({ length: 700 }, (_, at) => patterned(1 + (at % 90), at));
        await file.writeDurably(small, 64);
        const joined = Buffer.concat(small);
        assert.equal(await file.read(back, 64), back.length);
        assert.ok(back.subarray(0, joined.length).equals(joined));
        assert.ok(back.subarray(joined.length).equals(bytes.subarray(joined.length)));
        await file.close();
      });

      it('writes zeros where something else was', async () => {
        const before = Buffer.alloc(40_000, 7);
        const file = await make(VOLUME, before);
        const head = Buffer.from('head');
        await file.writeDurably([head, Buffer.alloc(20_000)], 100);
        const wanted = Buffer.from(before);
        wanted.fill(0, 100, 100 + 20_004);
        head.copy(wanted, 100);
        assert.ok((await readAll(file)).equals(wanted));
        await file.write([Buffer.alloc(30_000)], 30_000);
        assert.ok((await readAll(file)).subarray(30_000).equals(Buffer.alloc(30_000)));
        await file.close();
      });

      it('reads fewer bytes only at the end, and leaves the rest of the memory alone', async () => {
        const file = await make(VOLUME, patterned(1000));
        const into = Buffer.alloc(100, 9);
        assert.equal(await file.read(into, 0), 100);
        assert.ok(into.equals(patterned(1000).subarray(0, 100)));
        into.fill(9);
        assert.equal(await file.read(into, 960), 40);
        assert.ok(into.subarray(0, 40).equals(patterned(1000).subarray(960)));
        assert.ok(into.subarray(40).equals(Buffer.alloc(60, 9)));
        assert.equal(await file.read(into, 1000), 0);
        assert.equal(await file.read(into, 5000), 0);
        assert.equal(await file.read(Buffer.alloc(0), 10), 0);
        await file.close();
      });

      it('cuts a file, and fills it up with zeros', async () => {
        const file = await make(VOLUME, patterned(1000));
        await file.truncate(300);
        assert.ok((await readAll(file)).equals(patterned(1000).subarray(0, 300)));
        await file.truncate(500);
        assert.ok((await readAll(file)).subarray(300).equals(Buffer.alloc(200)));
        await file.truncate(0);
        await file.sync();
        assert.equal(await file.size(), 0);
        await file.close();
      });

      it('refuses to write through a handle for reading', async () => {
        await (await make(VOLUME, DATA)).close();
        const file = await files.open(VOLUME, 'read');
        await assert.rejects(file.write([Buffer.from('x')], 0));
        await assert.rejects(file.writeDurably([Buffer.from('x')], 0));
        assert.ok((await readAll(file)).equals(DATA));
        await file.close();
      });

      it('shows what was written to every handle of the file', async () => {
        const writer = await make(VOLUME, Buffer.from('first'));
        const reader = await files.open(VOLUME, 'read');
        assert.equal(String(await readAll(reader)), 'first');
        await writer.writeDurably([Buffer.from('second')], 5);
        assert.equal(String(await readAll(reader)), 'firstsecond');
        await writer.close();
        assert.equal(String(await readAll(reader)), 'firstsecond', 'handles close one by one');
        await reader.close();
      });

      it('keeps what was written, synced in any way, for whoever opens it next', async () => {
        const file = await files.open(VOLUME, 'create');
        await file.write([patterned(500)], 0);
        await file.datasync();
        await file.write([patterned(500, 1)], 500);
        await file.sync();
        await file.writeDurably([patterned(500, 2)], 1000);
        await file.close();
        await files.syncFolder();
        const wanted = Buffer.concat([patterned(500), patterned(500, 1), patterned(500, 2)]);
        assert.ok((await contentOf(VOLUME)).equals(wanted));
      });

      it('needs the memory of a write only until the write has resolved', async () => {
        const file = await files.open(VOLUME, 'create');
        const memory = Buffer.alloc(200_000);
        for (let round = 0; round < 5; round++) {
          memory.fill(round + 1);
          await file.write([memory.subarray(0, 100), memory], round * 200_100);
        }
        const bytes = await readAll(file);
        for (let round = 0; round < 5; round++) {
          const part = bytes.subarray(round * 200_100, (round + 1) * 200_100);
          assert.ok(part.equals(Buffer.alloc(200_100, round + 1)), `round ${round}`);
        }
        await file.close();
      });

      it('answers many calls at once, each with its own answer', async () => {
        const file = await files.open(VOLUME, 'create');
        const part = (at: number): Buffer => patterned(10_000, at * 10_000);
        const numbers = Array.from({ length: 60 }, (_, at) => at);
        await Promise.all(numbers.map((at) => file.write([part(at)], at * 10_000)));
        await Promise.all(numbers.map(async (at) => {
          const into = Buffer.alloc(10_000);
          assert.equal(await file.read(into, at * 10_000), 10_000);
          assert.ok(into.equals(part(at)), `part ${at}`);
        }));
        await Promise.all([file.datasync(), file.sync(), file.writeDurably([part(0)], 0)]);
        await file.close();
      });

      it('keeps many files open, each with its own content', async () => {
        const names = Array.from({ length: 70 }, (_, at) => `v${10_000_000 + at}.1.hv`);
        const open = await Promise.all(names.map((one, at) => make(one, patterned(100, at))));
        for (const [at, file] of open.entries()) {
          assert.ok((await readAll(file)).equals(patterned(100, at)), `file ${at}`);
        }
        for (const file of open) await file.close();
      });

      it('gives a draft its name, also while it is open', async () => {
        const file = await make(DRAFT, Buffer.from('volume'));
        await file.sync();
        await files.rename(DRAFT, VOLUME);
        await files.syncFolder();
        assert.deepEqual(await files.list(), [VOLUME]);
        await file.writeDurably([Buffer.from(' goes on')], 6);
        await file.close();
        assert.equal(String(await contentOf(VOLUME)), 'volume goes on');
        await assert.rejects(files.rename(DRAFT, VOLUME), coded('ENOENT'));
        assert.equal(String(await contentOf(VOLUME)), 'volume goes on');
      });

      it('removes drafts and hints, and says when they are not there', async () => {
        for (const one of [DRAFT, HINT]) {
          await (await make(one, DATA)).close();
          await files.remove(one);
          assert.deepEqual(await files.list(), []);
          await assert.rejects(files.remove(one), coded('ENOENT'));
          await assert.rejects(files.open(one, 'read'), coded('ENOENT'));
          const again = await make(one, Buffer.from('new'));
          assert.equal(String(await readAll(again)), 'new');
          await again.close();
          await files.remove(one);
        }
        await files.syncFolder();
      });

      it('tells how much room there is', async () => {
        const { freeBytes, totalBytes } = await files.space();
        assert.ok(Number.isSafeInteger(freeBytes) && Number.isSafeInteger(totalBytes));
        assert.ok(freeBytes > 0 && freeBytes <= totalBytes);
      });
    });
  });
}

const DATA = patterned(777);
