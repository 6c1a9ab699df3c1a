import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { ManualClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { testBlockReclaim } from '../../block-reclaim.conformance.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import { KeyRing } from '../../sealing/key-ring.ts';
import { prose } from '../../sealing/testing/prose.ts';
import { crc32 } from './checksum.ts';
import { LocalVolumeStore } from './local-volume-store.ts';
import { writeBlockHeader } from './record-codec.ts';
import { StoreTrial, TINY_VOLUMES } from './testing/store-trial.ts';
import type { FileCopy } from './volume-files.ts';

const base = await mkdtemp(join(tmpdir(), 'holdfast-packed-'));
after(() => rm(base, { recursive: true }));
let count = 0;

const MASTER = randomBytes(32);
const RING = KeyRing.create(MASTER, 'default', 1000);
const ROTATED = RING.withNewDataKey('default', 2000);
const SHREDDED = RING.withoutTenant('default', 3000);
const REBORN = SHREDDED.withNewDataKey('default', 4000);
const STRANGER = KeyRing.create(MASTER, 'default', 1000);
const RECORDS_AT = 4096;
const FIRST = 'v00000001.1.hv';

/** Only encrypts, so nothing waits for a thread and a simulated disk stays deterministic. */
function encrypting(keys: KeyRing): BlockSealer {
  return new BlockSealer({ compression: 'off', keys });
}

function sealersOf(): { name: string; make: () => BlockSealer }[] {
  return [
    { name: 'zstd', make: () => new BlockSealer({ compression: 'auto' }) },
    { name: 'AES', make: () => encrypting(RING) },
    { name: 'zstd and AES', make: () => new BlockSealer({ compression: 'auto', keys: RING }) },
  ];
}

for (const { name, make } of sealersOf()) {
  for (const recentBytesMax of [0, 8 * 1024 ** 2]) {
    const makeEmpty = (): Promise<LocalVolumeStore> => LocalVolumeStore.open({
      root: join(base, String(count++), 'volumes'), witness: [], sealer: make(),
      config: { recentBytesMax }, clock: new ManualClock(1_700_000_000_000),
      onFinding: () => undefined,
    });
    const title = `LocalVolumeStore with ${name}, ${recentBytesMax} bytes of recent blocks,`;
    testBlockStore(title, makeEmpty);
    if (recentBytesMax > 0) continue;
    testBlockReclaim(title, async () => {
      const store = await makeEmpty();
      return { store, reclaim: store.reclaim };
    });
  }
}

/** Where nothing is damaged nothing may be found. */
function noFinding({ kind }: { kind: string }): void {
  assert.fail(kind);
}

async function opened(seed: number, sealer: BlockSealer | undefined): Promise<StoreTrial> {
  const trial = new StoreTrial(seed);
  trial.sealer = sealer;
  await trial.open();
  return trial;
}

async function reopened(trial: StoreTrial, sealer: BlockSealer | undefined): Promise<void> {
  trial.noteWitness(trial.store);
  await trial.store.close();
  trial.sealer = sealer;
  await trial.open();
}

function refusal(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HoldfastError && error.code === code;
}

describe('LocalVolumeStore with encryption', () => {
  it('has everything that was acknowledged, wherever the power was cut', async () => {
    for (let seed = 1; seed < 30; seed++) {
      const trial = await opened(seed, encrypting(RING));
      for (let round = 0; round < 3; round++) {
        const crashAt = trial.files.calls + 1 + trial.random.below(100);
        trial.files.plan = ({ number }) => (number >= crashAt ? 'CRASH' : undefined);
        await trial.work(5 + trial.random.below(40));
        trial.crash();
        await trial.open();
        await assert.doesNotReject(trial.checkPromises(), `seed ${seed}`);
        const harmless = trial.findings.every(({ kind }) => !kind.startsWith('damaged'));
        assert.ok(harmless, `seed ${seed}: a crash was taken for decay`);
      }
    }
  });

  it('needs no key to tell a torn tail from damage', async () => {
    for (const keys of [undefined, STRANGER, SHREDDED]) {
      const trial = await opened(7, encrypting(RING));
      trial.config = { ...TINY_VOLUMES, hintEveryBlocks: 1e6 };
      await trial.work(30);
      const { blockCount } = trial.store.state();
      await trial.store.close();
      for (const name of trial.files.names()) if (name.endsWith('.hint')) trial.files.drop(name);
      trial.sealer = keys === undefined ? undefined : encrypting(keys);
      await trial.open();
      assert.equal(trial.store.state().blockCount, blockCount);
      assert.deepEqual(trial.findings, []);
    }
  });

  it('writes nothing of a block in clear, not even beside it', async () => {
    const trial = await opened(8, encrypting(RING));
    await trial.store.put(Block.of([Buffer.from('a secret of a user'.repeat(40))]));
    await trial.store.close();
    for (const name of trial.files.names()) {
      assert.equal(trial.files.content(name).includes('secret'), false);
    }
  });

  it('reads what older keys encrypted, and writes with the newest', async () => {
    const trial = await opened(9, encrypting(RING));
    await trial.work(20);
    await reopened(trial, encrypting(ROTATED));
    const block = trial.block(50);
    await trial.store.put(block);
    await trial.checkPromises();
    await reopened(trial, encrypting(ROTATED.withMasterKey(randomBytes(32))));
    await trial.checkPromises();
    await reopened(trial, encrypting(RING));
    await assert.rejects(trial.store.get(block.id), refusal('key-missing'));
  });

  it('is unavailable, not damaged, while the key is missing, and whole again after', async () => {
    const trial = await opened(10, encrypting(RING));
    await trial.work(40);
    for (const sealer of [undefined, encrypting(STRANGER)]) {
      await reopened(trial, sealer);
      for (const id of trial.acknowledged) {
        await assert.rejects(trial.store.get(id), (error) =>
          isKind(error, 'unavailable') && error.code === 'key-missing');
        assert.ok(await trial.store.find(id), 'it is there, only not to be read now');
      }
      assert.equal(trial.store.state().damagedCount, 0);
    }
    await reopened(trial, encrypting(RING));
    await trial.checkPromises();
    assert.deepEqual(trial.findings, []);
  });

  it('stores a block again that is put while its old key is lost', async () => {
    const trial = await opened(11, encrypting(RING));
    const block = trial.block(400);
    await trial.store.put(block);
    for (const sealer of [encrypting(STRANGER), undefined]) {
      const other = await opened(12, encrypting(RING));
      await other.store.put(block);
      await reopened(other, sealer);
      await other.store.put(block);
      assert.ok((await other.store.get(block.id)).equals(Buffer.concat(block.pieces)));
      await reopened(other, sealer);
      assert.ok((await other.store.get(block.id)).equals(Buffer.concat(block.pieces)));
    }
  });

  it('says of a shredded block that it was destroyed on purpose, and alarms nobody', async () => {
    const trial = await opened(13, encrypting(RING));
    await trial.work(40);
    const before = trial.files.names().map((name) => trial.files.content(name));
    await reopened(trial, encrypting(SHREDDED));
    for (const id of trial.acknowledged) {
      await assert.rejects(trial.store.get(id), (error) =>
        isKind(error, 'not-found') && error.code === 'shredded');
      await assert.rejects(trial.store.read(id, 0, 1), refusal('shredded'));
      assert.equal(await trial.store.find(id), undefined);
    }
    assert.equal(trial.store.state().damagedCount, 0);
    assert.deepEqual(trial.findings, []);
    assert.ok(before.length > 2);
    const [id] = trial.acknowledged;
    assert.ok(id);
    const again = Block.of([trial.put.get(id) as Buffer]);
    await assert.rejects(trial.store.put(again), refusal('tenant-shredded'));
    await reopened(trial, encrypting(REBORN));
    await trial.store.put(again);
    for (const starts of [1, 2]) {
      assert.ok((await trial.store.get(id)).equals(trial.put.get(id) as Buffer), `${starts}`);
      assert.ok(await trial.store.find(id));
      await reopened(trial, encrypting(REBORN));
    }
  });

  it('compacts volumes with shredded blocks, which say so in their new place too', async () => {
    const trial = await opened(14, encrypting(RING));
    await trial.work(60);
    const old = [...trial.acknowledged];
    await reopened(trial, encrypting(REBORN));
    trial.acknowledged.clear();
    await trial.work(60);
    const uses = await Array.fromAsync(trial.store.keeper.listUses());
    assert.ok(uses.length > 2);
    for (const { volumeId } of uses) {
      await trial.store.keeper.compact(volumeId);
      await trial.store.keeper.moveToTrash(volumeId);
    }
    const trashed = uses.map(({ volumeId }) => volumeId);
    const inspection = await trial.store.keeper.inspectTrash(trashed);
    inspection.need(old);
    for (const result of await inspection.finish()) {
      assert.equal(result.elsewhereCount, result.recordCount);
    }
    for (const volumeId of trashed) await trial.store.keeper.unlink(volumeId);
    for (const starts of [1, 2]) {
      for (const id of trial.acknowledged) {
        assert.ok((await trial.store.get(id)).equals(trial.put.get(id) as Buffer), `${starts}`);
      }
      for (const id of old) await assert.rejects(trial.store.get(id), refusal('shredded'));
      await reopened(trial, encrypting(REBORN));
    }
    assert.deepEqual(trial.findings, []);
  });

  it('stops a compaction when a key is missing, and loses nothing', async () => {
    const trial = await opened(15, encrypting(RING));
    await trial.work(60);
    await reopened(trial, encrypting(STRANGER));
    const [use] = await Array.fromAsync(trial.store.keeper.listUses());
    assert.ok(use);
    await assert.rejects(trial.store.keeper.compact(use.volumeId), refusal('key-missing'));
    await reopened(trial, encrypting(RING));
    await trial.checkPromises();
  });
});

describe('LocalVolumeStore with packed blocks', () => {
  it('never puts them into a volume that does not announce them', async () => {
    const trial = await opened(20, undefined);
    const plain = trial.block(500);
    await trial.store.put(plain);
    const before = Buffer.from(trial.files.content(FIRST));
    await reopened(trial, encrypting(RING));
    const secret = trial.block(500);
    await trial.store.put(secret);
    const first = trial.files.content(FIRST);
    const second = trial.files.content('v00000002.1.hv');
    assert.equal(first.readUInt16LE(8), 1);
    assert.equal(second.readUInt16LE(8), 2);
    assert.equal(second[RECORDS_AT + 6], 1);
    const end = trial.witness[0]?.[1] as number;
    assert.ok(first.subarray(0, end).equals(before.subarray(0, end)));
    for (const block of [plain, secret]) assert.ok(await trial.store.get(block.id));
    await reopened(trial, undefined);
    const later = trial.block(500);
    await trial.store.put(later);
    assert.ok((await trial.store.get(later.id)).equals(Buffer.concat(later.pieces)));
    assert.deepEqual(trial.findings, []);
  });

  it('does not believe an encrypted record that a user has written into his block', async () => {
    // It cannot be hashed, for nobody has its key: it must not displace the block it names.
    const trial = await opened(23, new BlockSealer({ compression: 'auto' }));
    const victim = trial.block(40);
    await trial.store.put(victim);
    const forged = Buffer.alloc(200);
    const payload = Buffer.from('what the attacker wants, and a tag of his');
    const payloadCrc = crc32(payload);
    const packed = { codec: 0, encryption: 1, keyId: 77, payloadBytes: payload.length };
    writeBlockHeader(forged, 64, victim.id, { sizeBytes: 40, payloadCrc, batch: 2, packed });
    payload.copy(forged, 128);
    const outerAt = trial.store.witness()[0]?.[1] as number;
    await trial.store.put(Block.of([forged]));
    await trial.store.put(trial.block(30));
    trial.crash();
    const bytes = Buffer.from(trial.files.content(FIRST));
    bytes[outerAt + 20] = (bytes[outerAt + 20] as number) ^ 1;
    trial.files.setContent(FIRST, bytes);
    for (const sealer of [trial.sealer, undefined, encrypting(SHREDDED)]) {
      trial.sealer = sealer;
      trial.files = trial.files.kill();
      await trial.open();
      assert.ok((await trial.store.get(victim.id)).equals(Buffer.concat(victim.pieces)));
      assert.equal(trial.store.state().damagedCount, 1);
    }
  });

  it('takes a packed block from another copy of its volume, and tells which is bad', async () => {
    const trial = await opened(24, encrypting(RING));
    const blocks = [300, 9000].map((sizeBytes) => trial.block(sizeBytes));
    for (const block of blocks) await trial.store.put(block);
    await trial.store.close();
    const sound = Buffer.from(trial.files.content(FIRST));
    const rotten = Buffer.from(sound);
    const lastAt = sound.lastIndexOf('HFR1', sound.length - 65, 'latin1');
    for (const at of [RECORDS_AT + 100, lastAt - 100]) rotten[at] = (rotten[at] as number) ^ 4;
    const reported: [number, number][] = [];
    const copyOf = (bytes: Buffer): FileCopy => ({
      read: (into, position) => Promise.resolve(bytes.copy(into, 0, position)),
      reportDamage: (position, lengthBytes) => reported.push([position, lengthBytes]),
    });
    const open = trial.files.open.bind(trial.files);
    await trial.open();
    trial.files.setContent(FIRST, rotten);
    trial.files.open = async (name, how) =>
      Object.assign(await open(name, how), { copies: [copyOf(rotten), copyOf(sound)] });
    for (const { id, pieces } of blocks) {
      assert.ok((await trial.store.get(id)).equals(Buffer.concat(pieces)));
    }
    // At least the records; a little more does no harm.
    assert.equal(reported.length, 2);
    for (const [at, [position, lengthBytes]] of reported.entries()) {
      const payloadBytes = sound.readUInt32LE(position + 8);
      assert.ok(lengthBytes >= 64 + payloadBytes, `record ${at}`);
    }
    assert.equal(trial.store.state().damagedCount, 0);
  });

  it('reads compressed blocks after compression was switched off', async () => {
    const root = join(base, String(count++), 'volumes');
    const blocks = [4096, 70_000, 2_000_000].map((size, at) => Block.of([prose(size, at)]));
    const open = (sealer: BlockSealer | undefined) => LocalVolumeStore.open({
      root, witness: [], sealer, clock: new ManualClock(0), onFinding: noFinding,
      config: { recentBytesMax: 0 },
    });
    let store = await open(new BlockSealer({ compression: 'auto' }));
    await Promise.all(blocks.map((block) => store.put(block)));
    const [[, end] = [0, 0]] = store.witness();
    assert.ok(end < 1_000_000, `${end} bytes for 2 MB of text`);
    await store.close();
    store = await open(undefined);
    for (const { id, pieces, sizeBytes } of blocks) {
      const bytes = Buffer.concat(pieces);
      assert.ok((await store.get(id)).equals(bytes));
      assert.ok((await store.read(id, sizeBytes - 9, 9)).equals(bytes.subarray(-9)));
    }
    await store.close();
  });

  it('reads and unpacks a block once for all the parts that are asked of it', async () => {
    const trial = await opened(21, new BlockSealer({ compression: 'auto', keys: RING }));
    const bytes = prose(1_000_000);
    const block = Block.of([bytes]);
    await trial.store.put(block);
    let reads = 0;
    trial.files.plan = ({ what }) => {
      if (what === 'read') reads++;
      return undefined;
    };
    const part = async (at: number): Promise<void> => {
      const read = await trial.store.read(block.id, at, 125_000);
      assert.ok(read.equals(bytes.subarray(at, at + 125_000)));
    };
    await Promise.all([part(0), part(125_000)]);
    for (let at = 250_000; at < 1_000_000; at += 125_000) await part(at);
    assert.ok(reads <= 2, `${reads} reads`);
  });

  it('reads parts of a block that has moved from a plain record to a packed one', async () => {
    const trial = await opened(22, undefined);
    const bytes = prose(600_000);
    const block = Block.of([bytes]);
    await trial.store.put(block);
    await trial.work(60);
    await reopened(trial, encrypting(RING));
    const read = (): Promise<Buffer> => trial.store.read(block.id, 300_000, 10);
    assert.ok((await read()).equals(bytes.subarray(300_000, 300_010)));
    const [use] = await Array.fromAsync(trial.store.keeper.listUses());
    assert.ok(use);
    trial.config = TINY_VOLUMES;
    await trial.store.keeper.compact(use.volumeId);
    await trial.store.keeper.moveToTrash(use.volumeId);
    await trial.store.keeper.unlink(use.volumeId);
    assert.ok((await read()).equals(bytes.subarray(300_000, 300_010)));
    assert.deepEqual(trial.findings, []);
  });

  it('does not close while a block is being compressed, and has it after', async () => {
    const root = join(base, String(count++), 'volumes');
    const open = () => LocalVolumeStore.open({
      root, witness: [], sealer: new BlockSealer({ compression: 'auto' }),
      clock: new ManualClock(0), onFinding: noFinding,
    });
    const blocks = Array.from({ length: 9 }, (_, at) => Block.of([prose(900_000, at * 1000)]));
    const store = await open();
    const puts = blocks.map((block) => store.put(block));
    assert.equal(store.state().queuedBytes, 9 * 900_000);
    await store.close();
    assert.equal(store.state().queuedBytes, 0);
    await Promise.all(puts);
    const again = await open();
    for (const { id } of blocks) assert.ok(await again.get(id));
    await again.close();
  });

  it('refuses more than it may hold in memory, also while it is being compressed', async () => {
    const root = join(base, String(count++), 'volumes');
    const store = await LocalVolumeStore.open({
      root, witness: [], sealer: new BlockSealer({ compression: 'auto' }),
      clock: new ManualClock(0), onFinding: noFinding, config: { queueBytesMax: 2_000_000 },
    });
    const blocks = Array.from({ length: 3 }, (_, at) => Block.of([prose(900_000, at * 1000)]));
    const results = await Promise.allSettled(blocks.map((block) => store.put(block)));
    const refused = results.filter((one) => one.status === 'rejected');
    assert.equal(refused.length, 1);
    assert.ok(isKind(refused[0]?.reason, 'busy'));
    await store.close();
  });
});
