/** When room runs out: writers are told so, readers notice nothing, and it ends by itself. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { run, runWell } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import { seededBytes, write } from '../support/trees.ts';

const MIB = 1024 * 1024;
const CAN_MOUNT = process.getuid?.() === 0;

function volumeBytes(data: string): number {
  const volumes = join(data, 'volumes');
  const names = readdirSync(volumes, { recursive: true, encoding: 'utf8' });
  return names.reduce((sum, name) => sum + statSync(join(volumes, name)).blocks * 512, 0);
}

describe('a quota of 100 MB', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  it('answers 507 to what does not fit, in one piece, of unknown length or in pieces', async () => {
    const server = await servers.start({ env: { HOLDFAST_FILES_QUOTA: '100000000' } });
    const user = await server.addUser();
    const kept = seededBytes(60_000_000, 'kept');
    assert.equal((await user.put('kept.bin', kept)).status, 201);
    const usedBytes = volumeBytes(server.data);
    const tooMuch = seededBytes(50_000_000, 'too much');
    const known = await user.file('PUT', 'known.bin', { body: tooMuch, waitsForLeave: true });
    assert.equal(known.status, 507);
    assert.ok(volumeBytes(server.data) - usedBytes < 1 * MIB, 'bytes that never fit were stored');
    const unknown = await user.file('PUT', 'unknown.bin', {
      body: Readable.from([tooMuch.subarray(0, 25_000_000), tooMuch.subarray(25_000_000)]),
    }).catch((error: Error) => error);
    // The server may hang up on what is still coming; what counts is that nothing was stored.
    if (!(unknown instanceof Error)) assert.equal(unknown.status, 507);
    assert.equal(await inPieces(user, 'pieces.bin', tooMuch), 507);
    assert.deepEqual((await user.list()).map(({ path }) => path), ['kept.bin']);
    const small = await user.put('small.bin', seededBytes(30_000_000, 'fits'));
    assert.equal(small.status, 201, 'what fits is still taken');
    assert.ok((await user.get('kept.bin')).body.equals(kept));
  });

  it('is shown to clients', async () => {
    const server = await servers.start({ env: { HOLDFAST_FILES_QUOTA: '100000000' } });
    const user = await server.addUser();
    await user.put('x.bin', seededBytes(1_000_000, 'x'));
    const { text } = await user.file('PROPFIND', '', {
      headers: { Depth: '0' },
      body: '<propfind xmlns="DAV:"><prop><quota-available-bytes/><quota-used-bytes/></prop>'
        + '</propfind>',
    });
    assert.match(text, /quota-used-bytes>1000000</);
    assert.match(text, /quota-available-bytes>99000000</);
  });
});

async function inPieces(user: DavClient, path: string, bytes: Buffer): Promise<number> {
  const upload = `/remote.php/dav/uploads/${user.name}/pieces`;
  await user.ask('MKCOL', upload);
  for (const [n, at] of [0, 10_000_000].entries()) {
    const body = at === 0 ? bytes.subarray(0, 10_000_000) : bytes.subarray(at);
    const { status } = await user.ask('PUT', `${upload}/${n}`, { body });
    if (status === 507) return status;
  }
  const Destination = user.root + path;
  return (await user.ask('MOVE', `${upload}/.file`, { headers: { Destination } })).status;
}

if (CAN_MOUNT) {
  describe('a full disk (a small tmpfs, mounted by root)', { timeout: 600_000 }, () => {
    const servers = serverForTests();

    it('answers 507 to writers while reads and deletes go on, and recovers by itself', async () => {
      const disk = scratchFolder('disk');
      await runWell('mount', ['-t', 'tmpfs', '-o', 'size=192m', 'none', disk]);
      try {
        await fillAndRecover(join(disk, 'data'), join(disk, 'ballast'));
      } finally {
        await run('umount', ['-l', disk]);
      }
    });

    /** Small files still fit where large ones do not. */
    async function fillToTheLast(user: DavClient): Promise<void> {
      for (let n = 0; n < 200; n += 1) {
        const { status, text } = await user.put(`last ${n}.bin`, seededBytes(64_000, `last ${n}`));
        if (status === 507) return;
        assert.equal(status, 201, text);
      }
      assert.fail('the disk never became quite full');
    }

    async function fillAndRecover(data: string, ballast: string): Promise<void> {
      const server = await servers.start({ data });
      const user = await server.addUser();
      const kept = seededBytes(5 * MIB, 'kept');
      assert.equal((await user.put('kept.bin', kept)).status, 201);
      await user.put('doomed.bin', seededBytes(100_000, 'doomed'));
      write(ballast, 'bytes', seededBytes(120 * MIB, 'ballast'));

      const acknowledged = new Map<string, Buffer>();
      let refused = 0;
      for (let n = 0; n < 40 && refused < 3; n += 1) {
        const bytes = seededBytes(4 * MIB, `fill ${n}`);
        const { status, text } = await user.put(`fill ${n}.bin`, bytes);
        if (status === 201) acknowledged.set(`fill ${n}.bin`, bytes);
        else {
          assert.equal(status, 507, text);
          refused += 1;
        }
      }
      assert.ok(refused >= 3, 'the disk never became full');
      await fillToTheLast(user);
      assert.ok((await user.get('kept.bin')).body.equals(kept), 'reads go on');
      assert.equal((await user.remove('doomed.bin')).status, 204, 'deletes go on');
      assert.equal((await user.ask('GET', '/readyz')).status, 503, 'it says so to machines');

      rmSync(ballast, { recursive: true });
      await eventually(60_000, 'writes are taken again', async () => {
        return (await user.put('after.bin', seededBytes(1 * MIB, 'after'))).status === 201;
      });
      const names = new Set((await user.list()).map(({ path }) => path));
      for (let n = 0; n < 40; n += 1) {
        const name = `fill ${n}.bin`;
        assert.equal(names.has(name), acknowledged.has(name), `${name} after the disk was full`);
      }
      await server.restart();
      for (const [name, bytes] of acknowledged) {
        assert.ok((await user.get(name)).body.equals(bytes), `${name} was acknowledged otherwise`);
      }
      await server.stop();
    }
  });
}
