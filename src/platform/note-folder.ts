/**
 * Notes that must survive a power cut: one file for each, `<id>.json`, written as
 * `<id>.json.draft`, made durable and renamed. What is in them is the caller's.
 *
 * Calls for different notes may run concurrently; for one note, one after the other.
 */
import { mkdir, open, readFile, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';

export interface NoteFolderOptions {
  /** What an id looks like, as a part of a regular expression. Other files are left alone. */
  readonly idPattern: string;
  /** More are not read. */
  readonly filesMax: number;
  /** For people, when the disk fails. */
  readonly messages: { readonly full: string; readonly unavailable: string };
  /** Module and class, for errors. */
  readonly op: string;
}

export interface Note {
  readonly id: string;
  readonly text: string;
}

const NO_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

export class NoteFolder {
  readonly #path: string;
  readonly #options: NoteFolderOptions;

  private constructor(path: string, options: NoteFolderOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Makes the folder if need be and reads all notes, in no order. A draft that was left by a crash
   *  is removed: nobody was told that it is there. @throws full; unavailable. */
  static async open(
    path: string, options: NoteFolderOptions,
  ): Promise<{ folder: NoteFolder; notes: Note[] }> {
    const folder = new NoteFolder(path, options);
    const isNote = new RegExp(`^(${options.idPattern})\\.json$`);
    const isDraft = new RegExp(`^${options.idPattern}\\.json\\.draft$`);
    const notes: Note[] = [];
    await folder.#explained(async () => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      for (const name of (await readdir(path)).slice(0, options.filesMax)) {
        if (isDraft.test(name)) await unlink(join(path, name));
        const id = isNote.exec(name)?.[1];
        if (id !== undefined) notes.push({ id, text: await readFile(join(path, name), 'utf8') });
      }
    });
    return { folder, notes };
  }

  /** Makes or replaces. Durable once resolved. @throws full; unavailable. */
  async write({ id, text }: Note): Promise<void> {
    const target = this.#pathOf(id);
    await this.#explained(async () => {
      const file = await open(`${target}.draft`, 'w', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${target}.draft`, target);
      await this.#sync();
    });
  }

  /** Calm when it is not there. Durable once resolved. @throws unavailable. */
  async delete(id: string): Promise<void> {
    await this.#explained(async () => {
      await unlink(this.#pathOf(id)).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
      await this.#sync();
    });
  }

  #pathOf(id: string): string {
    return join(this.#path, `${id}.json`);
  }

  /** Else the renaming may be lost in a power cut. */
  async #sync(): Promise<void> {
    const directory = await open(this.#path, 'r');
    await directory.sync().finally(() => directory.close());
  }

  async #explained(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (cause) {
      const code = String((cause as NodeJS.ErrnoException).code ?? 'unknown');
      const { op, messages } = this.#options;
      const kind = NO_ROOM.has(code) ? 'full' : 'unavailable';
      throw new HoldfastError(kind, op, messages[kind], { cause, facts: { code } });
    }
  }
}
