import { HoldfastError } from '../base/errors.ts';
import type { Disk } from '../storage/index.ts';
import type { VolumeFiles } from '../storage/backends/local/volume-files.ts';

/** How its files are reached, wherever it is. */
export type OpenDisk = () => Promise<Pick<Disk, 'files'>>;

/**
 * The files of a disk that may not be mounted, or not yet: then every call fails as it does on a
 * disk that is gone, never as on an empty one; and each call looks whether it is there by now.
 * It stays the same object when the disk is moved.
 */
export class MountedDisk implements VolumeFiles {
  readonly #onRefused: (reason: unknown) => void;
  #open: OpenDisk;
  #disk: ReturnType<OpenDisk> | undefined;
  #lastCode: string | undefined;

  constructor(open: OpenDisk, onRefused: (reason: unknown) => void) {
    this.#open = open;
    this.#onRefused = onRefused;
  }

  /** @throws what `open` throws. */
  mount(): ReturnType<OpenDisk> {
    const disk = this.#disk ?? this.#open();
    this.#disk = disk;
    disk.catch(() => {
      if (this.#disk === disk) this.#disk = undefined;
    });
    return disk;
  }

  /** From the next call on it is reached like this. Files that are open stay where they are. */
  moveTo(open: OpenDisk): void {
    this.#open = open;
    this.#disk = undefined;
    this.#lastCode = undefined;
  }

  async list() {
    return (await this.#files()).list();
  }

  async prepare() {
    return (await this.#files()).prepare();
  }

  async open(...how: Parameters<VolumeFiles['open']>) {
    return (await this.#files()).open(...how);
  }

  async rename(from: string, to: string) {
    return (await this.#files()).rename(from, to);
  }

  async remove(name: string) {
    return (await this.#files()).remove(name);
  }

  async syncFolder() {
    return (await this.#files()).syncFolder();
  }

  async space() {
    return (await this.#files()).space();
  }

  async #files(): Promise<VolumeFiles> {
    try {
      const { files } = await this.mount();
      this.#lastCode = undefined;
      return files;
    } catch (cause) {
      const code = cause instanceof HoldfastError ? cause.code ?? cause.kind : 'unknown';
      if (code !== this.#lastCode) this.#onRefused(cause); // Once, not with every call.
      this.#lastCode = code;
      throw Object.assign(new Error('the disk is not mounted', { cause }), { code: 'ENODEV' });
    }
  }
}
