import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { SeededRandom } from '../backends/local/testing/random.ts';
import { SimulatedVolumeFiles } from '../backends/local/testing/simulated-volume-files.ts';
import { ErasureSet } from './erasure-set.ts';
import { encodeErasureSet } from './set-encoder.ts';
import type { ErasureSetPlan } from './set-encoder.ts';

const FOLDER = new URL('../../../test/fixtures/erasure-sets/plain/', import.meta.url);
/** Of the three volumes of the golden set. */
const LENGTHS = [9000, 5000, 1];
const PARITY = ['e00000012.3.hx', 'e00000012.4.hx'];

function volumeOf(number: number, lengthBytes: number): Buffer {
  return Buffer.alloc(lengthBytes, `golden volume ${number} of ${lengthBytes} bytes\n`);
}

const volumes = LENGTHS.map((length, at) => volumeOf(at + 1, length));

function goldenPlan(disk: SimulatedVolumeFiles): ErasureSetPlan {
  const data = volumes.map((bytes, at) => {
    const name = `v0000000${at + 1}.1.hv`;
    disk.setContent(name, bytes);
    return { place: { files: disk, name }, volume: at + 1, generation: 1 };
  });
  const parity = PARITY.map((name) => ({ files: disk, name }));
  const id = Buffer.from('golden set: id 1');
  const storeId = Buffer.from('golden set: host');
  return { number: 12, id, storeId, createdAt: 1_760_000_000_000, data, parity };
}

function emptyDisk(): SimulatedVolumeFiles {
  return new SimulatedVolumeFiles(new SeededRandom(1));
}

const golden = await Promise.all(PARITY.map((name) => readFile(new URL(name, FOLDER))));

async function opened(disk: SimulatedVolumeFiles): Promise<ErasureSet> {
  const { data, parity } = goldenPlan(disk);
  for (const [at, { name }] of parity.entries()) disk.setContent(name, golden[at] as Buffer);
  return ErasureSet.open({ data: data.map(({ place }) => place), parity });
}

describe('The golden erasure set of version 1', () => {
  it('is what is written today, bit for bit', async () => {
    const disk = emptyDisk();
    await encodeErasureSet(goldenPlan(disk));
    for (const [at, name] of PARITY.entries()) {
      assert.ok(disk.content(name).equals(golden[at] as Buffer), name);
    }
  });

  it('is read, with any two of its files gone', async () => {
    for (let first = 0; first < 5; first++) {
      for (let second = 0; second < first; second++) {
        if (second === 3) continue; // Both parity files: then nothing says what the set was.
        const disk = emptyDisk();
        const { data, parity } = goldenPlan(disk);
        for (const [at, { name }] of parity.entries()) disk.setContent(name, golden[at] as Buffer);
        const places = [...data.map(({ place }) => place), ...parity];
        for (const lost of [first, second]) disk.drop(places[lost]?.name as string);
        const set = await ErasureSet.open({ data: data.map(({ place }) => place), parity });
        for (const [at, bytes] of volumes.entries()) {
          assert.ok((await set.readChunk(at, 0)).equals(bytes));
        }
        assert.equal(set.facts.shards[1]?.volume, 2);
        await set.close();
      }
    }
  });

  // Method: one bit of each byte of a parity file and of the volumes, one after the other, with
  // one volume missing throughout.
  it('gives out no wrong byte, whichever bit is wrong', async () => {
    const disk = emptyDisk();
    await (await opened(disk)).close();
    const names = [PARITY[0] as string, 'v00000002.1.hv'];
    const { data, parity } = goldenPlan(disk);
    disk.drop('v00000001.1.hv');
    let refused = 0;
    for (const name of names) {
      const whole = Buffer.from(disk.content(name));
      for (let at = 0; at < whole.length; at += stepAt(whole, at)) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
        disk.setContent(name, bytes);
        try {
          const set = await ErasureSet.open({ data: data.map(({ place }) => place), parity });
          assert.ok((await set.readChunk(0, 0)).equals(volumes[0] as Buffer), `${name} ${at}`);
          await set.close();
        } catch (error) {
          assert.ok(error instanceof HoldfastError, String(error));
          refused++;
        }
      }
      disk.setContent(name, whole);
    }
    assert.equal(refused, 0);
    assert.equal(disk.openHandles, 0);
  });

  it('is refused or read when a parity file is cut anywhere', async () => {
    const disk = emptyDisk();
    await (await opened(disk)).close();
    const { data, parity } = goldenPlan(disk);
    disk.drop('v00000001.1.hv');
    const whole = golden[0] as Buffer;
    for (let length = 0; length < whole.length; length += 127) {
      disk.setContent(PARITY[0] as string, whole.subarray(0, length));
      const set = await ErasureSet.open({ data: data.map(({ place }) => place), parity });
      assert.ok((await set.readChunk(0, 0)).equals(volumes[0] as Buffer), `${length} bytes`);
      await set.close();
    }
    assert.equal(disk.openHandles, 0);
  });
});

/** Every byte of the structure, a sample of zeros and of content. */
function stepAt(bytes: Buffer, at: number): number {
  return at % 4096 < 124 || bytes[at] !== 0 && at > bytes.length - 16 ? 1 : 211;
}
