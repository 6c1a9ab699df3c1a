import type { BlockId } from '../../../base/ids.ts';
import { bucketOf, readFanout, type BucketPlace, type Trailer } from './footer-codec.ts';
import { explained } from './inspection.ts';
import { nextTurn } from './turn.ts';
import type { Volume } from './volume.ts';
import { ENTRY_BYTES, type VolumeEntries } from './volume-entries.ts';
import type { VolumeFile } from './volume-files.ts';
import type { VolumeReader } from './volume-reader.ts';

/**
 * All ids in ascending order, strictly after `after`. The index does not keep whole ids, so they
 * come from the volumes' own lists, one 256th of all at a time: those that begin with one byte.
 */
export async function* listBlocks(
  reader: VolumeReader,
  volumes: readonly Volume[],
  after: BlockId | undefined,
): AsyncGenerator<BlockId> {
  const begin = after === undefined ? 0 : Number.parseInt(after.slice(0, 2), 16);
  const fanouts = new Map<number, Buffer>();
  // An open volume is listed as it is now, even if it is sealed meanwhile.
  const open = volumes.flatMap(({ entries }) =>
    entries === undefined ? [] : [{ entries, ...entries.groupByFirstByte() }],
  );
  const sealed = volumes.filter(({ entries }) => entries === undefined);
  for (let first = begin; first < 256; first++) {
    const ids: string[] = [];
    for (const group of open) collectOpen(group, first, ids);
    for (const volume of sealed) {
      await explained(volume.id, () => collectSealed({ reader, volume, fanouts }, first, ids));
    }
    ids.sort();
    let last: string | undefined = after;
    for (const id of ids) {
      // A block that was stored again after damage lies in two volumes.
      if (last !== undefined && id <= last) continue;
      last = id;
      yield id as BlockId;
    }
    if (ids.length > 0) await nextTurn();
  }
}

interface OpenSource {
  entries: VolumeEntries;
  order: Uint32Array;
  ends: Uint32Array;
}

function collectOpen({ entries, order, ends }: OpenSource, first: number, ids: string[]): void {
  for (const number of order.subarray(first === 0 ? 0 : ends[first - 1], ends[first])) {
    const { bytes, at } = entries.at(number);
    ids.push(bytes.toString('hex', at, at + 32));
  }
}

interface SealedSource {
  reader: VolumeReader;
  volume: Volume;
  /** Read once for each volume and listing. */
  fanouts: Map<number, Buffer>;
}

async function collectSealed(
  { reader, volume: { id, trailer }, fanouts }: SealedSource,
  first: number,
  ids: string[],
): Promise<void> {
  if (trailer === undefined) return;
  let fanout = fanouts.get(id);
  if (fanout === undefined) {
    fanout = await reader.with(id, (file) =>
      fromAnyCopy(file, (copy) => readSoundFanout(copy, trailer)));
    fanouts.set(id, fanout);
  }
  const { position, lengthBytes } = bucketOf(fanout, trailer, first);
  if (lengthBytes === 0) return;
  const bucket = await reader.with(id, (file) =>
    fromAnyCopy(file, (copy) => readBucket(copy, { position, lengthBytes }, first)));
  for (let at = 0; at < lengthBytes; at += ENTRY_BYTES) {
    ids.push(bucket.toString('hex', at, at + 32));
  }
}

/** The part of a footer has no checksum of its own, but damage mostly shows: then another copy of
 *  the volume, if there is one, is asked. */
async function fromAnyCopy<T>(
  file: VolumeFile,
  read: (copy: Pick<VolumeFile, 'read'>) => Promise<T>,
): Promise<T> {
  let failure: unknown;
  for (const copy of [file, ...(file.copies ?? [])]) {
    try {
      return await read(copy);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function readSoundFanout(
  file: Pick<VolumeFile, 'read'>,
  trailer: Trailer,
): Promise<Buffer> {
  const fanout = await readFanout(file, trailer);
  for (let first = 0; first < 256; first++) bucketOf(fanout, trailer, first);
  if (fanout.readUInt32LE(255 * 4) !== trailer.entryCount) throw new Error('a footer is damaged');
  return fanout;
}

/** Entries that all begin with the byte `first` and ascend. */
async function readBucket(
  file: Pick<VolumeFile, 'read'>,
  { position, lengthBytes }: BucketPlace,
  first: number,
): Promise<Buffer> {
  const bucket = Buffer.allocUnsafeSlow(lengthBytes);
  if ((await file.read(bucket, position)) !== lengthBytes) {
    throw new Error('a sealed volume has become shorter');
  }
  for (let at = 0; at < lengthBytes; at += ENTRY_BYTES) {
    const before = Math.max(0, at - ENTRY_BYTES);
    const ascends = bucket.compare(bucket, before, before + 32, at, at + 32) >= 0;
    if (bucket[at] !== first || !ascends) throw new Error('a footer is damaged');
  }
  return bucket;
}
