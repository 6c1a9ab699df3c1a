/**
 * Volumes in a folder of this machine, read by calls of the verifiers' own. A volume that is opened
 * for what the disk holds is read around the system's cache: nothing that lies there is approved of
 * in the place of the disk, nothing that users need is pushed out of it, and on a disk that reads
 * 2 GB/s filling the cache cost two thirds of the processor time of a scrub.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isPages, PAGE_BYTES } from './slab.ts';
import { systemCode } from './volume-folder.ts';
import type { ReadableVolume, ReadWish, VolumeFolder } from './volume-folder.ts';

const openFile = promisify(fs.open);
const closeFile = promisify(fs.close);
const statFile = promisify(fs.fstat);

export class LocalFolder implements VolumeFolder {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async list(): Promise<string[]> {
    try {
      return await fs.promises.readdir(this.#root);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async open(name: string, _how: 'read', wish: ReadWish = 'any'): Promise<ReadableVolume> {
    const fd = await openFile(join(this.#root, name), 'r');
    try {
      return new LocalVolume(fd, wish === 'disk' ? await openAround(fd) : undefined);
    } catch (error) {
      await closeFile(fd);
      throw error;
    }
  }
}

/** A second way to the file behind `fd`; undefined where system or file system has none. */
async function openAround(fd: number): Promise<number | undefined> {
  const flag = (fs.constants as { O_DIRECT?: number }).O_DIRECT;
  if (process.platform !== 'linux' || flag === undefined) return undefined;
  try {
    // By the descriptor: another file may have got the name meanwhile.
    return await openFile(`/proc/self/fd/${fd}`, fs.constants.O_RDONLY | flag);
  } catch (error) {
    if (['EINVAL', 'ENOENT', 'EACCES'].includes(systemCode(error))) return undefined;
    throw error;
  }
}

class LocalVolume implements ReadableVolume {
  readonly #fd: number;
  /** Another way to the same file, around the cache. */
  #around: number | undefined;
  #isRefused = false;

  constructor(fd: number, around: number | undefined) {
    this.#fd = fd;
    this.#around = around;
  }

  async size(): Promise<number> {
    return (await statFile(this.#fd)).size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const around = this.#isRefused ? undefined : this.#around;
    if (around === undefined || position % PAGE_BYTES !== 0 || !isPages(into)) {
      return readFully(this.#fd, into, position);
    }
    try {
      return await readPages(around, into, position);
    } catch (error) {
      if (systemCode(error) !== 'EINVAL') throw error;
      this.#isRefused = true; // Opened, but not read: some file systems are like that.
      return readFully(this.#fd, into, position);
    }
  }

  async close(): Promise<void> {
    const around = this.#around;
    this.#around = undefined;
    if (around !== undefined) await closeFile(around);
    await closeFile(this.#fd);
  }
}

/** Fewer bytes at the end of the file only. */
async function readFully(fd: number, into: Uint8Array, position: number): Promise<number> {
  for (let done = 0; ;) {
    const filled = await readOnce(fd, into, { done, position });
    done += filled;
    if (filled === 0 || done === into.length) return done;
  }
}

/** The same in whole pages: part of a page is the end of the file, and behind it nothing can be
 *  asked for. */
async function readPages(fd: number, into: Uint8Array, position: number): Promise<number> {
  for (let done = 0; ;) {
    const filled = await readOnce(fd, into, { done, position });
    done += filled;
    if (filled % PAGE_BYTES !== 0 || filled === 0 || done === into.length) return done;
  }
}

function readOnce(
  fd: number, into: Uint8Array, { done, position }: { done: number; position: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, into, done, into.length - done, position + done, (error, filled) => {
      if (error === null) resolve(filled);
      else reject(error);
    });
  });
}
