/** A sealed volume looked at from outside of the running store: one in the trash. */
import { HoldfastError } from '../../../base/errors.ts';
import { decodeTrailer, TRAILER_BYTES, type Trailer } from './footer-codec.ts';
import { decodeSuperblock, SUPERBLOCK_BYTES, type Superblock } from './record-codec.ts';
import type { VolumeFile, VolumeFiles } from './volume-files.ts';
import { VolumeRecords } from './volume-records.ts';

export interface SealedVolume {
  seed: Buffer;
  trailer: Trailer;
  records: VolumeRecords;
}

/** @throws corrupt: it is not, or no longer, that volume. */
export async function openSealed(
  files: VolumeFiles, name: string, volumeId: number,
): Promise<SealedVolume> {
  const file = await files.open(name, 'read');
  try {
    const { seed } = await readSuperblock(file, volumeId);
    const bytes = Buffer.alloc(TRAILER_BYTES);
    const at = (await file.size()) - TRAILER_BYTES;
    const filled = at < 0 ? 0 : await file.read(bytes, at);
    const trailer = decodeTrailer(bytes.subarray(0, filled), volumeId);
    const records = trailer === undefined ? undefined : await VolumeRecords.load(file, trailer);
    if (trailer === undefined || records === undefined) throw damaged(volumeId);
    return { seed, trailer, records };
  } finally {
    await file.close();
  }
}

export async function readSuperblock(file: VolumeFile, volumeId: number): Promise<Superblock> {
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  const filled = await file.read(head, 0);
  const superblock = decodeSuperblock(head.subarray(0, filled));
  if (typeof superblock === 'string' || superblock.volumeId !== volumeId) throw damaged(volumeId);
  return superblock;
}

function damaged(volumeId: number): HoldfastError {
  const message = 'A volume in the trash is damaged. It stays there until somebody has looked.';
  return new HoldfastError('corrupt', 'storage/VolumeReclaim', message, { facts: { volumeId } });
}
