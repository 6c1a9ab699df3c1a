import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { Block } from '../../block.ts';
import { writeBlockHeader, writeCommit } from './record-codec.ts';
import { crc32 } from './checksum.ts';
import { StoreTrial, TINY_VOLUMES } from './testing/store-trial.ts';

const FIRST = 'v00000001.1.hv';
const RECORDS_AT = 4096;

async function opened(seed: number, config = {}): Promise<StoreTrial> {
  const trial = new StoreTrial(seed);
  trial.config = { ...TINY_VOLUMES, pageBytes: 8, hintEveryBlocks: 1e6, ...config };
  await trial.open();
  return trial;
}

describe('LocalVolumeStore lays out volumes so that', () => {
  it('a block that is put twice at once lies there once', async () => {
    const trial = await opened(1);
    const block = trial.block(8);
    await Promise.all([trial.store.put(block), trial.store.put(block)]);
    await trial.store.put(block);
    // One record of 64 + 8 bytes and one commit record of 64.
    assert.deepEqual(trial.store.witness(), [[1, RECORDS_AT + 72 + 64]]);
  });

  it('puts that come together share one commit and one sync', async () => {
    const trial = await opened(2);
    await trial.store.put(trial.block(8));
    let syncs = 0;
    trial.files.plan = ({ what }) => {
      if (what === 'sync') syncs++;
      return undefined;
    };
    await Promise.all([8, 8, 8, 8, 8, 8].map((size) => trial.store.put(trial.block(size))));
    assert.equal(syncs, 1);
    assert.deepEqual(trial.store.witness(), [[1, RECORDS_AT + 7 * 72 + 2 * 64]]);
  });

  it('no volume grows beyond its limit, in bytes or in blocks', async () => {
    const trial = await opened(3);
    for (let count = 0; count < 12; count++) await trial.store.put(trial.block(7000));
    for (let count = 0; count < 90; count++) await trial.store.put(trial.block(5));
    const ends = trial.store.witness();
    assert.ok(ends.length >= 5);
    for (const [, end] of ends) assert.ok(end <= 32 * 1024, `${end} bytes`);
  });

  it('a record in the place of another is not taken for it', async () => {
    const trial = await opened(4);
    const [one, two] = [trial.block(40), trial.block(40)];
    await Promise.all([trial.store.put(one), trial.store.put(two)]);
    const bytes = Buffer.from(trial.files.content(FIRST));
    const first = bytes.subarray(RECORDS_AT, RECORDS_AT + 104);
    const second = Buffer.from(bytes.subarray(RECORDS_AT + 104, RECORDS_AT + 208));
    first.copy(bytes, RECORDS_AT + 104);
    second.copy(bytes, RECORDS_AT);
    trial.files.setContent(FIRST, bytes);
    const corrupt = (error: unknown): boolean => isKind(error, 'corrupt');
    await assert.rejects(trial.store.get(one.id), corrupt);
    await assert.rejects(trial.store.get(two.id), corrupt);
  });

  it('a hint that knows more than its volume is proof of damage', async () => {
    const trial = await opened(5);
    for (let count = 0; count < 6; count++) await trial.tryPut(trial.block(50));
    await trial.store.close();
    trial.files.setContent(FIRST, trial.files.content(FIRST).subarray(0, RECORDS_AT + 400));
    trial.witness = [];
    await trial.open();
    assert.deepEqual(trial.findings.map(({ kind }) => kind), ['damaged-range']);
    assert.ok(trial.store.state().damagedCount > 0);
    await trial.store.put(trial.block(60));
    assert.ok(trial.files.names().includes('v00000002.1.hv'), 'the damaged volume was written');
  });
});

describe('LocalVolumeStore while not everybody can say what was acknowledged', () => {
  it('cuts nothing off, and opens where nothing has to be', async () => {
    const trial = await opened(8);
    for (let count = 0; count < 3; count++) await trial.tryPut(trial.block(40));
    trial.kill();
    trial.isWitnessWhole = false;
    await trial.open();
    await trial.checkPromises();
    trial.files.plan = ({ what }) => (what === 'sync' ? 'CRASH' : undefined);
    await trial.settle(trial.store.put(trial.block(50)));
    const torn = Buffer.from(trial.files.content(FIRST)).subarray(0, -3);
    trial.crash();
    trial.files.setContent(FIRST, torn);
    await assert.rejects(trial.open(), (error) => (
      error instanceof HoldfastError && error.code === 'marks-away'));
    assert.ok(trial.files.content(FIRST).equals(torn), 'something was cut off');
    trial.isWitnessWhole = true;
    await trial.open();
    assert.deepEqual(trial.findings.map(({ kind }) => kind), ['torn-tail']);
    await trial.checkPromises();
  });

  it('looks for what they say is there, once they can', async () => {
    const trial = await opened(9);
    await trial.store.put(trial.block(40));
    const [[volumeId, end] = [0, 0]] = trial.store.witness();
    await trial.store.checkMarks([[volumeId, end]]);
    const corrupt = (error: unknown): boolean => isKind(error, 'corrupt');
    await assert.rejects(trial.store.checkMarks([[volumeId, end + 1_000_000]]), corrupt);
    await assert.rejects(trial.store.checkMarks([[volumeId + 1, 1]]), corrupt);
  });
});

describe('LocalVolumeStore does not believe what a user has written', () => {
  /** A torn batch with a block whose header did not reach the disk and whose bytes did. */
  async function tornWith(trial: StoreTrial, forged: (recordAt: number) => Buffer): Promise<void> {
    for (let count = 0; count < 3; count++) await trial.tryPut(trial.block(40));
    const recordAt = trial.store.witness()[0]?.[1] as number;
    const block = Block.of([forged(recordAt)]);
    trial.files.plan = ({ what }) => (what === 'sync' ? 'CRASH' : undefined);
    await trial.settle(trial.store.put(block));
    const bytes = Buffer.from(trial.files.content(FIRST));
    trial.crash();
    bytes[recordAt] = 0;
    trial.files.setContent(FIRST, bytes);
  }

  it('when it looks like the commit record of a later batch', async () => {
    const trial = await opened(6);
    await tornWith(trial, (recordAt) => {
      const forged = Buffer.alloc(200, 'f');
      const batchStart = recordAt + 64 + 8;
      writeCommit(forged, 72, Buffer.alloc(32, 'guess'), {
        batch: 99, batchStart, batchBytes: 64, recordCount: 1, headersCrc: 0, headersSum: 0,
        writtenMs: 0, previousChain: Buffer.alloc(8),
      });
      return forged;
    });
    await trial.open();
    assert.deepEqual(trial.findings.map(({ kind }) => kind), ['torn-tail']);
    await trial.checkPromises();
  });

  it("when it looks like a record with another user's block id", async () => {
    const trial = await opened(7);
    const victim = Block.of([Buffer.from('what the other user has')]);
    const poison = Buffer.from('what the attacker wants');
    const forged = Buffer.alloc(200);
    const payloadCrc = crc32(poison);
    writeBlockHeader(forged, 64, victim.id, { sizeBytes: poison.length, payloadCrc, batch: 2 });
    poison.copy(forged, 128);
    await trial.store.put(trial.block(30));
    const outerAt = trial.store.witness()[0]?.[1] as number;
    await trial.store.put(Block.of([forged]));
    await trial.store.put(trial.block(30));
    const bytes = Buffer.from(trial.files.content(FIRST));
    bytes[outerAt + 20] = (bytes[outerAt + 20] as number) ^ 1;
    trial.crash();
    trial.files.setContent(FIRST, bytes);
    await trial.open();
    assert.equal(trial.store.state().blockCount, 2);
    assert.equal(trial.store.state().damagedCount, 1);
    assert.equal(await trial.store.find(victim.id), undefined);
  });
});
