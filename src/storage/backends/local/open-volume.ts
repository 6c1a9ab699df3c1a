import { hash, randomBytes } from 'node:crypto';
import { failpoint } from '../../../platform/index.ts';
import type { EncodedBatch } from './batch-encoder.ts';
import type { VolumePosition } from './hint-file.ts';
import { HintWriter, type HintProgress, type HintRhythm } from './hint-writer.ts';
import { encodeSuperblock, firstChain, SUPERBLOCK_BYTES } from './record-codec.ts';
import { draftName, volumeName, type Volume } from './volume.ts';
import { VolumeEntries } from './volume-entries.ts';
import type { VolumeFile, VolumeFiles } from './volume-files.ts';

/** A batch above this is not followed by zeros: big batches grow the file just as fast. */
const PREWRITE_BATCH_BYTES_MAX = 256 * 1024;

export interface OpenVolumeSettings extends HintRhythm {
  prewriteBytes: number;
  volumeBytesMax: number;
}

/** A volume that takes batches. One batch at a time. */
export class OpenVolume {
  readonly volume: Volume;
  readonly hint: HintWriter;
  readonly #file: VolumeFile;
  readonly #settings: OpenVolumeSettings;
  /** Durable up to here. */
  position: VolumePosition;
  /** The file is this long; zeros behind `position`. */
  #sizeBytes: number;

  constructor(parts: OpenVolumeParts) {
    this.volume = parts.volume;
    this.position = parts.position;
    this.#file = parts.file;
    this.#settings = parts.settings;
    this.#sizeBytes = parts.sizeBytes;
    this.hint = new HintWriter(parts.files, parts.volume, parts.settings, parts.hintProgress);
  }

  /** Writes and syncs. Once it has rejected, this volume must not be written again. */
  async append(batch: EncodedBatch): Promise<void> {
    const { pieces, position } = batch;
    let end = position.end;
    const { prewriteBytes, volumeBytesMax } = this.#settings;
    if (end > this.#sizeBytes && batch.lengthBytes <= PREWRITE_BATCH_BYTES_MAX) {
      end = Math.max(end, Math.min(end + prewriteBytes, volumeBytesMax));
      if (end > position.end) pieces.push(zeros(end - position.end));
    }
    failpoint('storage.before-write');
    await this.#file.write(pieces, this.position.end);
    failpoint('storage.after-write');
    this.#sizeBytes = Math.max(this.#sizeBytes, end);
    await this.#file.datasync();
    failpoint('storage.after-sync');
    this.position = position;
  }

  /** Takes back what a failed `append` may have left, so that nobody finds it after a restart and
   *  believes in it. May reject: then the next start sorts it out. */
  async cutBack(): Promise<void> {
    await this.#file.truncate(this.position.end);
  }

  /** Writes the footer, durably. */
  async seal(pieces: readonly Uint8Array[]): Promise<void> {
    await this.#file.truncate(this.position.end);
    await this.#file.write(pieces, this.position.end);
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

export interface OpenVolumeParts {
  files: VolumeFiles;
  file: VolumeFile;
  volume: Volume;
  position: VolumePosition;
  sizeBytes: number;
  settings: OpenVolumeSettings;
  hintProgress: HintProgress;
}

export interface NewVolume {
  id: number;
  storeId: Buffer;
  createdMs: number;
  previousVolumeId: number;
  previousEnd: number;
}

/** Makes a volume: once resolved, the empty volume survives a power cut. */
export async function createVolume(
  files: VolumeFiles,
  { id, storeId, createdMs, previousVolumeId, previousEnd }: NewVolume,
  settings: OpenVolumeSettings,
): Promise<OpenVolume> {
  const seed = hash('sha256', randomBytes(32), 'buffer');
  const superblock = encodeSuperblock({
    storeId, volumeId: id, generation: 1, createdMs, seed, previousVolumeId, previousEnd,
  });
  const file = await files.open(draftName(id), 'create');
  try {
    await file.write([superblock], 0);
    await file.sync();
    await files.rename(draftName(id), volumeName(id));
    await files.syncFolder();
  } catch (error) {
    await file.close();
    throw error;
  }
  const position = { end: SUPERBLOCK_BYTES, nextBatch: 1, chain: firstChain(seed) };
  const volume = { id, seed, entries: new VolumeEntries(), trailer: undefined };
  const hintProgress = { hintBytes: 0, entryCount: 0, end: SUPERBLOCK_BYTES };
  const sizeBytes = SUPERBLOCK_BYTES;
  return new OpenVolume({ files, file, volume, position, sizeBytes, settings, hintProgress });
}

let zeroBytes = Buffer.alloc(0);

function zeros(lengthBytes: number): Buffer {
  if (zeroBytes.length < lengthBytes) zeroBytes = Buffer.alloc(lengthBytes);
  return zeroBytes.subarray(0, lengthBytes);
}
