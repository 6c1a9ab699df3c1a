import { mkdir, open, readFile, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { QueueFile } from './queue-file.ts';

/** Room is made in such pieces, ahead of time: syncing bytes in room that is there already is much
 *  cheaper than syncing a file that grows, for then its length need not become durable. */
const ROOM_BYTES = 1024 * 1024;
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** QueueFile in a folder of this machine, which is made when it is not there. */
export class NodeQueueFile implements QueueFile {
  readonly #folder: string;
  readonly #path: string;
  #file: FileHandle | undefined;
  #endBytes = 0;
  #roomBytes = 0;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#path = join(folder, name);
  }

  async read(): Promise<Buffer | undefined> {
    try {
      return await readFile(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.#file === undefined) throw new Error('the file was not replaced yet');
    const endBytes = this.#endBytes + bytes.length;
    if (endBytes > this.#roomBytes) {
      const roomBytes = roomFor(endBytes);
      await writeAll(this.#file, Buffer.alloc(roomBytes - this.#endBytes), this.#endBytes);
      await this.#file.sync();
      this.#roomBytes = roomBytes;
    }
    await writeAll(this.#file, bytes, this.#endBytes);
    await this.#file.datasync();
    this.#endBytes = endBytes;
  }

  async replace(bytes: Uint8Array): Promise<void> {
    await this.close();
    await this.#makeFolder();
    const draft = `${this.#path}.draft`;
    const file = await open(draft, 'w', FILE_MODE);
    try {
      await writeAll(file, bytes, 0);
      await writeAll(file, Buffer.alloc(roomFor(bytes.length) - bytes.length), bytes.length);
      await file.sync();
      await rename(draft, this.#path);
      await syncFolder(this.#folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    // The open file goes on under its new name.
    this.#file = file;
    this.#endBytes = bytes.length;
    this.#roomBytes = roomFor(bytes.length);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #makeFolder(): Promise<void> {
    const first = await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
    if (first === undefined) return;
    // Each new folder is an entry in the one above it.
    for (let folder = this.#folder; ; folder = dirname(folder)) {
      await syncFolder(dirname(folder));
      if (folder === first || folder === dirname(folder)) return;
    }
  }
}

function roomFor(sizeBytes: number): number {
  return (Math.floor(sizeBytes / ROOM_BYTES) + 1) * ROOM_BYTES;
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    // A disk that fills up writes a part first and gives its reason on the next call.
    if (bytesWritten === 0) throw new Error('the disk took none of the bytes');
    at += bytesWritten;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
