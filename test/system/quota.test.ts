/** Quotas of the real server: many uploads at once, a crash in the middle, and the commands. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { run } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';

const MIB = 1024 * 1024;
const QUOTA_BYTES = 20 * MIB;
const TIMEOUT_MS = 12_000;
const UPLOADS = 50;

const LIMITED = {
  HOLDFAST_FILES_QUOTA: String(QUOTA_BYTES),
  HOLDFAST_FILES_RESERVATION_TIMEOUT: String(TIMEOUT_MS / 1000),
};

interface Room {
  usedBytes: number;
  availableBytes: number;
}

async function roomOf(user: DavClient): Promise<Room> {
  const { text } = await user.file('PROPFIND', '', {
    headers: { Depth: '0' },
    body: '<propfind xmlns="DAV:"><prop><quota-available-bytes/><quota-used-bytes/></prop>'
      + '</propfind>',
  });
  const read = (name: string): number =>
    Number(new RegExp(`quota-${name}-bytes>(-?\\d+)<`).exec(text)?.[1] ?? NaN);
  return { usedBytes: read('used'), availableBytes: read('available') };
}

function quota(server: TestServer, ...words: string[]): Promise<Outcome> {
  return run(PROGRAM, ['quota', ...words, '--data', server.data], { timeoutMs: 60_000 });
}

/** In pieces; newer clients say where the file is to appear, older ones do not. */
async function inPieces(user: DavClient, path: string, bytes: Buffer): Promise<number> {
  const upload = `/remote.php/dav/uploads/${user.name}/${path}`;
  const isNew = bytes.length % 2 === 0;
  const headers = {
    'OC-Total-Length': bytes.length, ...(isNew && { Destination: user.root + path }),
  };
  const begun = await user.ask('MKCOL', upload, { headers });
  if (begun.status !== 201) return begun.status;
  const half = Math.floor(bytes.length / 2);
  for (const [n, body] of [bytes.subarray(0, half), bytes.subarray(half)].entries()) {
    const { status } = await user.ask('PUT', `${upload}/${n}`, { body, headers });
    if (status !== 201) return status;
  }
  const Destination = user.root + path;
  return (await user.ask('MOVE', `${upload}/.file`, { headers: { Destination } })).status;
}

function piecesOf(bytes: Buffer): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 70_000) pieces.push(bytes.subarray(at, at + 70_000));
  return Readable.from(pieces);
}

/** The server may hang up on what is still coming; the listing tells what is there. */
async function orRefused(answer: Promise<{ status: number }>): Promise<number> {
  return answer.then(({ status }) => status, () => 507);
}

describe('a quota', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  it('is never exceeded by 50 uploads at once, which all are counted', async () => {
    const server = await servers.start({ env: LIMITED });
    const user = await server.addUser();
    const sent = Array.from({ length: UPLOADS }, (_, n) =>
      seededBytes(300_000 + n * 16_001, `upload ${n}`));
    let isOver = false;
    const seen = [await roomOf(user)];
    const watching = (async () => {
      for (; !isOver; await pause(20)) seen.push(await roomOf(user));
    })();
    const ways = [
      (path: string, bytes: Buffer) => orRefused(user.put(path, bytes)),
      (path: string, bytes: Buffer) => orRefused(user.put(path, piecesOf(bytes))),
      (path: string, bytes: Buffer) => inPieces(user, path, bytes),
    ];
    const statuses = await Promise.all(sent.map(async (bytes, n) =>
      ways[n % ways.length]?.(`f${n}`, bytes)));
    isOver = true;
    await watching;
    for (const [n, status] of statuses.entries()) {
      assert.ok(status === 201 || status === 507, `upload ${n} was answered ${status}`);
    }
    const members = await user.list();
    const listedBytes = members.reduce((sum, { xml }) =>
      sum + Number(/getcontentlength>(\d+)</.exec(xml)?.[1] ?? NaN), 0);
    const takenBytes = sent.reduce((sum, bytes, n) =>
      sum + (statuses[n] === 201 ? bytes.length : 0), 0);
    assert.equal(listedBytes, takenBytes, 'what was acknowledged is there, and nothing else');
    assert.ok(takenBytes <= QUOTA_BYTES && takenBytes > QUOTA_BYTES / 2, String(takenBytes));
    assert.ok(statuses.includes(507), 'not all of them can have fitted');
    assert.ok(seen.length > 1, `looked only ${seen.length} times`);
    for (const { usedBytes, availableBytes } of seen) {
      assert.ok(usedBytes + availableBytes <= QUOTA_BYTES, `${usedBytes} and ${availableBytes}`);
    }
    assert.deepEqual(await roomOf(user),
      { usedBytes: takenBytes, availableBytes: QUOTA_BYTES - takenBytes }, 'nothing is held back');
  });

  it('has its promises back some time after kill -9', async () => {
    const server = await servers.start({ env: LIMITED });
    const user = await server.addUser();
    await user.put('kept', seededBytes(MIB, 'kept'));
    const promisedAt = performance.now();
    const upload = `/remote.php/dav/uploads/${user.name}/cut`;
    const headers = { 'OC-Total-Length': 6 * MIB, Destination: `${user.root}cut` };
    assert.equal((await user.ask('MKCOL', upload, { headers })).status, 201);
    const body = new Readable({ read: () => undefined });
    const cut = user.file('PUT', 'cut too', { body, headers: { 'Content-Length': 8 * MIB } })
      .catch((error: unknown) => error);
    body.push(seededBytes(MIB, 'half'));
    await eventually(60_000, 'both have room', async () =>
      (await roomOf(user)).availableBytes === 5 * MIB);
    const tooMuch = await user.file('PUT', 'more', {
      body: seededBytes(6 * MIB, 'more'), waitsForLeave: true,
    });
    assert.equal(tooMuch.status, 507);
    assert.match(tooMuch.text, new RegExp(`${MIB} of ${QUOTA_BYTES} bytes are used, ${14 * MIB} .*`
      + `this needs ${6 * MIB}`));
    await server.kill();
    await cut;
    await server.startAgain();
    const { availableBytes } = await roomOf(user);
    // A slow start may outlast the promise, and then proves nothing.
    const isSoon = performance.now() - promisedAt < TIMEOUT_MS - 1_000;
    if (isSoon) assert.equal(availableBytes, 5 * MIB, 'a promise outlives the server');
    await eventually(TIMEOUT_MS + 60_000, 'the room is free again', async () =>
      (await roomOf(user)).availableBytes === 19 * MIB);
    assert.equal((await user.put('more', seededBytes(19 * MIB, 'more'))).status, 201);
  });

  it('is set and shown by commands, whether or not the server runs', async () => {
    const server = await servers.start();
    const user = await server.addUser();
    assert.equal((await user.put('a', seededBytes(MIB, 'a'))).status, 201);
    const wrong = await quota(server, 'set', 'ada', 'lots');
    assert.notEqual(wrong.code, 0);
    assert.notEqual((await quota(server, 'set', 'nobody', '1 MiB')).code, 0);
    const set = await quota(server, 'set', 'ada', '2 MiB');
    assert.equal(set.code, 0, set.stderr);
    const tooMuch = seededBytes(2 * MIB, 'b');
    const refusal = async (): Promise<number> =>
      (await user.file('PUT', 'b', { body: tooMuch, waitsForLeave: true })).status;
    assert.equal(await refusal(), 507, 'it holds at once');
    assert.equal((await roomOf(user)).availableBytes, MIB);
    await quota(server, 'set', 'ada', 'none');
    const all = await quota(server, 'set', '--tenant', 'default', '2 MiB');
    assert.equal(all.code, 0, all.stderr);
    assert.equal(await refusal(), 507, 'that of all together holds, too');
    await server.stop();
    const off = await quota(server, 'set', '--tenant', 'default', 'none');
    assert.equal(off.code, 0, off.stderr);
    await quota(server, 'set', 'ada', '5 MiB');
    const { stdout } = await quota(server, 'show');
    assert.deepEqual(stdout.trimEnd().split('\n').map((line) => line.split('\t')), [
      ['ada', '1', String(MIB), '', String(5 * MIB), '20 %', 'default'],
      ['tenant default', '', String(MIB), '0', 'none', '', 'default'],
    ]);
    await server.startAgain();
    assert.equal((await user.put('b', tooMuch)).status, 201);
    await server.stop();
    const log = await run(PROGRAM, ['audit', 'export', '--data', server.data], {
      timeoutMs: 60_000,
    });
    const noted = log.stdout.split('\n').filter(Boolean)
      .map((line) => JSON.parse(line) as { act: string; subject?: string; note?: string })
      .filter(({ act }) => act === 'quota-set');
    assert.deepEqual(noted.map(({ subject }) => subject),
      ['ada', 'ada', 'tenant default', 'tenant default', 'ada']);
    assert.equal(noted[0]?.note, `no quota before, a quota of ${2 * MIB} bytes now`);
  });
});
