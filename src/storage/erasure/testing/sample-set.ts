/** Sets on simulated disks, one disk for each shard. */
import { SeededRandom } from '../../../platform/index.ts';
import { SeededRandom as DiskRandom } from '../../backends/local/testing/random.ts';
import { SimulatedVolumeFiles } from '../../backends/local/testing/simulated-volume-files.ts';
import { encodeErasureSet } from '../set-encoder.ts';
import type { EncodedSet, ErasureSetPlan } from '../set-encoder.ts';
import { parityName } from '../set-layout.ts';
import type { SetPlaces, ShardPlace } from '../shard-place.ts';

export const MIB = 1024 * 1024;

export interface SampleSet {
  readonly disks: readonly SimulatedVolumeFiles[];
  readonly names: readonly string[];
  readonly plan: ErasureSetPlan;
  readonly places: SetPlaces;
  /** What was stored: of data the volumes, of parity the whole files, once encoded. */
  readonly contents: Buffer[];
}

/** Volumes of these lengths and so many parity files; nothing is encoded yet. */
export function sampleSet(lengths: readonly number[], parity: number, seed = 1): SampleSet {
  const random = new SeededRandom(seed);
  const number = 7;
  const contents = lengths.map((length) => random.bytes(length));
  const names = [
    ...lengths.map((_, at) => `v${String(at + 1).padStart(8, '0')}.1.hv`),
    ...Array.from({ length: parity }, (_, at) => parityName(number, lengths.length + at)),
  ];
  const disks = names.map((_, at) => new SimulatedVolumeFiles(new DiskRandom(seed + at)));
  const places = names.map((name, at): ShardPlace => {
    return { files: disks[at] as SimulatedVolumeFiles, name };
  });
  for (const [at, content] of contents.entries()) {
    disks[at]?.setContent(names[at] as string, content);
  }
  const split = { data: places.slice(0, lengths.length), parity: places.slice(lengths.length) };
  const plan: ErasureSetPlan = {
    number, id: random.bytes(16), storeId: random.bytes(16), createdAt: 1_760_000_000_000,
    data: split.data.map((place, at) => ({ place, volume: at + 1, generation: 1 })),
    parity: split.parity,
  };
  return { disks, names, plan, places: split, contents };
}

export async function encodedSet(
  lengths: readonly number[], parity: number, seed = 1,
): Promise<SampleSet & { encoded: EncodedSet }> {
  const sample = sampleSet(lengths, parity, seed);
  const encoded = await encodeErasureSet(sample.plan);
  for (let shard = lengths.length; shard < sample.names.length; shard++) {
    sample.contents.push(Buffer.from(contentOf(sample, shard)));
  }
  return { ...sample, encoded };
}

export function contentOf({ disks, names }: SampleSet, shard: number): Buffer {
  return (disks[shard] as SimulatedVolumeFiles).content(names[shard] as string);
}

export function setContentOf({ disks, names }: SampleSet, shard: number, bytes: Buffer): void {
  disks[shard]?.setContent(names[shard] as string, bytes);
}

export function drop({ disks, names }: SampleSet, shard: number): void {
  disks[shard]?.drop(names[shard] as string);
}

/** One bit of the file is another. */
export function flip(sample: SampleSet, shard: number, position: number): void {
  const bytes = Buffer.from(contentOf(sample, shard));
  bytes[position] = (bytes[position] as number) ^ (1 << (position % 8));
  setContentOf(sample, shard, bytes);
}

export function openHandles({ disks }: SampleSet): number {
  return disks.reduce((sum, disk) => sum + disk.openHandles, 0);
}
