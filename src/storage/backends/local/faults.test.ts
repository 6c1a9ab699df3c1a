import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { crc32 } from './checksum.ts';
import { nextTurn } from './turn.ts';
import type { FaultPlan } from './testing/simulated-volume-files.ts';
import { StoreTrial, TINY_VOLUMES } from './testing/store-trial.ts';

function failing(what: string, code: string): FaultPlan {
  let left = 1;
  return (call) => {
    if (call.what !== what || left === 0) return undefined;
    left--;
    return code;
  };
}

async function opened(seed: number): Promise<StoreTrial> {
  const trial = new StoreTrial(seed);
  await trial.open();
  return trial;
}

function volumesOf(trial: StoreTrial): string[] {
  return trial.files.names().filter((name) => name.endsWith('.hv'));
}

/** Lets everything that is under way on the simulated disk finish. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 50; turns++) await nextTurn();
}

describe('LocalVolumeStore on a failing disk', () => {
  it('keeps its promises whichever call fails, once or for good', async () => {
    for (const forGood of [false, true]) {
      for (const code of ['EIO', 'ENOSPC']) {
        let reached = true;
        for (let number = 1; reached; number += 1) {
          reached = await failCall(number, code, forGood);
        }
      }
    }
  });

  async function failCall(failAt: number, code: string, forGood: boolean): Promise<boolean> {
    const trial = new StoreTrial(77);
    trial.files.plan = (call) =>
      call.number === failAt || (forGood && call.number > failAt) ? code : undefined;
    try {
      await trial.open();
      await trial.work(25);
      await trial.store.close();
    } catch (error) {
      assert.ok(error instanceof HoldfastError, `call ${failAt}: ${String(error)}`);
    }
    const reached = trial.files.calls >= failAt;
    trial.files.plan = () => undefined;
    trial.crash();
    await trial.open();
    await trial.checkPromises();
    assert.equal(trial.store.state().damagedCount, 0, `call ${failAt} ${code}`);
    await trial.work(3);
    await trial.store.close();
    assert.equal(trial.files.openHandles, 0, `call ${failAt}: a file was left open`);
    return reached;
  }

  it('never writes a volume again after a sync of it has failed', async () => {
    const trial = await opened(5);
    await trial.work(3);
    const [dead] = volumesOf(trial);
    let deadCalls = 0;
    const fail = failing('sync', 'EIO');
    trial.files.plan = (call) => {
      const code = fail(call);
      const rewritten = call.name === dead && ['write', 'sync'].includes(call.what);
      if (trial.findings.length > 0 && rewritten) deadCalls++;
      return code;
    };
    const block = trial.block(100);
    await trial.store.put(block);
    trial.acknowledged.add(block.id);
    await trial.work(10);
    assert.deepEqual(trial.findings.map(({ kind }) => kind), ['write-failed']);
    assert.equal(deadCalls, 0);
    const [durable] = trial.store.witness();
    assert.equal(trial.files.content(dead as string).length, durable?.[1], 'nothing was cut off');
    assert.ok(volumesOf(trial).length > 1);
    await trial.checkPromises();
    trial.crash();
    await trial.open();
    await trial.checkPromises();
  });

  it('stops taking blocks when no volume can be written, and says so', async () => {
    const trial = await opened(6);
    await trial.work(3);
    trial.files.plan = ({ what }) => (what === 'sync' ? 'EIO' : undefined);
    const internal = (error: unknown): boolean => isKind(error, 'internal');
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(async (sizeBytes) => {
      await assert.rejects(trial.store.put(trial.block(sizeBytes)), internal);
    }));
    assert.equal(trial.store.state().refusesWrites, 'failed');
    assert.equal(trial.store.state().queuedBytes, 0);
    assert.equal(trial.findings.at(-1)?.kind, 'writes-stopped');
    trial.files.plan = () => undefined;
    await assert.rejects(trial.store.put(trial.block(9)), internal);
    await trial.checkPromises();
  });

  it('tells an unreadable disk from a damaged and from an absent block', async () => {
    const trial = await opened(7);
    await trial.work(4);
    const [id] = [...trial.acknowledged];
    assert.ok(id);
    trial.files.plan = ({ what }) => (what === 'read' ? 'EIO' : undefined);
    await assert.rejects(trial.store.get(id), (error) => isKind(error, 'unavailable'));
    assert.equal(trial.findings.at(-1)?.kind, 'read-failed');
    assert.equal(trial.store.state().damagedCount, 0);
    trial.files.plan = failing('read', 'EIO');
    await trial.store.get(id);
    await trial.checkPromises();
  });

  it('stores a damaged block anew when it is put again, for good', async () => {
    const trial = await opened(8);
    const block = trial.block(500);
    await trial.tryPut(block);
    const [name] = volumesOf(trial);
    assert.ok(name);
    const bytes = Buffer.from(trial.files.content(name));
    bytes[4096 + 64 + 10] = (bytes[4096 + 64 + 10] as number) ^ 1;
    trial.files.setContent(name, bytes);
    const corrupt = (error: unknown): boolean => isKind(error, 'corrupt');
    await assert.rejects(trial.store.get(block.id), corrupt);
    await assert.rejects(trial.store.get(block.id), corrupt);
    assert.equal(await trial.store.find(block.id), undefined);
    assert.equal(trial.store.state().damagedCount, 1);
    await trial.store.put(block);
    assert.equal(trial.store.state().damagedCount, 0);
    await trial.checkPromises();
    await trial.work(80); // Enough to seal the volume.
    for (let starts = 0; starts < 2; starts++) {
      await trial.store.close();
      await trial.open();
      await trial.checkPromises();
    }
  });
});

describe('LocalVolumeStore with a block in two volumes', () => {
  it('gives out the newer copy after a restart', async () => {
    const trial = await opened(22);
    const block = trial.block(500);
    await trial.tryPut(block);
    trial.files.plan = failing('sync', 'EIO'); // The first volume stays without a footer.
    await trial.work(1);
    const first = volumesOf(trial)[0] as string;
    const bytes = Buffer.from(trial.files.content(first));
    bytes[4096 + 64 + 10] = (bytes[4096 + 64 + 10] as number) ^ 1;
    trial.files.setContent(first, bytes);
    await assert.rejects(trial.store.get(block.id), (error) => isKind(error, 'corrupt'));
    await trial.store.put(block);
    await trial.work(80); // Enough to seal the second volume.
    await trial.store.close();
    await trial.open();
    await trial.checkPromises();
  });
});

describe('LocalVolumeStore on a full disk', () => {
  it('refuses blocks at low water, reads on, and takes them again when there is room', async () => {
    const trial = new StoreTrial(9);
    trial.config = { ...TINY_VOLUMES, reserveBytes: 20_000 };
    trial.files.capacityBytes = 100_000;
    await trial.open();
    const sizes: number[] = [];
    let refused: unknown;
    while (refused === undefined && sizes.length < 200) {
      const block = trial.block(1000);
      await trial.store.put(block).then(
        () => trial.acknowledged.add(block.id),
        (error: unknown) => (refused = error),
      );
      sizes.push(1000);
    }
    assert.ok(isKind(refused, 'full'));
    assert.ok(sizes.length > 20);
    // The reserve is still there: nothing was written into it but a batch's own overhead.
    assert.ok((await trial.files.space()).freeBytes > 10_000);
    await assert.rejects(trial.store.put(trial.block(60_000)), (error) => isKind(error, 'full'));
    await trial.checkPromises();
    trial.files.capacityBytes = 200_000;
    trial.clock.advance(5000);
    await quiet();
    assert.equal(trial.store.state().refusesWrites, undefined);
    await trial.store.put(trial.block(1000));
    assert.deepEqual(trial.findings, []);
  });

  it('survives a disk that fills up behind its back', async () => {
    const trial = await opened(10);
    await trial.work(5);
    trial.files.capacityBytes -= (await trial.files.space()).freeBytes - 300;
    const full = (error: unknown): boolean => isKind(error, 'full');
    trial.clock.advance(0);
    await assert.rejects(trial.store.put(trial.block(5000)), full);
    assert.equal(trial.store.state().refusesWrites, 'full');
    await trial.checkPromises();
    trial.files.capacityBytes += 100_000;
    trial.clock.advance(1000);
    await quiet();
    await trial.work(5);
    assert.equal(trial.store.state().refusesWrites, undefined);
    await trial.checkPromises();
    trial.crash();
    await trial.open();
    await trial.checkPromises();
  });

  it('is busy when too much waits', async () => {
    const trial = new StoreTrial(11);
    trial.config = { ...TINY_VOLUMES, queueBytesMax: 2000 };
    await trial.open();
    const first = trial.store.put(trial.block(1500));
    await assert.rejects(trial.store.put(trial.block(501)), (error) => isKind(error, 'busy'));
    assert.equal(trial.store.state().queuedBytes, 1500);
    await first;
    await trial.store.put(trial.block(501));
  });
});

describe('LocalVolumeStore at opening', () => {
  it('refuses when a volume of the witness is missing, and touches nothing', async () => {
    const trial = await opened(12);
    await trial.work(60);
    trial.noteWitness(trial.store);
    await trial.store.close();
    const [first] = volumesOf(trial);
    assert.ok(first);
    trial.files.drop(first);
    const { calls } = trial.files;
    const touched: string[] = [];
    trial.files.plan = ({ what, number }) => {
      if (number > calls && !['folder', 'open', 'read'].includes(what)) touched.push(what);
      return undefined;
    };
    await assert.rejects(trial.open(), (error) => isKind(error, 'corrupt'));
    assert.deepEqual(touched, []);
  });

  it('reports a missing volume that only its successor knows of', async () => {
    const trial = await opened(13);
    await trial.work(60);
    await trial.store.close();
    trial.files.drop(volumesOf(trial)[0] as string);
    trial.witness = [];
    await trial.open();
    assert.deepEqual(trial.findings.map(({ kind }) => kind), ['volume-gap']);
    const lost: string[] = [];
    for (const id of trial.acknowledged) {
      await trial.store.get(id).catch((error: unknown) => {
        assert.ok(isKind(error, 'corrupt'));
        lost.push(id);
      });
    }
    assert.ok(lost.length > 0 && lost.length < trial.acknowledged.size);
  });

  it('refuses an empty folder when the witness knows of volumes', async () => {
    const trial = new StoreTrial(14);
    trial.witness = [[1, 5000]];
    await assert.rejects(trial.open(), (error) => isKind(error, 'corrupt'));
    assert.deepEqual(trial.files.names(), []);
  });

  it("refuses another store's volume, a renamed one, and one of a newer version", async () => {
    const [one, other] = [await opened(15), await opened(16)];
    await one.work(60);
    await other.work(60);
    await one.store.close();
    await other.store.close();
    const second = 'v00000002.1.hv';
    const own = Buffer.from(one.files.content(second));
    one.files.setContent(second, other.files.content(second));
    await assert.rejects(one.open(), (error) => isKind(error, 'invalid'));
    one.files.setContent(second, own);
    one.files.setContent('v00000099.1.hv', own);
    await assert.rejects(one.open(), (error) => isKind(error, 'corrupt'));
    one.files.drop('v00000099.1.hv');
    one.files.setContent(second, newerVersion(own));
    await assert.rejects(one.open(), /newer version/);
    one.files.setContent(second, own);
    await one.open();
    await one.checkPromises();
  });

  it('cleans up a volume whose making was cut short, and leaves strange files alone', async () => {
    const trial = await opened(17);
    await trial.work(3);
    await trial.store.close();
    trial.files.setContent('v00000002.1.hv.new', Buffer.from('half a superblock'));
    trial.files.setContent('notes.txt', Buffer.from('of the administrator'));
    await trial.open();
    assert.ok(!trial.files.names().includes('v00000002.1.hv.new'));
    assert.ok(trial.files.names().includes('notes.txt'));
    await trial.checkPromises();
  });

  it('needs no hint, and no witness, for what was closed in order', async () => {
    const trial = new StoreTrial(18);
    trial.config = { ...TINY_VOLUMES, pageBytes: 16_384 };
    await trial.open();
    await trial.work(100);
    await trial.store.close();
    for (const name of trial.files.names()) {
      if (name.endsWith('.hint')) trial.files.drop(name);
    }
    trial.witness = [];
    await trial.open();
    await trial.checkPromises();
    assert.deepEqual(trial.findings, []);
  });

  it('goes on when a hint cannot be read', async () => {
    const trial = await opened(19);
    await trial.work(20);
    await trial.store.close();
    assert.ok(trial.files.names().some((name) => name.endsWith('.hint')));
    trial.files.plan = ({ name, what }) =>
      name.endsWith('.hint') && what === 'read' ? 'EIO' : undefined;
    await trial.open();
    await trial.checkPromises();
  });

  it('calls no batch durable that it could not make so', async () => {
    for (let seed = 30; seed < 40; seed++) {
      const trial = await opened(seed);
      await trial.work(3);
      const name = volumesOf(trial).at(-1);
      trial.files.plan = ({ what }) => (what === 'sync' ? 'CRASH' : undefined);
      void trial.store.put(trial.block(400)).catch(() => undefined);
      await quiet();
      trial.kill();
      let opens = 0; // The first is for the look, the next for the scan, the third for writing.
      trial.files.plan = (call) =>
        call.what === 'open' && call.name === name && ++opens === 3 ? 'EIO' : undefined;
      await trial.open();
      assert.ok(trial.findings.some(({ kind }) => kind === 'write-failed'));
      await trial.work(2);
      trial.crash();
      trial.findings.length = 0;
      await trial.open();
      assert.equal(trial.store.state().damagedCount, 0, `seed ${seed}`);
      await trial.checkPromises();
    }
  });

  it('keeps few files open', async () => {
    const trial = await opened(21);
    await trial.work(200);
    await trial.checkPromises();
    await Promise.all([...trial.acknowledged].map((id) => trial.store.get(id)));
    await quiet();
    // Two for reading, as configured, one for writing, one hint.
    assert.ok(trial.files.openHandles <= 4, `${trial.files.openHandles} are open`);
  });
});

function newerVersion(volume: Buffer): Buffer {
  const bytes = Buffer.from(volume);
  bytes.writeUInt16LE(3, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 4092)), 4092);
  return bytes;
}
