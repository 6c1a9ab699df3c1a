import { mkdir, open, opendir, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, type CacheFiles, type FilePart } from './cache-files.ts';

/** How many names one call to the system brings. */
const NAMES_AT_ONCE = 1024;
/** Owner only: blocks are the users' private files. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** The end of a name that is still being written. */
export const DRAFT = '.draft';

/** CacheFiles in a folder of this machine. */
export class NodeCacheFiles implements CacheFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async prepare(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: FOLDER_MODE });
  }

  async *list(): AsyncGenerator<string> {
    for await (const entry of await opendir(this.#root, { bufferSize: NAMES_AT_ONCE })) {
      if (entry.isFile()) yield entry.name;
    }
  }

  async read(name: string, parts: readonly FilePart[]): Promise<Buffer[]> {
    const file = await open(join(this.#root, name), 'r');
    try {
      const bytes: Buffer[] = [];
      for (const part of parts) bytes.push(await readPart(file, part));
      return bytes;
    } finally {
      await file.close();
    }
  }

  async write(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    const target = join(this.#root, name);
    const draft = `${target}${DRAFT}`;
    try {
      await writeAll(draft, pieces);
      await rename(draft, target);
    } catch (error) {
      // Best effort: the next start takes away what could not be removed now.
      await this.remove(`${name}${DRAFT}`).catch(() => undefined);
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    try {
      await unlink(join(this.#root, name));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

async function readPart(file: FileHandle, part: FilePart): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(part.lengthBytes);
  let filled = 0;
  // A read may be cut short by a signal; only an empty one means the end.
  while (filled < bytes.length) {
    const position = part.position + filled;
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

async function writeAll(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w', FILE_MODE);
  try {
    for (const piece of pieces) await file.writeFile(piece);
  } finally {
    await file.close();
  }
}
