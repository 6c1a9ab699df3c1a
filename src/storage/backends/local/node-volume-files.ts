import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { failpoint } from '../../../platform/index.ts';
import { PAGE_BYTES } from './aligned-buffers.ts';
import { DIRECT_BYTES_MIN, DirectWriter, PieceCursor } from './direct-writer.ts';
import type { DiskSpace, OpenMode, VolumeFile, VolumeFiles } from './volume-files.ts';
import { errorCode } from './volume-files.ts';

const close = promisify(fs.close);
const datasync = promisify(fs.fdatasync);
const sync = promisify(fs.fsync);
const truncate = promisify(fs.ftruncate);

const FLAGS: Readonly<Record<OpenMode, string>> = { read: 'r', write: 'r+', create: 'wx+' };
/** Owner only: blocks are the users' private files. */
const MODE = 0o600;

/** VolumeFiles in a folder of this machine. */
export class NodeVolumeFiles implements VolumeFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async list(): Promise<string[]> {
    try {
      return await fs.promises.readdir(this.#root);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async prepare(): Promise<void> {
    const first = await fs.promises.mkdir(this.#root, { recursive: true, mode: 0o700 });
    // Each new folder is an entry in the one above, up to the first that was there already. Ours is
    // synced in any case: a program that was killed may have made it and not got round to this.
    for (let folder = this.#root; ; folder = dirname(folder)) {
      await syncFolderAt(dirname(folder));
      if (first === undefined || folder === first || folder === dirname(folder)) return;
    }
  }

  async open(name: string, how: OpenMode): Promise<VolumeFile> {
    return new NodeVolumeFile(await promisify(fs.open)(join(this.#root, name), FLAGS[how], MODE));
  }

  async rename(from: string, to: string): Promise<void> {
    await fs.promises.rename(join(this.#root, from), join(this.#root, to));
  }

  async remove(name: string): Promise<void> {
    await fs.promises.unlink(join(this.#root, name));
  }

  async syncFolder(): Promise<void> {
    await syncFolderAt(this.#root);
  }

  async space(): Promise<DiskSpace> {
    const { bavail, bsize, blocks } = await fs.promises.statfs(this.#root);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  }
}

async function syncFolderAt(path: string): Promise<void> {
  const folder = await fs.promises.open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** On a bare descriptor: a FileHandle costs several microseconds more for each call. */
class NodeVolumeFile implements VolumeFile {
  readonly #fd: number;
  /** Opened with the first big write; undefined as a result where there is no such way. */
  #direct: Promise<DirectWriter | undefined> | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async size(): Promise<number> {
    return (await promisify(fs.fstat)(this.#fd)).size;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      let filled = 0;
      const next = (): void => {
        fs.read(this.#fd, into, filled, into.length - filled, position + filled, (error, count) => {
          if (error !== null) return reject(error);
          filled += count;
          // A read may be cut short by a signal; only an empty one means the end.
          if (count === 0 || filled === into.length) return resolve(filled);
          next();
        });
      };
      next();
    });
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    let lengthBytes = 0;
    for (const piece of pieces) lengthBytes += piece.length;
    const start = Math.ceil(position / PAGE_BYTES) * PAGE_BYTES;
    const end = Math.floor((position + lengthBytes) / PAGE_BYTES) * PAGE_BYTES;
    const isWholePages = start === position && end === position + lengthBytes;
    if (!isWholePages && end - start < DIRECT_BYTES_MIN) return this.#writeCached(pieces, position);
    const direct = await (this.#direct ??= DirectWriter.open(this.#fd));
    if (direct === undefined) return this.#writeCached(pieces, position);
    // Whole pages go around the cache, what is left at both ends through it: the first page holds
    // the end of what was written before.
    const cursor = new PieceCursor(pieces);
    if (start > position) await this.#writeCached(cursor.take(start - position), position);
    if (!(await direct.write(cursor, end - start, start))) {
      this.#direct = Promise.resolve(undefined);
      await direct.close();
      return this.#writeCached(pieces, position);
    }
    const rest = position + lengthBytes - end;
    if (rest > 0) await this.#writeCached(cursor.take(rest), end);
  }

  #writeCached(pieces: readonly Uint8Array[], position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = (rest: readonly Uint8Array[], at: number): void => {
        fs.writev(this.#fd, rest, at, (error, written) => {
          if (error !== null) return reject(error);
          const left = withoutFirst(rest, written);
          if (left.length === 0) return resolve();
          // A disk that fills up writes a part first and gives its reason on the next call.
          if (written === 0) return reject(new Error('the disk took none of the bytes'));
          next(left, at + written);
        });
      };
      next(pieces, position);
    });
  }

  datasync(): Promise<void> {
    return datasync(this.#fd);
  }

  async writeDurably(pieces: readonly Uint8Array[], position: number): Promise<void> {
    await this.write(pieces, position);
    failpoint('storage.after-write');
    await datasync(this.#fd);
  }

  sync(): Promise<void> {
    return sync(this.#fd);
  }

  truncate(sizeBytes: number): Promise<void> {
    return truncate(this.#fd, sizeBytes);
  }

  async close(): Promise<void> {
    try {
      await (await this.#direct)?.close();
    } finally {
      await close(this.#fd);
    }
  }
}

function withoutFirst(pieces: readonly Uint8Array[], countBytes: number): Uint8Array[] {
  let skip = countBytes;
  for (const [at, piece] of pieces.entries()) {
    if (skip < piece.length) return [piece.subarray(skip), ...pieces.slice(at + 1)];
    skip -= piece.length;
  }
  return [];
}
