import { encodeSegment, type VolumePosition } from './hint-file.ts';
import type { Volume } from './volume.ts';
import { hintName } from './volume.ts';
import type { VolumeFile, VolumeFiles } from './volume-files.ts';

/** How far the hint file has come; all zero for a new one. */
export interface HintProgress {
  hintBytes: number;
  entryCount: number;
  end: number;
}

export interface HintRhythm {
  hintEveryBlocks: number;
  hintEveryBytes: number;
}

/**
 * Writes the hint of one volume beside the stream of batches, without anybody waiting for it. A
 * hint that cannot be written is given up: it only costs time at the next start.
 */
export class HintWriter {
  readonly #files: VolumeFiles;
  readonly #volume: Volume;
  readonly #rhythm: HintRhythm;
  #progress: HintProgress;
  #file: VolumeFile | undefined;
  #givenUp = false;
  #writing: Promise<void> | undefined;

  constructor(files: VolumeFiles, volume: Volume, rhythm: HintRhythm, progress: HintProgress) {
    this.#files = files;
    this.#volume = volume;
    this.#rhythm = rhythm;
    this.#progress = progress;
  }

  /** Tells that the volume is durable up to `position`. */
  advance(position: VolumePosition): void {
    const blocks = (this.#volume.entries?.count ?? 0) - this.#progress.entryCount;
    const bytes = position.end - this.#progress.end;
    const { hintEveryBlocks, hintEveryBytes } = this.#rhythm;
    if (blocks < hintEveryBlocks && bytes < hintEveryBytes) return;
    if (this.#writing !== undefined || this.#givenUp) return;
    this.#writing = this.#write(position).finally(() => {
      this.#writing = undefined;
    });
  }

  /** Writes what is missing up to `position` and releases the file. */
  async finish(position: VolumePosition): Promise<void> {
    await this.#writing;
    if (position.end > this.#progress.end && !this.#givenUp) await this.#write(position);
    await this.#release();
  }

  /** For a volume that needs no hint any more. */
  async discard(): Promise<void> {
    await this.#writing;
    await this.#release();
    try {
      await this.#files.remove(hintName(this.#volume.id));
    } catch {
      // It was never written, or stays behind: a sealed volume's hint is not looked at.
    }
  }

  async #write(position: VolumePosition): Promise<void> {
    const { entries, id: volumeId, seed } = this.#volume;
    if (entries === undefined) return;
    const { hintBytes, entryCount } = this.#progress;
    const segment = encodeSegment({ volumeId, seed }, entries, { first: entryCount, position });
    const progress = { entryCount: entries.count, end: position.end };
    try {
      this.#file ??= await this.#openFile();
      await this.#file.write(segment, hintBytes);
      const written = segment.reduce((sum, { length }) => sum + length, 0);
      this.#progress = { ...progress, hintBytes: hintBytes + written };
    } catch {
      this.#givenUp = true; // The next start reads the volume instead.
    }
  }

  async #openFile(): Promise<VolumeFile> {
    const name = hintName(this.#volume.id);
    if (this.#progress.hintBytes === 0) {
      if ((await this.#files.list()).includes(name)) await this.#files.remove(name);
      return this.#files.open(name, 'create');
    }
    const file = await this.#files.open(name, 'write');
    await file.truncate(this.#progress.hintBytes);
    return file;
  }

  async #release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#givenUp = true;
    try {
      await file?.close();
    } catch {
      // Nothing hangs on it: see `LoadedHint`.
    }
  }
}
