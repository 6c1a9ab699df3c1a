// What the network, the disk, and whoever finds the port may do to a filer.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { systemClock } from '../../platform/index.ts';
import { LocalVolumeStore } from '../backends/local/local-volume-store.ts';
import { SeededRandom } from '../backends/local/testing/random.ts';
import { SimulatedVolumeFiles } from '../backends/local/testing/simulated-volume-files.ts';
import { patterned } from '../backends/local/volume-files.conformance.ts';
import { errorCode, type VolumeFile } from '../backends/local/volume-files.ts';
import { Block } from '../block.ts';
import type { FilerClient, FilerClientOptions, FilerState } from './filer-client.ts';
import type { FilerDisk } from './filer-disk.ts';
import type { FilerServer } from './filer-server.ts';
import { encodeFrame } from './frame.ts';
import { encodeHello, NONCE_BYTES } from './handshake.ts';
import { LocalDisk } from './local-disk.ts';
import { MESSAGE, READ_BYTES_MAX } from './messages.ts';
import { CutProxy } from './testing/cut-proxy.ts';
import { CLUSTER_ID, COORDINATOR_ID, FilerTrial } from './testing/filer-trial.ts';

const trial = await FilerTrial.begin();
after(() => trial.end());
const VOLUME = 'v00000001.1.hv';
const WAIT_MS_MAX = 60_000;

function diskOf(client: FilerClient): FilerDisk {
  const [disk] = client.disks();
  assert.ok(disk);
  return disk;
}

const LOST = ['ECONNRESET', 'ENOTCONN', 'ETIMEDOUT'];

/** The store's own errors carry what the filer's disk has said as their cause. */
function isLost(error: unknown): boolean {
  if (!isKind(error, 'unavailable')) return false;
  return LOST.includes(errorCode(error)) || isLost(error.cause);
}

interface Rig {
  root: string;
  server: FilerServer;
  proxy: CutProxy;
  client: FilerClient;
  /** Resolves when the client says so of itself; at once if it is so. */
  becomes: (isConnected: boolean) => Promise<void>;
}

/** A filer, a coordinator, and a network between that can be cut. */
async function rig(options: Partial<FilerClientOptions> = {}): Promise<Rig> {
  const root = await trial.root();
  const server = await trial.serve({ roots: [root] });
  const proxy = await CutProxy.begin(server.address.port);
  after(() => proxy.end());
  let waiting: { isConnected: boolean; go: () => void }[] = [];
  const onState = ({ isConnected }: FilerState): void => {
    for (const one of waiting) if (one.isConnected === isConnected) one.go();
    waiting = waiting.filter((one) => one.isConnected !== isConnected);
  };
  const client = await trial.connect(server, {
    address: { host: '127.0.0.1', port: proxy.port }, onState,
    backoff: { firstMs: 10, longestMs: 40 }, ...options,
  });
  const becomes = (isConnected: boolean): Promise<void> => new Promise((go) => {
    if (client.state.isConnected === isConnected) go();
    else waiting.push({ isConnected, go });
  });
  return { root: root.path, server, proxy, client, becomes };
}

/** Tries until the filer is reached again: the two connections come back one by one. */
async function untilReached<T>(act: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + WAIT_MS_MAX;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      assert.ok(isLost(error) && performance.now() < endMs, String(error));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
}

async function madeFile(client: FilerClient): Promise<VolumeFile> {
  const file = await diskOf(client).files.open(VOLUME, 'create');
  await file.writeDurably([Buffer.from('acknowledged')], 0);
  return file;
}

describe('A connection that is cut', () => {
  it('in the middle of a write leaves nothing of it, and comes back by itself', async () => {
    const { root, proxy, client } = await rig();
    await madeFile(client);
    const reopen = (): Promise<VolumeFile> => diskOf(client).files.open(VOLUME, 'write');
    for (const afterBytes of [1, 47, 48, 60, 100, 3000, 70_000, 999_999]) {
      const file = await untilReached(reopen);
      proxy.cutAfterSent = afterBytes;
      await assert.rejects(file.writeDurably([patterned(1_000_000)], 12), isLost);
      assert.ok(proxy.cutAfterSent <= 0, 'it was cut by the proxy');
      proxy.cutAfterSent = Number.POSITIVE_INFINITY;
      assert.equal(await readFile(join(root, VOLUME), 'utf8'), 'acknowledged');
    }
    const again = await untilReached(reopen);
    await again.writeDurably([Buffer.from(' again')], 12);
    assert.equal(await readFile(join(root, VOLUME), 'utf8'), 'acknowledged again');
  });

  it('before the answer leaves the outcome unknown, and says so', async () => {
    const { root, proxy, client, becomes } = await rig();
    const file = await madeFile(client);
    proxy.cutAfterAnswered = 5;
    await assert.rejects(file.writeDurably([Buffer.from('perhaps')], 12), isLost);
    proxy.cutAfterAnswered = Number.POSITIVE_INFINITY;
    assert.equal(await readFile(join(root, VOLUME), 'utf8'), 'acknowledgedperhaps');
    await becomes(true);
  });

  it('takes its open files with it: they answer unavailable, and close calmly', async () => {
    const { proxy, client, becomes } = await rig();
    const file = await madeFile(client);
    const reader = await diskOf(client).files.open(VOLUME, 'read');
    proxy.cut();
    await becomes(false);
    await becomes(true);
    for (const call of [
      () => file.write([Buffer.from('x')], 0), () => file.datasync(), () => file.sync(),
      () => file.writeDurably([Buffer.from('x')], 0), () => file.truncate(0), () => file.size(),
      () => reader.read(Buffer.alloc(5), 0), () => reader.size(),
    ]) {
      await assert.rejects(call(), isLost);
    }
    await file.close();
    await reader.close();
  });

  it('is never taken for an empty disk', async () => {
    const { proxy, client, becomes } = await rig();
    await madeFile(client);
    const disk = diskOf(client);
    proxy.isDown = true;
    proxy.cut();
    await becomes(false);
    await assert.rejects(disk.files.list(), isLost);
    await assert.rejects(disk.listTrash(), isLost);
    await assert.rejects(disk.files.open(VOLUME, 'read'), isLost);
    assert.deepEqual(client.disks().map(({ id }) => id), [disk.id], 'it still knows its disk');
    proxy.isDown = false;
    assert.deepEqual(await untilReached(() => disk.files.list()), [VOLUME]);
  });

  it('rejects all that was in flight, and forgets none', async () => {
    const { proxy, client } = await rig();
    const file = await madeFile(client);
    proxy.hold();
    const calls = Array.from({ length: 500 }, (_, at) =>
      at % 2 === 0 ? file.write([Buffer.alloc(1000)], at) : diskOf(client).files.space());
    proxy.cut();
    const outcomes = await Promise.allSettled(calls);
    assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && isLost(outcome.reason)));
  });

  it('gives way to the next connection when another filer has taken the address', async () => {
    const { server, client, becomes } = await rig();
    const { port } = server.address;
    await server.close();
    await becomes(false);
    const other = await trial.serve({ listen: { host: '127.0.0.1', port } });
    await reason(client, 'wrong-filer');
    assert.equal(client.state.isConnected, false);
    await other.close();
  });
});

describe('A filer that does not answer', () => {
  it('is given up in time: what waits rejects, and it is used again when it is back', async () => {
    const limits = {
      requestTimeoutMs: 2_000, pingEveryMs: 50, pingTimeoutMs: 2_000, connectTimeoutMs: 2_000,
    };
    const { proxy, client, becomes } = await rig({ limits });
    const file = await madeFile(client);
    const disk = diskOf(client);
    proxy.hold();
    const startMs = systemClock.monotonic();
    await Promise.all([
      assert.rejects(file.writeDurably([Buffer.from('x')], 12), isLost),
      assert.rejects(disk.files.list(), isLost),
    ]);
    assert.ok(systemClock.monotonic() - startMs < WAIT_MS_MAX);
    await becomes(false);
    await assert.rejects(disk.files.list(), isLost);
    proxy.release();
    assert.deepEqual(await untilReached(() => disk.files.list()), [VOLUME]);
    await becomes(true);
  });

  it('is closed in time though a disk hangs, and nobody else gets that disk', async () => {
    const { files, free } = stuckDisk();
    const root = await trial.root();
    const roots = [{ ...root, files }];
    const server = await trial.serve({ roots, limits: { closeTimeoutMs: 50 } });
    const client = await trial.connect(server, { limits: { requestTimeoutMs: 2_000 } });
    const file = await diskOf(client).files.open(VOLUME, 'create');
    await assert.rejects(file.writeDurably([Buffer.from('x')], 0), isLost);
    await server.close();
    const again = { ...root, clusterId: CLUSTER_ID, root: root.path, clock: systemClock };
    await assert.rejects(LocalDisk.open(again), (error) => isKind(error, 'conflict'));
    free.forEach((go) => go());
    const endMs = performance.now() + WAIT_MS_MAX;
    for (;;) {
      try {
        await (await LocalDisk.open(again)).close();
        break;
      } catch (error) {
        assert.ok(isKind(error, 'conflict') && performance.now() < endMs);
      }
    }
  });

  it('for one disk serves the others, also to a connection that comes anew', async () => {
    const { files: stuck, free } = stuckDisk();
    const sound = new SimulatedVolumeFiles(new SeededRandom(2));
    const roots = [
      { ...(await trial.root()), files: stuck }, { ...(await trial.root()), files: sound },
    ];
    const server = await trial.serve({ roots, limits: { settleTimeoutMs: 100 } });
    const limits = { requestTimeoutMs: 2_000 };
    const client = await trial.connect(server, { limits });
    const [bad, good] = client.disks();
    assert.ok(bad && good);
    const file = await bad.files.open(VOLUME, 'create');
    await assert.rejects(file.writeDurably([Buffer.from('x')], 0), isLost);
    await (await good.files.open(VOLUME, 'create')).writeDurably([Buffer.from('x')], 0);
    assert.equal(client.state.isConnected, true);
    // To open it for writing would mean to look at a file that is still being written.
    await assert.rejects(bad.files.open(VOLUME, 'write'), isLost);
    const next = await trial.connect(server, { epoch: 2, limits });
    await assert.rejects(next.disk(bad.id).files.list(), isLost);
    await (await next.disk(good.id).files.open(VOLUME, 'write')).writeDurably([], 0);
    free.forEach((go) => go());
    const endMs = performance.now() + WAIT_MS_MAX;
    for (;;) {
      try {
        assert.deepEqual(await next.disk(bad.id).files.list(), [VOLUME]);
        break;
      } catch (error) {
        assert.ok(isLost(error) && performance.now() < endMs);
      }
    }
  });
});

async function reason(client: FilerClient, code: string): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (client.state.failure?.code !== code) {
    assert.ok(performance.now() < endMs, `the reason is ${client.state.failure?.code}`);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

describe('Whoever finds the port', () => {
  async function talk(server: FilerServer, bytes: Buffer | undefined): Promise<Buffer> {
    const socket = net.connect(server.address.port, '127.0.0.1');
    const heard: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    socket.on('error', () => undefined);
    if (bytes !== undefined) socket.write(bytes);
    await new Promise((resolve) => {
      socket.on('close', resolve);
    });
    return Buffer.concat(heard);
  }

  const hello = encodeHello({
    versionMin: 1, versionMax: 1, role: 'coordinator', clusterId: CLUSTER_ID,
    coordinatorId: COORDINATOR_ID, epoch: 1_000_000, lane: 'write', nonce: randomBytes(NONCE_BYTES),
  });

  function framed(type: number, fields: Buffer, data: Buffer[] = []): Buffer {
    return Buffer.concat(encodeFrame({ type, id: 1, fields, data }, undefined));
  }

  it('is sent away, whatever he says, and nobody else notices', async () => {
    const server = await trial.serve({ limits: { handshakeTimeoutMs: 1000 } });
    const client = await trial.connect(server);
    const file = await madeFile(client);
    const greeting = framed(MESSAGE.hello, hello);
    const words = [
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), randomBytes(500), Buffer.alloc(5000, 255),
      framed(MESSAGE.list, Buffer.alloc(6)), framed(MESSAGE.hello, randomBytes(90)),
      framed(MESSAGE.hello, Buffer.alloc(0)), framed(MESSAGE.proof, randomBytes(32)),
      framed(MESSAGE.hello, Buffer.alloc(2000)), framed(MESSAGE.hello, hello, [Buffer.alloc(9)]),
      Buffer.concat([greeting, framed(MESSAGE.proof, randomBytes(32))]),
      Buffer.concat([greeting, framed(MESSAGE.proof, Buffer.alloc(0))]),
      Buffer.concat([greeting, greeting]), Buffer.concat([greeting, framed(MESSAGE.write, hello)]),
      Buffer.concat([greeting, randomBytes(1000)]),
    ];
    const random = new SeededRandom(7);
    for (let times = 0; times < 150; times++) {
      const changed = Buffer.concat([greeting, framed(MESSAGE.proof, randomBytes(32))]);
      for (let flips = 0; flips <= random.below(4); flips++) {
        changed[random.below(changed.length)] = random.below(256);
      }
      words.push(Buffer.concat([changed, Buffer.alloc(48)]));
    }
    trial.findings.length = 0;
    await Promise.all(words.map((word) => talk(server, word)));
    assert.ok(trial.findings.length >= words.length);
    assert.ok(trial.findings.every(({ kind }) => kind === 'peer-refused'));
    await file.writeDurably([Buffer.from('still here')], 0);
    client.close(); // Else it comes again, to look.
    await trial.connect(server, { epoch: 2 }); // Nobody has raised the epoch without the key.
    const endMs = performance.now() + WAIT_MS_MAX;
    while (server.connectionCount > 2) {
      assert.ok(performance.now() < endMs, `${server.connectionCount} connections are left`);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  });

  it('is told the reason when his protocol is newer', async () => {
    const newer = Buffer.from(hello);
    newer.writeUInt8(3, 0);
    newer.writeUInt8(5, 1);
    const heard = await talk(await trial.serve(), framed(MESSAGE.hello, newer));
    assert.ok(heard.includes('newer-protocol'));
  });

  it('cannot hold a place for ever by saying nothing, or half of something', async () => {
    const server = await trial.serve({
      limits: { handshakeTimeoutMs: 1_000, frameTimeoutMs: 1_000, connectionsMax: 4 },
    });
    const half = framed(MESSAGE.hello, hello).subarray(0, 60);
    await Promise.all([undefined, half, framed(MESSAGE.hello, hello)].map((w) => talk(server, w)));
    trial.findings.length = 0;
    await Promise.all(Array.from({ length: 12 }, () => talk(server, undefined)));
    assert.equal(trial.findings.length, 4, 'the others were not even listened to');
    await trial.connect(server);
  });
});

describe('A session', () => {
  it('ends when a bit changes on the way, before anything is done', async () => {
    const { root, server, client } = await rig();
    const file = await madeFile(client);
    await file.close();
    client.close();
    const random = new SeededRandom(3);
    for (let times = 0; times < 30; times++) {
      const middle = await changing(server, random);
      const changed = await trial.connect(server, {
        address: { host: '127.0.0.1', port: (middle.address() as net.AddressInfo).port },
      });
      const target = await diskOf(changed).files.open(VOLUME, 'write');
      middle.emit('change');
      await assert.rejects(target.writeDurably([patterned(2000)], 0), isLost);
      changed.close();
      middle.close();
      assert.equal(await readFile(join(root, VOLUME), 'utf8'), 'acknowledged');
    }
  });

  it('whose other side takes no answers is ended', async () => {
    const server = await trial.serve({
      limits: { drainTimeoutMs: 100, inFlightBytesMax: 2_000_000 },
    });
    const proxy = await CutProxy.begin(server.address.port);
    const client = await trial.connect(server, {
      address: { host: '127.0.0.1', port: proxy.port },
      limits: { inFlightBytesMax: 1e9, pingEveryMs: 100, pingTimeoutMs: 1000 },
    });
    const file = await diskOf(client).files.open(VOLUME, 'create');
    await file.write([patterned(READ_BYTES_MAX)], 0);
    proxy.hold('answers');
    const into = Buffer.alloc(READ_BYTES_MAX);
    const reads = Array.from({ length: 400 }, () => file.read(into, 0));
    const outcomes = await Promise.allSettled(reads);
    assert.ok(outcomes.some((outcome) => outcome.status === 'rejected' && isLost(outcome.reason)));
    const endMs = performance.now() + WAIT_MS_MAX;
    while (server.connectionCount > 1) {
      assert.ok(performance.now() < endMs, 'the filer still holds the connection');
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    await proxy.end();
  });
});

/** A network that, once told so, changes one bit of what the coordinator sends next. */
async function changing(server: FilerServer, random: SeededRandom): Promise<net.Server> {
  let isChanging = false;
  const middle = net.createServer((near) => {
    const far = net.connect(server.address.port, '127.0.0.1');
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    far.on('data', (chunk) => near.write(chunk));
    near.on('data', (chunk: Buffer) => {
      if (isChanging && chunk.length > 100) {
        const at = random.below(chunk.length);
        chunk.writeUInt8(chunk.readUInt8(at) ^ (1 << random.below(8)), at);
        isChanging = false;
      }
      far.write(chunk);
    });
  });
  middle.on('change', () => {
    isChanging = true;
  });
  await new Promise<void>((resolve) => {
    middle.listen(0, '127.0.0.1', resolve);
  });
  return middle;
}

describe('A store on a filer', () => {
  it('has every block that was acknowledged, wherever the connection was cut', async () => {
    const random = new SeededRandom(11);
    const { proxy, client } = await rig();
    const { files } = diskOf(client);
    const kept: Block[] = [];
    for (let round = 0; round < 12; round++) {
      const store = await untilReached(() => LocalVolumeStore.open({
        root: '', files, witness: [], clock: systemClock, onFinding: () => undefined,
        config: { volumeBytesMax: 200_000, reserveBytes: 0 },
      }));
      for (const { id, pieces } of kept) {
        const bytes = await untilReached(() => store.get(id));
        assert.ok(bytes.equals(Buffer.concat(pieces)), `round ${round}`);
      }
      proxy.cutAfterSent = 2000 + random.below(300_000);
      const puts = Array.from({ length: 60 }, async (_, at) => {
        const block = Block.of([random.bytes(1 + random.below(at % 9 === 0 ? 20_000 : 500))]);
        await store.put(block);
        kept.push(block);
      });
      await Promise.allSettled(puts);
      proxy.cutAfterSent = Number.POSITIVE_INFINITY;
      await store.close();
    }
    assert.ok(kept.length > 100, `${kept.length} blocks were kept`);
  });
});


/** A disk whose writes are not answered until somebody calls what is in `free`. */
function stuckDisk(): { files: SimulatedVolumeFiles; free: (() => void)[] } {
  const files = new SimulatedVolumeFiles(new SeededRandom(1));
  const open = files.open.bind(files);
  const free: (() => void)[] = [];
  files.open = async (name, how) => {
    const file = await open(name, how);
    const hang = (): Promise<void> => new Promise((resolve) => {
      free.push(resolve);
    });
    return { ...file, write: hang };
  };
  return { files, free };
}
