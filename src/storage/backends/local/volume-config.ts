import { RECENT_DEFAULTS } from '../../recent-blocks.ts';
import type { RecentLimits } from '../../recent-blocks.ts';
import { VOLUME_ENDS } from '../../volume-ends.ts';
import { PAGE_BYTES } from './aligned-buffers.ts';

/** Limits of a LocalVolumeStore. The defaults suit a server; tests make everything small. */
export interface VolumeConfig extends RecentLimits {
  /** A volume that has grown to this is sealed. At most 4 GiB. */
  volumeBytesMax: number;
  /** The same for the number of its blocks: bounds the memory for the volume being written. */
  volumeBlocksMax: number;
  /** A volume that is being written for so long is sealed, if it holds anything: only what is
   *  sealed can be compacted. 0: never. */
  sealAfterMs: number;
  /** What goes to disk with one sync. */
  batchRecordsMax: number;
  batchBytesMax: number;
  /** Bytes that may wait for the disk; above it a put is `busy`. */
  queueBytesMax: number;
  /** Volumes kept open for reading. */
  openFilesMax: number;
  /** Room on the disk that is never used; undefined: 2 % of the disk, 1 GiB at most. */
  reserveBytes: number | undefined;
  /** The hint for a fast restart is written after so many blocks or bytes. */
  hintEveryBlocks: number;
  hintEveryBytes: number;
  /** Batches are written in whole pages of this, the rest of the last one being zeros. A multiple
   *  of 8, and of what the disk writes at once. */
  pageBytes: number;
}

export const VOLUME_DEFAULTS: Readonly<VolumeConfig> = {
  volumeBytesMax: VOLUME_ENDS.sizeBytes,
  volumeBlocksMax: 1024 ** 2,
  sealAfterMs: VOLUME_ENDS.ageMs,
  batchRecordsMax: 256,
  batchBytesMax: 16 * 1024 ** 2,
  queueBytesMax: 256 * 1024 ** 2,
  openFilesMax: 64,
  reserveBytes: undefined,
  ...RECENT_DEFAULTS,
  hintEveryBlocks: 4096,
  hintEveryBytes: 64 * 1024 ** 2,
  pageBytes: PAGE_BYTES,
};
