import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type {
  DiskSpace, OpenMode, VolumeFile, VolumeFiles,
} from '../backends/local/volume-files.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { checkRemovable, checkRenaming, checkServedName, isServedName } from './file-names.ts';

const ROOM_FRESH_MS = 1000;

/** A file as this process knows it, under whatever name, for all its handles. */
interface FileMark {
  handles: number;
  /** A sync has failed: what the system still shows of it may never have reached the disk. */
  failed: boolean;
}

export interface GuardOptions {
  clock: Clock;
  /** Room on the disk that volumes never get. */
  reserveBytes: number;
  /** May this volume, which is in the trash, be erased now? Never, unless said. */
  mayErase?: (name: string) => Promise<boolean>;
  /** Throws when the disk is no longer where it was: what is not found may then be elsewhere. */
  checkThere?: () => Promise<void>;
}

/**
 * VolumeFiles that stay within bounds, whoever asks: only names that are ours, no file replaced, no
 * volume removed, a reserve of room kept, and a file of which a sync has failed is never written or
 * synced again by this process. Cutting such a file off stays allowed.
 */
export class GuardedVolumeFiles implements VolumeFiles {
  readonly #files: VolumeFiles;
  readonly #room: Room;
  readonly #mayErase: (name: string) => Promise<boolean>;
  readonly #checkThere: () => Promise<void>;
  readonly #marks = new Map<string, FileMark>();
  /** Changes of names, one after the other, so that nothing comes between a look and the act. */
  #names: Promise<unknown> = Promise.resolve();

  constructor(files: VolumeFiles, options: GuardOptions) {
    this.#files = files;
    this.#room = new Room(files, options);
    this.#mayErase = options.mayErase ?? (() => Promise.resolve(false));
    this.#checkThere = options.checkThere ?? (() => Promise.resolve());
  }

  async list(): Promise<string[]> {
    const names = await this.#files.list();
    await this.#checkThere(); // An empty folder is what is left where a disk was mounted.
    return names.filter(isServedName);
  }

  prepare(): Promise<void> {
    return this.#files.prepare();
  }

  open(name: string, how: OpenMode): Promise<VolumeFile> {
    return this.inTurn(async () => {
      checkServedName(name);
      if (how !== 'read' && this.#marks.get(name)?.failed === true) throw fileFailed();
      if (how === 'create') {
        await this.#checkThere();
        await this.#room.take(0);
      }
      const file = await this.#found(() => this.#files.open(name, how));
      const mark = this.#marks.get(name) ?? { handles: 0, failed: false };
      this.#marks.set(name, mark);
      mark.handles += 1;
      return new GuardedVolumeFile(file, {
        room: this.#room, mark, onClose: () => this.#closed(mark),
      });
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.inTurn(async () => {
      const { replaces } = checkRenaming(from, to);
      if (!replaces) {
        const names = await this.#files.list();
        if (names.includes(from) && names.includes(to)) throw taken();
      }
      await this.#found(() => this.#files.rename(from, to));
      const mark = this.#marks.get(from);
      this.#marks.delete(from);
      if (mark !== undefined) this.#marks.set(to, mark);
    });
  }

  remove(name: string): Promise<void> {
    return this.inTurn(async () => {
      if (checkRemovable(name) === 'from-trash' && !(await this.#mayErase(name))) throw held();
      await this.#found(() => this.#files.remove(name));
      this.#marks.delete(name);
    });
  }

  syncFolder(): Promise<void> {
    return this.#files.syncFolder();
  }

  space(): Promise<DiskSpace> {
    return this.#room.ask();
  }

  /** For a change of names that is made past this object. */
  inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#names.then(act);
    this.#names = done.catch(() => undefined);
    return done;
  }

  /** The file of that name is gone: its open handles take no more writes. Call it in turn. */
  forget(name: string): void {
    const mark = this.#marks.get(name);
    this.#marks.delete(name);
    if (mark !== undefined) mark.failed = true;
  }

  /** A file is said to be absent only by a disk that is there. */
  async #found<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') await this.#checkThere();
      throw error;
    }
  }

  #closed(mark: FileMark): void {
    mark.handles -= 1;
    if (mark.handles > 0 || mark.failed) return;
    for (const [name, other] of this.#marks) {
      if (other !== mark) continue;
      this.#marks.delete(name);
      return;
    }
  }
}

interface FileParts {
  room: Room;
  mark: FileMark;
  onClose: () => void;
}

class GuardedVolumeFile implements VolumeFile {
  readonly #file: VolumeFile;
  readonly #parts: FileParts;
  #closed = false;

  constructor(file: VolumeFile, parts: FileParts) {
    this.#file = file;
    this.#parts = parts;
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#file.read(into, position);
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    this.#check();
    await this.#parts.room.take(lengthOf(pieces));
    this.#check();
    await this.#file.write(pieces, position);
  }

  /** In two steps, unlike the disk beneath: only a failed sync makes the file untouchable. */
  async writeDurably(pieces: readonly Uint8Array[], position: number): Promise<void> {
    await this.write(pieces, position);
    await this.datasync();
  }

  datasync(): Promise<void> {
    return this.#synced(() => this.#file.datasync());
  }

  sync(): Promise<void> {
    return this.#synced(() => this.#file.sync());
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#file.truncate(sizeBytes);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#file.close();
    } finally {
      this.#parts.onClose();
    }
  }

  async #synced(act: () => Promise<void>): Promise<void> {
    this.#check();
    try {
      await act();
    } catch (error) {
      this.#parts.mark.failed = true;
      throw error;
    }
    // Another handle's sync of the same file may have failed meanwhile, and eaten our bytes.
    this.#check();
  }

  #check(): void {
    if (this.#parts.mark.failed) throw fileFailed();
  }
}

/** Knows about how much room there is, without asking the disk for each write. */
class Room {
  readonly #files: VolumeFiles;
  readonly #clock: Clock;
  readonly #reserveBytes: number;
  #leftBytes = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(files: VolumeFiles, { clock, reserveBytes }: GuardOptions) {
    this.#files = files;
    this.#clock = clock;
    this.#reserveBytes = reserveBytes;
  }

  async ask(): Promise<DiskSpace> {
    const { freeBytes, totalBytes } = await this.#files.space();
    this.#leftBytes = Math.max(0, freeBytes - this.#reserveBytes);
    this.#askedAtMs = this.#clock.monotonic();
    return { freeBytes: this.#leftBytes, totalBytes };
  }

  /** @throws an error with `code` `ENOSPC`, as the disk itself would. */
  async take(countBytes: number): Promise<void> {
    const fresh = this.#clock.monotonic() - this.#askedAtMs < ROOM_FRESH_MS;
    if (!fresh || this.#leftBytes < countBytes) await this.ask();
    // Writing over what is there needs no room, but tells in the same way: a reserve is a reserve.
    if (this.#leftBytes < countBytes || this.#leftBytes === 0) {
      throw Object.assign(new Error('no room but the reserve'), { code: 'ENOSPC' });
    }
    this.#leftBytes -= countBytes;
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  let total = 0;
  for (const { length } of pieces) total += length;
  return total;
}

function fileFailed(): HoldfastError {
  const message = 'A sync of this file has failed, so it is not written again. Replace its disk.';
  return new HoldfastError('internal', 'storage/filer', message, { code: 'file-failed' });
}

function held(): HoldfastError {
  const message = 'The disk does not let go of this volume, or not yet. It stays in the trash.';
  return new HoldfastError('denied', 'storage/filer', message, { code: 'trash-held' });
}

function taken(): Error {
  return Object.assign(new Error('the name is taken'), { code: 'EEXIST' });
}
