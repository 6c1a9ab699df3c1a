import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { SeededRandom } from '../../platform/index.ts';
import { ErasureSet } from './erasure-set.ts';
import { writeParityFacts } from './parity-file.ts';
import { CHUNK_BYTES, chunkCount } from './set-layout.ts';
import { proveErasureSet } from './set-proof.ts';
import { shardCopy } from './shard-copy.ts';
import type { ErasureFinding } from './shard-place.ts';
import {
  contentOf, drop, encodedSet, flip, MIB, openHandles, setContentOf,
} from './testing/sample-set.ts';
import type { SampleSet } from './testing/sample-set.ts';

/** Whole volume `shard`, read through the set. */
async function readVolume(set: ErasureSet, shard: number): Promise<Buffer> {
  return set.read(shard, 0, set.facts.shards[shard]?.lengthBytes ?? 0);
}

async function expectAllVolumes(sample: SampleSet, set: ErasureSet): Promise<void> {
  for (let shard = 0; shard < set.facts.shape.data; shard++) {
    const bytes = await readVolume(set, shard);
    assert.ok(bytes.equals(sample.contents[shard] as Buffer), `volume ${shard}`);
  }
}

function subsets(count: number, sizeMax: number): number[][] {
  const all: number[][] = [];
  for (let mask = 0; mask < 2 ** count; mask++) {
    const members = [...new Array(count).keys()].filter((at) => (mask >> at) & 1);
    if (members.length <= sizeMax) all.push(members);
  }
  return all;
}

/** Where the bytes of a shard begin in its file. */
function startOf(sample: SampleSet, shard: number): number {
  return shard < sample.places.data.length ? 0 : 8192;
}

describe('A set with missing shards', () => {
  for (const [lengths, parity] of [
    [[1, MIB + 5], 1], [[3000, 100, 2000, 1], 2], [[5000, 4096, 3000, 17, 1, 4999], 3],
  ] as const) {
    it(`of ${lengths.length} and ${parity} reads every volume for every loss`, async () => {
      const sample = await encodedSet(lengths, parity);
      const shards = lengths.length + parity;
      for (const missing of subsets(shards, parity)) {
        const kept = missing.map((shard) => contentOf(sample, shard));
        for (const shard of missing) drop(sample, shard);
        if (missing.length === parity && missing.every((shard) => shard >= lengths.length)) {
          await assert.rejects(ErasureSet.open(sample.places), (error) => {
            return isKind(error, 'unavailable');
          });
        } else {
          const set = await ErasureSet.open(sample.places);
          await expectAllVolumes(sample, set);
          await set.close();
        }
        for (const [at, shard] of missing.entries()) {
          setContentOf(sample, shard, kept[at] as Buffer);
        }
      }
      assert.equal(openHandles(sample), 0);
    });
  }

  it('gives the parity back too, byte for byte', async () => {
    const sample = await encodedSet([2 * MIB + 9, MIB, 77], 2);
    drop(sample, 3);
    const set = await ErasureSet.open(sample.places);
    const { lengthBytes } = set.facts.shards[3] as { lengthBytes: number };
    const parity = await set.read(3, 0, lengthBytes);
    const file = sample.contents[3] as Buffer;
    assert.ok(parity.equals(file.subarray(8192, 8192 + lengthBytes)));
    await set.close();
  });

  it('says unavailable, not gone, when one too many is missing', async () => {
    const sample = await encodedSet([5000, 4000], 1);
    drop(sample, 0);
    drop(sample, 1);
    const set = await ErasureSet.open(sample.places);
    await assert.rejects(set.readChunk(0, 0), (error) => isKind(error, 'unavailable'));
    await set.close();
    assert.equal(openHandles(sample), 0);
  });

  it('reads any range, across chunks and up to the end', async () => {
    const sample = await encodedSet([2 * MIB + 100, MIB], 1);
    drop(sample, 0);
    const set = await ErasureSet.open(sample.places);
    const content = sample.contents[0] as Buffer;
    for (const [position, length] of [
      [0, 10], [MIB - 3, 7], [5, 2 * MIB], [2 * MIB + 90, 500], [3 * MIB, 5], [MIB, 0],
    ] as const) {
      const bytes = await set.read(0, position, length);
      assert.ok(bytes.equals(content.subarray(position, position + length)), `at ${position}`);
    }
    await set.close();
  });

  it('serves a missing volume as one more copy of its file', async () => {
    const sample = await encodedSet([MIB + 100, 50], 1);
    drop(sample, 0);
    const set = await ErasureSet.open(sample.places);
    const damaged: number[] = [];
    const copy = shardCopy(set, 0, (position, length) => damaged.push(position, length));
    const into = Buffer.alloc(300);
    assert.equal(await copy.read(into, MIB - 100), 200);
    assert.ok(into.subarray(0, 200).equals((sample.contents[0] as Buffer).subarray(MIB - 100)));
    copy.reportDamage(7, 8);
    assert.deepEqual(damaged, [7, 8]);
    await set.close();
  });

  it('serves many readers at once', async () => {
    const sample = await encodedSet([3 * MIB, 3 * MIB, 3 * MIB], 2);
    drop(sample, 0);
    drop(sample, 2);
    const set = await ErasureSet.open(sample.places);
    const reads = Array.from({ length: 12 }, (_, at) => set.readChunk(at % 3, Math.floor(at / 4)));
    for (const [at, bytes] of (await Promise.all(reads)).entries()) {
      const from = Math.floor(at / 4) * MIB;
      assert.ok(bytes.equals((sample.contents[at % 3] as Buffer).subarray(from, from + MIB)));
    }
    await set.close();
  });

  it('stops for a signal', async () => {
    const sample = await encodedSet([10, 10], 1);
    const set = await ErasureSet.open(sample.places);
    const reason = new Error('enough');
    await assert.rejects(set.readChunk(0, 0, AbortSignal.abort(reason)), reason);
    await set.close();
  });
});

describe('A set with damaged shards', () => {
  it('finds the damage by its checksum and reads around it', async () => {
    const sample = await encodedSet([MIB + 500, 2 * MIB, 300], 2);
    flip(sample, 0, 17);
    flip(sample, 1, 17);
    flip(sample, 1, MIB + 4);
    flip(sample, 3, startOf(sample, 3) + MIB + 4);
    const findings: ErasureFinding[] = [];
    const onFinding = (finding: ErasureFinding): unknown => findings.push(finding);
    const set = await ErasureSet.open(sample.places, { onFinding });
    await expectAllVolumes(sample, set);
    await set.close();
    const seen = new Set(findings.map(({ kind, shard, chunk }) => `${kind} ${shard}.${chunk}`));
    const wanted = ['damaged 0.0', 'damaged 1.0', 'damaged 1.1', 'damaged 3.1'];
    assert.deepEqual([...seen].sort(), wanted);
  });

  // Method: random bits in random shards. As long as no row has more than m damaged chunks every
  // byte comes back; otherwise right bytes or an error, never others.
  it('never gives out wrong bytes, whatever is damaged', async () => {
    const random = new SeededRandom(11);
    let refused = 0;
    let survived = 0;
    for (let run = 0; run < 24; run++) {
      const lengths = [MIB + random.below(MIB), 1 + random.below(2 * MIB), 1 + random.below(MIB)];
      const sample = await encodedSet(lengths, 2, run);
      const damaged = Array.from({ length: 1 + random.below(5) }, () => {
        const shard = random.below(5);
        const length = shard < 3 ? lengths[shard] as number : Math.max(...lengths);
        const position = random.below(length);
        flip(sample, shard, startOf(sample, shard) + position);
        return { shard, chunk: Math.floor(position / CHUNK_BYTES) };
      });
      const set = await ErasureSet.open(sample.places);
      for (let shard = 0; shard < 3; shard++) {
        for (let chunk = 0; chunk < chunkCount(lengths[shard] as number); chunk++) {
          const inRow = damaged.filter((damage) => damage.chunk === chunk);
          const lost = new Set(inRow.map((damage) => damage.shard));
          try {
            const bytes = await set.readChunk(shard, chunk);
            const from = chunk * CHUNK_BYTES;
            const content = sample.contents[shard] as Buffer;
            assert.ok(bytes.equals(content.subarray(from, from + bytes.length)), `run ${run}`);
            if (lost.has(shard)) survived++;
          } catch (error) {
            assert.ok(isKind(error, 'corrupt'), String(error));
            assert.ok(lost.size > 2 && lost.has(shard), `run ${run}: refused without need`);
            refused++;
          }
        }
      }
      await set.close();
    }
    assert.ok(refused > 0 && survived > 10, `${refused} refused, ${survived} survived`);
  });

  it('takes a volume cut short for damaged where bytes are missing', async () => {
    const sample = await encodedSet([2 * MIB, MIB], 1);
    setContentOf(sample, 0, (sample.contents[0] as Buffer).subarray(0, MIB + 9));
    const set = await ErasureSet.open(sample.places);
    await expectAllVolumes(sample, set);
    await set.close();
  });

  it('takes another volume in the place of one for damaged', async () => {
    const sample = await encodedSet([5000, 4000], 1);
    setContentOf(sample, 0, Buffer.alloc(5000, 'other'));
    const set = await ErasureSet.open(sample.places);
    await expectAllVolumes(sample, set);
    await set.close();
  });

  it('takes a disk that cannot read for missing, and reports its code', async () => {
    const sample = await encodedSet([5000, 4000], 1);
    const [disk] = sample.disks;
    assert.ok(disk);
    disk.plan = ({ what }) => (what === 'read' ? 'EIO' : undefined);
    const findings: ErasureFinding[] = [];
    const set = await ErasureSet.open(sample.places, { onFinding: (one) => findings.push(one) });
    await expectAllVolumes(sample, set);
    await set.close();
    assert.deepEqual(findings, [{ kind: 'unreachable', shard: 0, chunk: 0, code: 'EIO' }]);
  });
});

describe('The parity files of a set', () => {
  it('speak for it as long as one of them is sound', async () => {
    const sample = await encodedSet([5000, 4000], 2);
    for (const position of [0, 100, 4096, 4200]) flip(sample, 2, position);
    const { length } = contentOf(sample, 2);
    for (const position of [length - 1, length - 8192]) flip(sample, 2, position);
    drop(sample, 0);
    const findings: ErasureFinding[] = [];
    const set = await ErasureSet.open(sample.places, { onFinding: (one) => findings.push(one) });
    await expectAllVolumes(sample, set);
    await set.close();
    assert.deepEqual(findings.map(({ kind, shard }) => [kind, shard]), [
      ['missing', 0], ['damaged', 2],
    ]);
  });

  it('have everything twice: any one bit may go', async () => {
    const sample = await encodedSet([500, 400], 1);
    const whole = contentOf(sample, 2);
    for (let at = 0; at < whole.length; at += at % 4096 < 160 ? 1 : 61) {
      setContentOf(sample, 2, whole);
      flip(sample, 2, at);
      const findings: ErasureFinding[] = [];
      const onFinding = (one: ErasureFinding): unknown => findings.push(one);
      const set = await ErasureSet.open(sample.places, { onFinding });
      await expectAllVolumes(sample, set);
      await set.close();
    }
  });

  it('that all have lost their headers are reported, and nothing is guessed', async () => {
    const sample = await encodedSet([500, 400], 1);
    const { length } = contentOf(sample, 2);
    flip(sample, 2, 20);
    flip(sample, 2, length - 4000);
    const opening = ErasureSet.open(sample.places);
    await assert.rejects(opening, (error) => isKind(error, 'corrupt'));
    assert.equal(openHandles(sample), 0);
  });

  it('of a newer version are refused', async () => {
    const sample = await encodedSet([500, 400], 1);
    const { crc32 } = await import('node:zlib');
    const bytes = Buffer.from(contentOf(sample, 2));
    for (const at of [0, bytes.length - 4096]) {
      bytes.writeUInt16LE(2, at + 8);
      bytes.writeUInt32LE(crc32(bytes.subarray(at, at + 4092)), at + 4092);
    }
    setContentOf(sample, 2, bytes);
    await assert.rejects(ErasureSet.open(sample.places), (error) => isKind(error, 'invalid'));
    assert.equal(openHandles(sample), 0);
  });

  it('of another store are refused', async () => {
    const sample = await encodedSet([500, 400], 1);
    const expect = { storeId: Buffer.alloc(16, 1) };
    const opening = ErasureSet.open(sample.places, { expect });
    await assert.rejects(opening, (error) => isKind(error, 'invalid'));
    const known = { storeId: sample.plan.storeId, number: 7 };
    await (await ErasureSet.open(sample.places, { expect: known })).close();
    assert.equal(openHandles(sample), 0);
  });

  it('in the place of another one do not count', async () => {
    const sample = await encodedSet([500, 400], 3);
    const kept = contentOf(sample, 2);
    setContentOf(sample, 2, contentOf(sample, 3));
    setContentOf(sample, 3, kept);
    drop(sample, 0);
    const findings: ErasureFinding[] = [];
    const set = await ErasureSet.open(sample.places, { onFinding: (one) => findings.push(one) });
    await expectAllVolumes(sample, set);
    await set.close();
    assert.deepEqual(findings.map(({ kind, shard }) => [kind, shard]), [
      ['missing', 0], ['foreign', 2], ['foreign', 3],
    ]);
  });

  it('of another set are outvoted, or refused when nobody can tell', async () => {
    const three = await encodedSet([500, 400], 3, 1);
    const other = await encodedSet([500, 400], 3, 2);
    setContentOf(three, 2, contentOf(other, 2));
    const findings: ErasureFinding[] = [];
    const set = await ErasureSet.open(three.places, { onFinding: (one) => findings.push(one) });
    drop(three, 0);
    await expectAllVolumes(three, set);
    await set.close();
    assert.deepEqual(findings, [{ kind: 'foreign', shard: 2 }]);
    const two = await encodedSet([500, 400], 2, 1);
    setContentOf(two, 2, contentOf(await encodedSet([500, 400], 2, 2), 2));
    await assert.rejects(ErasureSet.open(two.places), (error) => isKind(error, 'invalid'));
  });
});

describe('The proof of a set', () => {
  it('reads every byte and decodes every pattern', async () => {
    const sample = await encodedSet([3 * MIB, MIB, 2 * MIB, 5, 6, 7], 3);
    const proof = await proveErasureSet(sample.places, { samples: 2 });
    assert.deepEqual(proof, {
      sound: true, rows: 3, bytesRead: 6 * MIB + 18 + 9 * MIB, patterns: 84, rowsSampled: 2,
      undecodable: 0, findings: [],
    });
  });

  it('fails when the parity is not that of the data, though all checksums are right', async () => {
    const sample = await encodedSet([5000, 4000], 1);
    const { facts } = sample.encoded;
    const wrong = Buffer.alloc(5000, 1);
    const shards = facts.shards.map((shard, at) => {
      return at === 2 ? { ...shard, hashes: hash('sha256', wrong, 'buffer') } : shard;
    });
    const disk = sample.disks[2];
    assert.ok(disk);
    const file = await disk.open(sample.names[2] as string, 'write');
    await file.write([wrong], 8192);
    await writeParityFacts(file, { ...facts, shards }, 2);
    await file.close();
    const { sound, findings, undecodable } = await proveErasureSet(sample.places);
    assert.deepEqual([sound, findings.length, undecodable], [false, 0, 4]);
    drop(sample, 0);
    const set = await ErasureSet.open(sample.places);
    await assert.rejects(set.readChunk(0, 0), (error) => isKind(error, 'internal'));
    await set.close();
  });

  it('fails for any damaged shard', async () => {
    const sample = await encodedSet([MIB + 7, 300], 1);
    for (const shard of [0, 1, 2]) {
      const kept = contentOf(sample, shard);
      flip(sample, shard, startOf(sample, shard) + 299);
      const { sound, findings } = await proveErasureSet(sample.places);
      assert.equal(sound, false);
      assert.deepEqual(findings, [{ kind: 'damaged', shard, chunk: 0 }]);
      setContentOf(sample, shard, kept);
    }
    assert.equal((await proveErasureSet(sample.places)).sound, true);
    assert.equal(openHandles(sample), 0);
  });
});
