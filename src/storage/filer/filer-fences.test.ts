// Who may write: keys, clusters, epochs, and connections that have been replaced.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { cp, mkdir, readFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import tls, { type TLSSocket } from 'node:tls';
import { isKind, type ErrorKind } from '../../base/errors.ts';
import { SeededRandom } from '../backends/local/testing/random.ts';
import { SimulatedVolumeFiles } from '../backends/local/testing/simulated-volume-files.ts';
import { DiskClaims } from './disk-claims.ts';
import type { FilerClient } from './filer-client.ts';
import type { FilerDisk } from './filer-disk.ts';
import type { FilerServer } from './filer-server.ts';
import { makeCertificates } from './testing/certificates.ts';
import { CutProxy } from './testing/cut-proxy.ts';
import { FilerTrial } from './testing/filer-trial.ts';

const trial = await FilerTrial.begin();
after(() => trial.end());
const VOLUME = 'v00000001.1.hv';
const X = [Buffer.from('x')];

function is(kind: ErrorKind, code: string): (error: unknown) => boolean {
  return (error) => isKind(error, kind) && error.code === code;
}

function diskOf(client: FilerClient): FilerDisk {
  const [disk] = client.disks();
  assert.ok(disk);
  return disk;
}

describe('A filer and a coordinator that do not belong together', () => {
  it('part when their keys differ: both say so, and nothing is served', async () => {
    const server = await trial.serve();
    trial.findings.length = 0;
    const connect = trial.connect(server, { key: randomBytes(32) });
    await assert.rejects(connect, is('conflict', 'wrong-key'));
    await settled(() => trial.findings.length > 0);
    const [finding] = trial.findings;
    assert.ok(finding?.kind === 'peer-refused' && finding.reason.code === 'wrong-key');
  });

  it('part when their clusters differ', async () => {
    const server = await trial.serve();
    const connect = trial.connect(server, { clusterId: randomUUID() });
    await assert.rejects(connect, is('conflict', 'foreign-cluster'));
  });

  it('part when another filer was expected', async () => {
    const server = await trial.serve();
    const connect = trial.connect(server, { filerId: randomUUID() });
    await assert.rejects(connect, is('conflict', 'wrong-filer'));
  });

  it('never prove anything to a filer without the key, nor say it', async () => {
    const [heard, liar] = await listenInstead((socket) => {
      socket.on('data', () => socket.write(randomBytes(200)));
    });
    const connect = trial.connect(await trial.serve(), {
      address: { host: '127.0.0.1', port: portOf(liar) },
    });
    await assert.rejects(connect, (error) => isKind(error, 'invalid'));
    assert.equal(heard.length, 1, 'one hello, and no proof');
    liar.close();
  });

  it('part when TLS is spoken with a certificate of another authority', async () => {
    const [ours, theirs] = await Promise.all([makeCertificates(), makeCertificates()]);
    const server = await trial.serve({ tls: theirs });
    const connect = trial.connect(server, { tls: { ca: ours.ca } });
    await assert.rejects(connect, (error) => isKind(error, 'unavailable'));
    await assert.rejects(trial.connect(server), (error) => isKind(error, 'unavailable'));
  });

  it('part when somebody in the middle has a certificate that is taken', async () => {
    const [real, stolen] = await Promise.all([makeCertificates(), makeCertificates()]);
    const server = await trial.serve({ tls: real });
    const middle = tls.createServer({ cert: stolen.cert, key: stolen.key }, (near) => {
      const far = tls.connect({ port: server.address.port, host: '127.0.0.1', ca: real.ca,
        checkServerIdentity: () => undefined });
      relay(near, far);
    });
    await new Promise<void>((resolve) => {
      middle.listen(0, '127.0.0.1', resolve);
    });
    const connect = trial.connect(server, {
      address: { host: '127.0.0.1', port: portOf(middle) }, tls: { ca: stolen.ca },
    });
    await assert.rejects(connect, is('conflict', 'wrong-key'));
    middle.close();
  });
});

describe('A handshake that was listened to', () => {
  it('cannot be used again, and its writes are not done twice', async () => {
    const root = await trial.root();
    const server = await trial.serve({ roots: [root] });
    const proxy = await CutProxy.begin(server.address.port);
    const client = await trial.connect(server, {
      address: { host: '127.0.0.1', port: proxy.port },
    });
    const file = await diskOf(client).files.open(VOLUME, 'create');
    await file.writeDurably([Buffer.from('once')], 0);
    client.close();
    const path = join(root.path, VOLUME);
    const before = await readFile(path);
    const heard = Buffer.concat(proxy.heard);
    assert.ok(heard.includes('once'), 'the proxy has heard the write');
    assert.ok(!heard.includes('a key for tests'), 'the key is never said');
    trial.findings.length = 0;
    const socket = net.connect(server.address.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(heard);
    await new Promise((resolve) => {
      socket.on('close', resolve);
    });
    await settled(() => trial.findings.length > 0);
    assert.ok(trial.findings.some(({ kind }) => kind === 'peer-refused'));
    assert.ok((await readFile(path)).equals(before));
    await proxy.end();
  });
});

describe('A coordinator that has been replaced', () => {
  it('still reads, and writes nothing, neither by an old connection nor by a new one', async () => {
    const server = await trial.serve();
    const old = await trial.connect(server, { epoch: 5 });
    const file = await diskOf(old).files.open(VOLUME, 'create');
    await file.writeDurably([Buffer.from('old')], 0);
    const next = await trial.connect(server, { epoch: 6, coordinatorId: randomUUID() });
    assert.equal(next.state.disks[0]?.lastEpoch, 6);
    for (const write of [
      () => file.writeDurably(X, 0), () => file.write(X, 0), () => file.sync(),
      () => file.datasync(), () => file.truncate(0),
      () => diskOf(old).files.open('v00000002.1.hv', 'create'),
      () => diskOf(old).files.open(VOLUME, 'write'),
      () => diskOf(old).files.remove('v00000001.1.hint'),
      () => diskOf(old).files.rename(`${VOLUME}.new`, VOLUME),
      () => diskOf(old).files.prepare(), () => diskOf(old).files.syncFolder(),
      () => diskOf(old).moveToTrash(VOLUME), () => diskOf(old).restoreFromTrash(VOLUME),
    ]) {
      await assert.rejects(write(), is('conflict', 'stale-epoch'));
    }
    const back = await trial.connect(server, { epoch: 5, coordinatorId: randomUUID() });
    assert.deepEqual(await diskOf(back).files.list(), [VOLUME]);
    const into = Buffer.alloc(3);
    await (await diskOf(back).files.open(VOLUME, 'read')).read(into, 0);
    assert.equal(String(into), 'old');
    await assert.rejects(diskOf(back).files.open(VOLUME, 'write'), is('conflict', 'stale-epoch'));
  });

  it('is refused by another filer too, once the disk has moved there', async () => {
    const root = await trial.root();
    const first = await trial.serve({ roots: [root] });
    await trial.connect(first, { epoch: 9 });
    await first.close();
    const second = await trial.serve({ roots: [root, await trial.root()] });
    const stale = await trial.connect(second, { epoch: 8 });
    for (const disk of stale.disks()) {
      await assert.rejects(disk.files.open(VOLUME, 'create'), is('conflict', 'stale-epoch'));
    }
    await trial.connect(second, { epoch: 9 });
  });

  it('is refused when it has the epoch of another one', async () => {
    const server = await trial.serve();
    await trial.connect(server, { epoch: 3 });
    const other = trial.connect(server, { epoch: 3, coordinatorId: randomUUID() });
    await assert.rejects(other, is('conflict', 'epoch-taken'));
  });

  it('has finished what it had begun before the next one is let in', async () => {
    const { files, server, release } = await slowFiler();
    const old = await trial.connect(server, { epoch: 1 });
    const file = await diskOf(old).files.open(VOLUME, 'create');
    const order: string[] = [];
    const begun = file.write([Buffer.from('begun')], 0).then(() => order.push('written'));
    await settled(() => files.calls > 0 && release.length > 0);
    const late = file.write([Buffer.from('late')], 100);
    const next = trial.connect(server, { epoch: 2, coordinatorId: randomUUID() })
      .then(() => order.push('let in'));
    await someTime(server);
    assert.deepEqual(order, []);
    for (const go of release.splice(0)) go();
    await assert.rejects(late, is('conflict', 'stale-epoch'));
    await Promise.all([begun, next]);
    assert.deepEqual(order, ['written', 'let in']);
    assert.equal(String(files.content(VOLUME)), 'begun');
  });

  it('cannot write again by a connection that it has given up itself', async () => {
    const { files, server, release } = await slowFiler();
    const proxy = await CutProxy.begin(server.address.port);
    const lost = await trial.connect(server, {
      address: { host: '127.0.0.1', port: proxy.port },
      limits: { requestTimeoutMs: 2_000 },
    });
    const file = await diskOf(lost).files.open(VOLUME, 'create');
    const first = file.write([Buffer.from('first')], 0);
    const second = file.write([Buffer.from('second')], 10);
    await settled(() => release.length > 0);
    proxy.hold(); // Neither side hears of the other any more, and none is told.
    await Promise.all([first, second].map((write) =>
      assert.rejects(write, is('unavailable', 'ETIMEDOUT'))));
    const again = trial.connect(server);
    await someTime(server);
    for (const go of release.splice(0)) go();
    const reader = await diskOf(await again).files.open(VOLUME, 'read');
    const sizeBytes = await reader.size();
    assert.equal(sizeBytes, 5, 'what had begun is there, what waited was dropped');
    assert.equal(release.length, 0);
    assert.equal(String(files.content(VOLUME)), 'first');
    await proxy.end();
  });
});

describe('A disk that cannot note who writes', () => {
  it('takes no writes, while the other disks of the filer do', async () => {
    const [bad, good] = [await trial.root(), await trial.root()];
    await mkdir(join(bad.path, 'fence.json.draft')); // In the way of the note.
    const server = await trial.serve({ roots: [{ ...bad, adopt: 'with-contents' }, good] });
    trial.findings.length = 0;
    const client = await trial.connect(server);
    // Told for each of the two connections.
    assert.deepEqual(new Set(trial.findings.map(({ kind }) => kind)), new Set(['fence-failed']));
    const [first, second] = client.disks();
    assert.ok(first && second);
    await assert.rejects(first.files.open(VOLUME, 'create'), is('unavailable', 'fence-failed'));
    assert.deepEqual(await first.files.list(), []);
    await (await second.files.open(VOLUME, 'create')).writeDurably(X, 0);
  });

  it('leaves a filer that has no other disk to nobody', async () => {
    const bad = await trial.root();
    await mkdir(join(bad.path, 'fence.json.draft'));
    const server = await trial.serve({ roots: [{ ...bad, adopt: 'with-contents' }] });
    await assert.rejects(trial.connect(server), is('unavailable', 'fence-failed'));
  });
});

describe('A reader', () => {
  it('reads beside a coordinator, whatever the epoch, and writes nothing', async () => {
    const server = await trial.serve();
    const writer = await trial.connect(server, { epoch: 4 });
    const file = await diskOf(writer).files.open(VOLUME, 'create');
    await file.writeDurably(X, 0);
    const reader = await trial.connect(server, { role: 'reader', epoch: 0 });
    assert.deepEqual(await diskOf(reader).files.list(), [VOLUME]);
    assert.equal((await diskOf(reader).digests(VOLUME, 0, 1)).sizeBytes, 1);
    await assert.rejects(diskOf(reader).files.open(VOLUME, 'write'), is('denied', 'reader'));
    await assert.rejects(diskOf(reader).moveToTrash(VOLUME), is('denied', 'reader'));
    await file.writeDurably(X, 1);
  });
});

describe('The same disk at two filers', () => {
  it('is used at neither, until one of the two is gone', async () => {
    const [root, copy] = [await trial.root(), await trial.root()];
    await (await trial.serve({ roots: [root] })).close();
    await cp(root.path, copy.path, { recursive: true });
    const claims = new DiskClaims();
    const one = await trial.connect(await trial.serve({ roots: [root] }), { claims });
    await diskOf(one).files.list();
    const other = await trial.connect(await trial.serve({ roots: [copy] }), { claims });
    for (const client of [one, other]) {
      await assert.rejects(diskOf(client).files.list(), is('conflict', 'disk-cloned'));
    }
    other.close();
    assert.deepEqual(await diskOf(one).files.list(), []);
  });
});

/** A filer whose writes wait until they are let go on. */
async function slowFiler() {
  const files = new SimulatedVolumeFiles(new SeededRandom(1));
  const release: (() => void)[] = [];
  const open = files.open.bind(files);
  files.open = async (name, how) => {
    const file = await open(name, how);
    return {
      ...file,
      write: async (pieces, position) => {
        const copies = pieces.map((piece) => Buffer.from(piece));
        await new Promise<void>((resolve) => {
          release.push(resolve);
        });
        await file.write(copies, position);
      },
    };
  };
  const server = await trial.serve({ roots: [{ ...(await trial.root()), files }] });
  return { files, server, release };
}

/** Long enough for everybody who knocks to be heard: round trips of somebody else. */
async function someTime(server: FilerServer): Promise<void> {
  const reader = await trial.connect(server, { role: 'reader' });
  for (let trips = 0; trips < 400; trips++) await diskOf(reader).files.list();
  reader.close();
}

/** Waits, turn by turn, until it is so. */
async function settled(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!isSo() && performance.now() < endMs) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  assert.ok(isSo(), 'it never came to that');
}

async function listenInstead(
  answer: (socket: net.Socket) => void,
): Promise<[Buffer[], net.Server]> {
  const heard: Buffer[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => heard.push(Buffer.from(chunk)));
    answer(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return [heard, server];
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}

function relay(near: TLSSocket, far: TLSSocket): void {
  for (const [from, to] of [[near, far], [far, near]] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.on('data', (chunk) => to.write(chunk));
  }
}

