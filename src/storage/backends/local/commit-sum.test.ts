// The sum of a batch's headers: what it finds, and that readers of before are none the wiser.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { ManualClock } from '../../../platform/index.ts';
import type { VolumeFinding } from './findings.ts';
import { LocalVolumeStore } from './local-volume-store.ts';
import {
  countCrc, HEADER_BYTES, isRecordHeader, readBlockHeader, readCommit, storedRecordBytes,
  SUPERBLOCK_BYTES, TYPE_COMMIT, TYPE_SEAL, type Commit,
} from './record-codec.ts';
import { placeGolden, readGolden, type GoldenVolumes } from './testing/golden-volumes.ts';
import { SeededRandom } from './testing/random.ts';
import { SimulatedVolumeFiles } from './testing/simulated-volume-files.ts';

const UNSEALED = 'v00000002.1.hv';

interface Batch {
  /** Where its records begin, and how long each is. */
  records: { at: number; lengthBytes: number }[];
  commit: Commit;
}

function batchesOf(bytes: Buffer): Batch[] {
  const batches: Batch[] = [];
  const seed = bytes.subarray(56, 88);
  let records: Batch['records'] = [];
  for (let at = SUPERBLOCK_BYTES; at < bytes.length;) {
    assert.ok(isRecordHeader(bytes, at), `a header at ${at}`);
    if (bytes[at + 4] === TYPE_SEAL) break;
    if (bytes[at + 4] === TYPE_COMMIT) {
      const commit = readCommit(bytes, at, seed, at);
      assert.ok(commit);
      batches.push({ records, commit });
      records = [];
      at += HEADER_BYTES;
      continue;
    }
    const lengthBytes = storedRecordBytes(readBlockHeader(bytes, at));
    records.push({ at, lengthBytes });
    at += lengthBytes;
  }
  return batches;
}

/** Opens the golden volumes with these bytes in the unsealed one, without any other proof. */
async function findingsAfter(
  golden: GoldenVolumes, bytes: Buffer,
): Promise<VolumeFinding['kind'][]> {
  const disk = new SimulatedVolumeFiles(new SeededRandom(1));
  placeGolden(disk, golden);
  disk.drop('v00000002.1.hint');
  disk.setContent(UNSEALED, bytes);
  const kinds: VolumeFinding['kind'][] = [];
  const store = await LocalVolumeStore.open({
    root: '/simulated', files: disk, config: { reserveBytes: 0 }, witness: golden.witness,
    clock: new ManualClock(0), onFinding: ({ kind }) => kinds.push(kind),
  });
  await store.close();
  return kinds;
}

function swapped(bytes: Buffer, one: { at: number; lengthBytes: number }, other: { at: number }) {
  const changed = Buffer.from(bytes);
  bytes.copy(changed, one.at, other.at, other.at + one.lengthBytes);
  bytes.copy(changed, other.at, one.at, one.at + one.lengthBytes);
  return changed;
}

describe('the sum of the headers in a commit record', () => {
  it('notices two records of a batch that have changed places', async () => {
    const golden = await readGolden('sums');
    const bytes = golden.files.get(UNSEALED) as Buffer;
    const batch = batchesOf(bytes).find(({ records: [, one, other] }) =>
      one !== undefined && one.lengthBytes === other?.lengthBytes);
    const [, one, other] = batch?.records ?? [];
    assert.ok(one && other);
    assert.deepEqual(await findingsAfter(golden, Buffer.from(bytes)), []);
    const kinds = await findingsAfter(golden, swapped(bytes, one, other));
    assert.ok(kinds.includes('damaged-range'), kinds.join());
  });

  it('is not needed to notice a record of another batch, in volumes of before too', async () => {
    for (const name of ['plain', 'sums']) {
      const golden = await readGolden(name);
      const bytes = golden.files.get(UNSEALED) as Buffer;
      const all = batchesOf(bytes).map(({ records }) => records);
      const pairs = all.flatMap((records, at) => records.flatMap((one) =>
        all.slice(at + 1).flat().filter(({ lengthBytes }) => lengthBytes === one.lengthBytes)
          .map((other) => [one, other] as const)));
      // Only in place of the earlier one: what is lost there is certain to be missed.
      const [pair] = pairs;
      if (name === 'sums') assert.ok(pair);
      if (pair === undefined) continue;
      const changed = Buffer.from(bytes);
      bytes.copy(changed, pair[0].at, pair[1].at, pair[1].at + pair[1].lengthBytes);
      const kinds = await findingsAfter(golden, changed);
      assert.ok(kinds.includes('damaged-range'), kinds.join());
    }
  });

  it('is there in what is written now, and absent from what was written before', async () => {
    const sumsIn = async (name: string): Promise<number[]> => {
      const { files } = await readGolden(name);
      return batchesOf(files.get(UNSEALED) as Buffer).map(({ commit }) => commit.headersSum);
    };
    assert.ok((await sumsIn('sums')).every((sum) => sum > 0));
    assert.ok((await sumsIn('plain')).every((sum) => sum === 0));
  });

  it('leaves what readers of before look at as it was', async () => {
    const { files } = await readGolden('sums');
    const bytes = files.get(UNSEALED) as Buffer;
    for (const { records, commit } of batchesOf(bytes)) {
      let headersCrc = 0;
      for (const { at } of records) {
        headersCrc = crc32(bytes.subarray(at, at + HEADER_BYTES), headersCrc);
      }
      assert.equal(commit.headersCrc, headersCrc);
      assert.equal(countCrc(records.length), headersCrc);
      assert.ok(commit.writtenMs > 1_700_000_000_000 && commit.writtenMs < 1_700_000_100_000);
    }
  });
});
