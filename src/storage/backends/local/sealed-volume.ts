/** A sealed volume looked at from outside of the running store: one in the trash. */
import { HoldfastError } from '../../../base/errors.ts';
import { decodeTrailer, TRAILER_BYTES, type Trailer } from './footer-codec.ts';
import { decodeSuperblock, SUPERBLOCK_BYTES, type Superblock } from './record-codec.ts';
import type { VolumeFile, VolumeFiles } from './volume-files.ts';
import { VolumeRecords } from './volume-records.ts';

export interface SealedVolume {
  storeId: Buffer;
  createdMs: number;
  seed: Buffer;
  formatVersion: number | undefined;
  trailer: Trailer;
  records: VolumeRecords;
}

/** Of several copies the first one that is whole: in the trash nobody mends the others.
 *  @throws corrupt: it is not, or no longer, that volume. */
export async function openSealed(
  files: VolumeFiles, name: string, volumeId: number,
): Promise<SealedVolume> {
  const file = await files.open(name, 'read');
  try {
    let failure: unknown;
    const sizeBytes = await file.size();
    for (const copy of [file, ...(file.copies ?? [])]) {
      try {
        const sealed = await readSealed(copy, { volumeId, sizeBytes });
        if (sealed !== undefined) return sealed;
      } catch (error) {
        failure ??= error;
      }
    }
    throw (failure as Error | undefined) ?? damaged(volumeId);
  } finally {
    await file.close();
  }
}

type Readable = Pick<VolumeFile, 'read'>;

/** Undefined when its beginning or its footer is not sound. */
async function readSealed(
  file: Readable,
  { volumeId, sizeBytes }: { volumeId: number; sizeBytes: number },
): Promise<SealedVolume | undefined> {
  const superblock = await findSuperblock(file, volumeId);
  const bytes = Buffer.alloc(TRAILER_BYTES);
  const at = sizeBytes - TRAILER_BYTES;
  const filled = at < 0 ? 0 : await file.read(bytes, at);
  const trailer = decodeTrailer(bytes.subarray(0, filled), volumeId);
  if (superblock === undefined || trailer === undefined) return undefined;
  const records = await VolumeRecords.load(file, trailer);
  if (records === undefined) return undefined;
  const { storeId, createdMs, seed, formatVersion } = superblock;
  return { storeId, createdMs, seed, formatVersion, trailer, records };
}

/** @throws corrupt: none of its copies begins like that volume. */
export async function readSuperblock(file: VolumeFile, volumeId: number): Promise<Superblock> {
  for (const copy of [file, ...(file.copies ?? [])]) {
    const superblock = await findSuperblock(copy, volumeId).catch(() => undefined);
    if (superblock !== undefined) return superblock;
  }
  throw damaged(volumeId);
}

async function findSuperblock(file: Readable, volumeId: number): Promise<Superblock | undefined> {
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  const filled = await file.read(head, 0);
  const superblock = decodeSuperblock(head.subarray(0, filled));
  const right = typeof superblock !== 'string' && superblock.volumeId === volumeId;
  return right ? superblock : undefined;
}

function damaged(volumeId: number): HoldfastError {
  const message = 'A volume in the trash is damaged. It stays there until somebody has looked.';
  return new HoldfastError('corrupt', 'storage/VolumeReclaim', message, { facts: { volumeId } });
}
