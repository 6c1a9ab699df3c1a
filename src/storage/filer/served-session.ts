import type { VolumeFile } from '../backends/local/volume-files.ts';
import { HoldfastError } from '../../base/errors.ts';
import { badFrame } from './frame-fault.ts';
import type { Hello } from './handshake.ts';
import type { LocalDisk } from './local-disk.ts';

const HANDLES_MAX = 4096;

export interface OpenHandle {
  readonly file: VolumeFile;
  readonly disk: LocalDisk;
  /** Writes, syncs and cuts of one handle are carried out in the order they came in. */
  last: Promise<unknown>;
}

/** What a connection was let in to. */
export interface Admission {
  readonly disks: readonly LocalDisk[];
  /** Disks that still do what an older connection had begun. Gets smaller by itself. */
  readonly blocked: ReadonlySet<LocalDisk>;
}

/** What a filer knows of one connection: who it is, its open files, what is under way for it. */
export class ServedSession {
  readonly hello: Hello;
  readonly #admission: Admission;
  readonly #mayWrite: () => void;
  readonly #handles = new Map<number, OpenHandle>();
  /** Begun, or waiting for their turn. */
  readonly #changes = new Map<LocalDisk, Set<Promise<unknown>>>();
  #lastHandle = 0;
  #ended = false;

  /** `mayWrite` throws when this session's epoch is no longer the highest. */
  constructor(hello: Hello, admission: Admission, mayWrite: () => void) {
    this.hello = hello;
    this.#admission = admission;
    this.#mayWrite = mayWrite;
  }

  /** @throws unavailable: the disk has not finished what an older connection had begun. */
  diskAt(number: number): LocalDisk {
    const { disks, blocked } = this.#admission;
    const disk = disks[number];
    if (disk === undefined) throw badFrame('a disk that was not offered');
    if (!blocked.has(disk)) return disk;
    const message = 'The disk does not come to an end with a write of before. Is it failing?';
    throw new HoldfastError('unavailable', 'storage/filer', message, { code: 'ETIMEDOUT' });
  }

  /** @throws unavailable: the handle was closed, or is of another connection. */
  handle(number: number): OpenHandle {
    const handle = this.#handles.get(number);
    if (handle !== undefined) return handle;
    const message = 'The file is not open at the filer any more. Open it again.';
    throw new HoldfastError('unavailable', 'storage/filer', message, { code: 'EBADF' });
  }

  async open(disk: LocalDisk, name: string, how: 'read' | 'write' | 'create'): Promise<number> {
    if (this.#handles.size >= HANDLES_MAX) {
      const message = 'Too many files are open at the filer. Close some first.';
      throw new HoldfastError('busy', 'storage/filer', message, { code: 'too-many-handles' });
    }
    const file = await disk.files.open(name, how);
    if (this.#ended) {
      await file.close();
      throw sessionOver();
    }
    this.#lastHandle += 1;
    this.#handles.set(this.#lastHandle, { file, disk, last: Promise.resolve() });
    return this.#lastHandle;
  }

  async close(number: number): Promise<void> {
    const handle = this.handle(number);
    this.#handles.delete(number);
    await handle.last.catch(() => undefined);
    await handle.file.close();
  }

  /**
   * Carries out a change of `disk`, if this session still may when its turn comes. After the end of
   * the session nothing new is begun: what the other side no longer waits for must not happen
   * behind the back of the one that comes after it.
   */
  change<T>(disk: LocalDisk, act: () => Promise<T>, after: Promise<unknown>): Promise<T> {
    const changing = after.then(() => {
      this.#checkChange(disk);
      return act();
    });
    const settled = changing.catch(() => undefined);
    const changes = this.#changes.get(disk) ?? new Set<Promise<unknown>>();
    this.#changes.set(disk, changes.add(settled));
    void settled.then(() => changes.delete(settled));
    return changing;
  }

  #checkChange(disk: LocalDisk): void {
    if (this.#ended) throw sessionOver();
    this.#mayWrite();
    const { epoch, coordinatorId } = this.hello;
    disk.fence.check({ epoch, coordinatorId });
  }

  /** The same, in the order of the handle's changes. */
  changeInOrder<T>(handle: OpenHandle, act: () => Promise<T>): Promise<T> {
    const changing = this.change(handle.disk, act, handle.last);
    handle.last = changing.catch(() => undefined);
    return changing;
  }

  /** Resolves when every change of the disk that is known by now is over. */
  async settled(disk: LocalDisk): Promise<void> {
    await Promise.all([...(this.#changes.get(disk) ?? [])]);
  }

  /** Begins nothing more, waits for what is under way, and lets go of the files. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#admission.disks.map((disk) => this.#leave(disk)));
  }

  /** Disk by disk: one that does not answer keeps only its own files open. */
  async #leave(disk: LocalDisk): Promise<void> {
    await this.settled(disk);
    for (const [number, handle] of this.#handles) {
      if (handle.disk !== disk) continue;
      this.#handles.delete(number);
      try {
        await handle.file.close();
      } catch {
        // What was to be kept has been synced; a close promises nothing.
      }
    }
  }
}

function sessionOver(): HoldfastError {
  const message = 'The connection to the filer has ended.';
  return new HoldfastError('unavailable', 'storage/filer', message, { code: 'ECONNRESET' });
}
