import { hash, randomBytes } from 'node:crypto';
import { failpoint } from '../../../platform/index.ts';
import type { EncodedBatch } from './batch-encoder.ts';
import type { VolumePosition } from './hint-file.ts';
import { HintWriter, type HintProgress, type HintRhythm } from './hint-writer.ts';
import { encodeSuperblock, firstChain, SUPERBLOCK_BYTES } from './record-codec.ts';
import { draftName, volumeName, type Volume } from './volume.ts';
import { VolumeEntries } from './volume-entries.ts';
import type { VolumeFile, VolumeFiles } from './volume-files.ts';

export interface OpenVolumeSettings extends HintRhythm {
  pageBytes: number;
}

/** A volume that takes batches. One batch at a time. */
export class OpenVolume {
  readonly volume: Volume;
  readonly hint: HintWriter;
  readonly #file: VolumeFile;
  readonly #pageBytes: number;
  /** Durable up to here. */
  position: VolumePosition;
  /** What lies between the beginning of the last page and `position`; not known after a restart. */
  #tail: Buffer | undefined;

  constructor(parts: OpenVolumeParts) {
    this.volume = parts.volume;
    this.position = parts.position;
    this.#file = parts.file;
    this.#pageBytes = parts.settings.pageBytes;
    this.hint = new HintWriter(parts.files, parts.volume, parts.settings, parts.hintProgress);
  }

  /** True when a copy of the volume is missing: it should get no more batches. */
  get degraded(): boolean {
    return this.#file.degraded ?? false;
  }

  /**
   * Writes and syncs. Once it has rejected, this volume must not be written again.
   *
   * Always whole pages: from the beginning of the page that the batch before ended in, with that
   * batch's bytes once more, to the end of the last one, with zeros. So the disk can take them
   * around the system's cache, which is two to three times as fast for a small batch too. The cache
   * would write the same pages, so a power cut endangers no byte that it did not before.
   */
  async append(batch: EncodedBatch): Promise<void> {
    const { pieces, position } = batch;
    const start = this.position.end - (this.position.end % this.#pageBytes);
    const tail = (this.#tail ??= await this.#readTail(start));
    const over = position.end % this.#pageBytes;
    const padding = over === 0 ? 0 : this.#pageBytes - over;
    const whole = [tail, ...pieces, zeros(padding)].filter(({ length }) => length > 0);
    failpoint('storage.before-write');
    await this.#file.writeDurably(whole, start);
    failpoint('storage.after-sync');
    this.#tail = lastBytes([tail, ...pieces], over);
    this.position = position;
  }

  async #readTail(start: number): Promise<Buffer> {
    const tail = Buffer.allocUnsafeSlow(this.position.end - start);
    const filled = await this.#file.read(tail, start);
    if (filled !== tail.length) throw new Error('a volume has become shorter since it was opened');
    return tail;
  }

  /** Takes back, durably, what a failed `append` or `seal` may have left, so that nobody finds it
   *  after a restart and believes in it. May reject: then the next start sorts it out. */
  async cutBack(): Promise<void> {
    try {
      await this.#file.truncate(this.position.end);
    } finally {
      // Where there are several copies, some may have done it although it has failed.
      await this.#file.sync();
    }
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
  settings: OpenVolumeSettings;
  hintProgress: HintProgress;
}

export interface NewVolume {
  /** FORMAT_VERSION when undefined. */
  formatVersion?: number;
  id: number;
  storeId: Buffer;
  createdMs: number;
  previousVolumeId: number;
  previousEnd: number;
}

/** Makes a volume: once resolved, the empty volume survives a power cut. */
export async function createVolume(
  files: VolumeFiles,
  { id, storeId, createdMs, previousVolumeId, previousEnd, formatVersion = 1 }: NewVolume,
  settings: OpenVolumeSettings,
): Promise<OpenVolume> {
  const seed = hash('sha256', randomBytes(32), 'buffer');
  const superblock = encodeSuperblock({
    storeId, volumeId: id, generation: 1, createdMs, seed, previousVolumeId, previousEnd,
    formatVersion,
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
  const entries = new VolumeEntries();
  const volume = { id, seed, createdMs, entries, trailer: undefined, formatVersion };
  const hintProgress = { hintBytes: 0, entryCount: 0, end: SUPERBLOCK_BYTES };
  return new OpenVolume({ files, file, volume, position, settings, hintProgress });
}

/** A copy of the last `lengthBytes` of the pieces, which together have as many. */
function lastBytes(pieces: readonly Uint8Array[], lengthBytes: number): Buffer {
  const last = Buffer.allocUnsafeSlow(lengthBytes);
  let left = lengthBytes;
  for (let number = pieces.length - 1; left > 0; number--) {
    const piece = pieces[number] as Uint8Array;
    const part = piece.subarray(Math.max(0, piece.length - left));
    left -= part.length;
    last.set(part, left);
  }
  return last;
}

let zeroBytes = Buffer.alloc(0);

function zeros(lengthBytes: number): Buffer {
  if (zeroBytes.length < lengthBytes) zeroBytes = Buffer.alloc(lengthBytes);
  return zeroBytes.subarray(0, lengthBytes);
}
