import type { VolumeFile } from '../backends/local/volume-files.ts';
import { BounceBuffers } from './bounce-buffers.ts';
import type { DiskLink } from './disk-link.ts';

const bounce = new BounceBuffers();

/** One copy of an open file. */
export class FileLeg {
  readonly link: DiskLink;
  readonly #file: VolumeFile;
  /** It did not take a write: it gets no more. */
  failed = false;
  #underWay = 0;
  #whenIdle: (() => void) | undefined;

  constructor(link: DiskLink, file: VolumeFile) {
    this.link = link;
    this.#file = file;
  }

  /** @throws what the disk says; SilentDiskError: then it may still be done. */
  run<T>(lengthBytes: number, act: (file: VolumeFile) => Promise<T>): Promise<T> {
    return this.link.watched(lengthBytes, () => this.#noted(act(this.#file)));
  }

  /** As VolumeFile.read; after a rejection nothing is written into `into` any more. */
  async read(into: Uint8Array, position: number): Promise<number> {
    const own = bounce.take(into.length);
    const part = own.subarray(0, into.length);
    const reading = this.#noted(this.#file.read(part, position));
    try {
      const filled = await this.link.watched(into.length, () => reading);
      into.set(part.subarray(0, filled));
      return filled;
    } finally {
      const done = (): void => bounce.giveBack(own);
      reading.then(done, done);
    }
  }

  /** As VolumeFile.read, for a file that has no other copy: nobody would give it up. */
  readAlone(into: Uint8Array, position: number): Promise<number> {
    return this.#noted(this.#file.read(into, position));
  }

  /**
   * A file is closed only when nothing is under way in it: the system may give its number to
   * another file, into which a late write would then go. Whoever closes does not wait for that.
   */
  async close(): Promise<void> {
    if (this.#underWay === 0) return this.link.watched(0, () => this.#file.close());
    this.#whenIdle = () => void this.#file.close().catch(() => undefined);
  }

  async #noted<T>(work: Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work;
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#whenIdle?.();
    }
  }
}
