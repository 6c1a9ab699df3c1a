import { HoldfastError } from '../base/errors.ts';
import type { LocalDisk } from '../storage/index.ts';
import type { VolumeFiles } from '../storage/backends/local/volume-files.ts';

/**
 * The files of a disk of this machine that may not be mounted, or not yet: then every call fails as
 * it does on a disk that is gone, never as on an empty one; and each call looks whether it is there
 * by now.
 */
export class MountedDisk implements VolumeFiles {
  readonly #open: () => Promise<LocalDisk>;
  readonly #onRefused: (reason: unknown) => void;
  #disk: Promise<LocalDisk> | undefined;
  #lastCode: string | undefined;

  constructor(open: () => Promise<LocalDisk>, onRefused: (reason: unknown) => void) {
    this.#open = open;
    this.#onRefused = onRefused;
  }

  /** @throws what `open` throws. */
  mount(): Promise<LocalDisk> {
    this.#disk ??= this.#open();
    this.#disk.catch(() => {
      this.#disk = undefined;
    });
    return this.#disk;
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
