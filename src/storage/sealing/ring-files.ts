/**
 * Where a key ring is kept: twice in the data directory, for without it every encrypted block is
 * lost. Each file is there whole or not at all; of two sound ones the one with the higher sequence
 * counts. Only who holds the lock of the data directory may save.
 */
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { decodeRing, encodeRing, RING_BYTES_MAX, type RingContent } from './ring-format.ts';

const OP = 'storage/RingFiles';
const NAMES = ['keys.json', 'keys-copy.json'] as const;

export interface LoadedRing {
  readonly content: RingContent;
  /** True when one of the files is missing, damaged or older: `save` again, once the key fits. */
  readonly isLame: boolean;
}

export class RingFiles {
  readonly #folder: string;

  constructor(dataDirectory: string) {
    this.#folder = dataDirectory;
  }

  /** Undefined when there is neither file. Changes nothing.
   *  @throws corrupt, code `ring-damaged`: there is one and none is sound; conflict, code
   *   `ring-newer`, `ring-mixed`; unavailable: the disk does not answer. */
  async load(): Promise<LoadedRing | undefined> {
    const found = await Promise.all(NAMES.map((name) => this.#read(name)));
    if (found.includes('newer')) {
      const message = 'The key ring was written by a newer version of Holdfast. Start that one.';
      throw new HoldfastError('conflict', `${OP}.load`, message, { code: 'ring-newer' });
    }
    const sound = found.filter((one) => one !== 'absent' && one !== 'damaged' && one !== 'newer');
    const [first, second] = sound;
    if (first === undefined) {
      if (found.every((one) => one === 'absent')) return undefined;
      const message = 'The key ring is damaged, and so is its copy. Restore keys.json from a '
        + 'backup: without it no encrypted file can be read. Nothing was changed.';
      throw new HoldfastError('corrupt', `${OP}.load`, message, { code: 'ring-damaged' });
    }
    if (second === undefined) return { content: first, isLame: true };
    if (first.ringId !== second.ringId) {
      const message = 'keys.json and keys-copy.json belong to different servers. Put back the '
        + 'right ones. Nothing was changed.';
      throw new HoldfastError('conflict', `${OP}.load`, message, { code: 'ring-mixed' });
    }
    const isLame = !encodeRing(first).equals(encodeRing(second));
    return { content: second.sequence > first.sequence ? second : first, isLame };
  }

  /** Once resolved, both files are durable. After a rejection either ring may be the one that is
   *  found, and never a mixture. @throws unavailable. */
  async save(content: RingContent): Promise<void> {
    const bytes = encodeRing(content);
    try {
      for (const name of NAMES) await this.#replace(name, bytes);
    } catch (cause) {
      throw diskFault('save', cause);
    }
  }

  async #read(name: string): Promise<RingContent | 'absent' | 'damaged' | 'newer'> {
    const path = join(this.#folder, name);
    try {
      const { size } = await stat(path);
      return size > RING_BYTES_MAX ? 'damaged' : decodeRing(await readFile(path));
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'absent';
      if (code === 'EIO') return 'damaged';
      throw diskFault('load', cause);
    }
  }

  async #replace(name: string, bytes: Buffer): Promise<void> {
    const path = join(this.#folder, name);
    const draft = `${path}.new`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(this.#folder);
  }
}

/** Else a new file's entry may be lost in a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function diskFault(method: string, cause: unknown): HoldfastError {
  const code = String((cause as NodeJS.ErrnoException).code ?? 'unknown');
  const message = 'The disk does not read or write the key ring. The administrator has to look at '
    + 'the data directory.';
  return new HoldfastError('unavailable', `${OP}.${method}`, message, { cause, facts: { code } });
}
