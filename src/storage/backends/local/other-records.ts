import type { BlockId } from '../../../base/ids.ts';
import type { BlockPlace } from './block-index.ts';
import { bucketOf, readFanout } from './footer-codec.ts';
import { ENTRY_BYTES, readPlace } from './volume-entries.ts';
import type { VolumeReader } from './volume-reader.ts';
import type { Volume } from './volume.ts';

/**
 * Other records of a block than the one at `known`, in younger and older volumes. There are some
 * after compaction was cut short, or when a block was stored again after damage: whoever finds a
 * record bad looks at the others before he gives the block up. Slow, and only then asked for.
 */
export async function findOtherRecords(
  reader: VolumeReader, volumes: readonly Volume[],
  { id, known }: { id: BlockId; known: BlockPlace },
): Promise<BlockPlace[]> {
  const key = Buffer.from(id, 'hex');
  const found: BlockPlace[] = [];
  for (const volume of volumes) {
    try {
      found.push(...await recordsIn(reader, volume, key));
    } catch {
      // A volume that cannot be read has no record to offer now.
    }
  }
  return found.filter(({ volumeId, offset }) =>
    volumeId !== known.volumeId || offset !== known.offset);
}

async function recordsIn(
  reader: VolumeReader, { id: volumeId, entries, trailer }: Volume, key: Buffer,
): Promise<BlockPlace[]> {
  const found: BlockPlace[] = [];
  const look = (bytes: Buffer, at: number): void => {
    if (bytes.compare(key, 0, 32, at, at + 32) === 0) {
      found.push({ volumeId, ...readPlace(bytes, at) });
    }
  };
  if (entries !== undefined) {
    for (let number = 0; number < entries.count; number++) {
      const { bytes, at } = entries.at(number);
      look(bytes, at);
    }
  } else if (trailer !== undefined) {
    const bucket = await reader.with(volumeId, async (file) => {
      const place = bucketOf(await readFanout(file, trailer), trailer, key[0] as number);
      const bytes = Buffer.allocUnsafeSlow(place.lengthBytes);
      return bytes.subarray(0, await file.read(bytes, place.position));
    });
    for (let at = 0; at + ENTRY_BYTES <= bucket.length; at += ENTRY_BYTES) look(bucket, at);
  }
  return found;
}
