/** What SIGTERM does to people who are in the middle of something. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { ask, basic } from '../support/dav-client.ts';
import type { Answer, DavClient } from '../support/dav-client.ts';
import { eventually, sleep, within } from '../support/deadline.ts';
import { openSocket } from '../support/raw-http.ts';
import { serverForTests } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';

const MIB = 1024 * 1024;
const STOP_MS = 60_000;

/** An upload whose bytes come slowly enough to be on their way while the server stops. Resolves
 *  when the server has taken it on and its first bytes were sent. */
async function beginUpload(
  user: DavClient, path: string, bytes: Buffer, { pieces, delayMs }: Pace,
): Promise<{ answer: Promise<Answer> }> {
  const size = Math.ceil(bytes.length / pieces);
  const begun = Promise.withResolvers<undefined>();
  const body = Readable.from((async function* () {
    for (let at = 0; at < bytes.length; at += size) {
      await sleep(delayMs);
      yield bytes.subarray(at, at + size);
      if (at >= size) begun.resolve(undefined);
    }
  })(), { highWaterMark: 1 });
  const headers = { 'Content-Length': bytes.length };
  const answer = user.file('PUT', path, { body, headers, waitsForLeave: true });
  await within(60_000, 'The beginning of an upload', Promise.race([begun.promise, answer]));
  return { answer };
}

interface Pace {
  readonly pieces: number;
  readonly delayMs: number;
}

describe('stopping', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  it('lets uploads and downloads finish, ends with 0, and keeps what it acknowledged', async () => {
    const server = await servers.start();
    const user = await server.addUser();
    const download = seededBytes(30 * MIB, 'download');
    await user.put('download.bin', download);
    const upload = seededBytes(8 * MIB, 'upload');
    const uploading = await beginUpload(user, 'upload.bin', upload, { pieces: 30, delayMs: 100 });
    const downloading = slowDownload(server.port, basic(user.credentials));
    await downloading.begun;
    server.terminate();
    const { code } = await server.command.end(STOP_MS);
    assert.equal(code, 0, server.tail());
    assert.equal((await uploading.answer).status, 201);
    const got = await downloading.body;
    assert.ok(got.subarray(-download.length).equals(download), 'the download was cut');
    await server.startAgain();
    assert.ok((await user.get('upload.bin')).body.equals(upload));
    assert.ok((await user.get('download.bin')).body.equals(download));
  });

  it('takes nothing new while it stops, and says when to come again', async () => {
    const server = await servers.start();
    const user = await server.addUser();
    const upload = seededBytes(1 * MIB, 'late');
    const uploading = await beginUpload(user, 'late.bin', upload, { pieces: 10, delayMs: 200 });
    server.terminate();
    await eventually(60_000, 'new connections are refused', async () => {
      const answer = await ask('GET', `${server.url}/readyz`).catch(() => undefined);
      return answer === undefined || answer.status === 503;
    });
    assert.equal((await uploading.answer).status, 201);
    assert.equal((await server.command.end(STOP_MS)).code, 0);
  });

  it('does not wait for a client that stopped sending for ever', async () => {
    const server = await servers.start({ args: [], env: { HOLDFAST_SERVER_DRAIN_SECONDS: '2' } });
    const user = await server.addUser();
    const socket = await openSocket(server.port);
    socket.write(`PUT ${user.root}stuck.bin HTTP/1.1\r\nHost: x\r\n`
      + `Authorization: ${basic(user.credentials)}\r\nContent-Length: 1000000\r\n`
      + 'Expect: 100-continue\r\n\r\n');
    const [leave] = await within(60_000, 'Leave to send', once(socket, 'data')) as [Buffer];
    assert.match(leave.toString(), /^HTTP\/1\.1 100 /);
    socket.write('only this');
    const { code } = await server.stop(STOP_MS);
    assert.equal(code, 0, server.tail());
    socket.destroy();
    await server.startAgain();
    assert.equal((await user.get('stuck.bin')).status, 404);
  });
});

/** Reads the first bytes at once and the rest a little later. */
function slowDownload(
  port: number, authorization: string,
): { begun: Promise<void>; body: Promise<Buffer> } {
  const begun = Promise.withResolvers<undefined>();
  const read = async (): Promise<Buffer> => {
    const socket = await openSocket(port);
    socket.write(`GET /dav/download.bin HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`
      + `Connection: close\r\nAuthorization: ${authorization}\r\n\r\n`);
    const pieces: Buffer[] = [];
    for await (const piece of socket) {
      if (pieces.length === 0) {
        begun.resolve(undefined);
        await sleep(1_500);
      }
      pieces.push(piece as Buffer);
    }
    return Buffer.concat(pieces);
  };
  return { begun: begun.promise, body: read() };
}
