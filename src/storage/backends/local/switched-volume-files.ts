import type { DiskSpace, OpenMode, VolumeFile, VolumeFiles } from './volume-files.ts';

/** VolumeFiles that are one folder now, and may be several disks from some moment on. Files that
 *  are open stay what they were: whoever switches sees to it that none is open for writing. */
export class SwitchedVolumeFiles implements VolumeFiles {
  #files: VolumeFiles;

  constructor(files: VolumeFiles) {
    this.#files = files;
  }

  /** From the next call on. What `files` hold must be what was held until now. */
  switchTo(files: VolumeFiles): void {
    this.#files = files;
  }

  get hidesVolumes(): boolean {
    return this.#files.hidesVolumes ?? false;
  }

  list(): Promise<string[]> {
    return this.#files.list();
  }

  prepare(): Promise<void> {
    return this.#files.prepare();
  }

  open(name: string, how: OpenMode): Promise<VolumeFile> {
    return this.#files.open(name, how);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#files.rename(from, to);
  }

  remove(name: string): Promise<void> {
    return this.#files.remove(name);
  }

  syncFolder(): Promise<void> {
    return this.#files.syncFolder();
  }

  space(): Promise<DiskSpace> {
    return this.#files.space();
  }
}
