/**
 * A disk in memory that may lose power. What was not synced lives in a page cache: at a crash each
 * sector of it is written or not, in any order. A sync that fails throws the unsynced bytes away
 * while readers still see them, and the next sync succeeds, as Linux does it.
 */
import type { DiskSpace, OpenMode, VolumeFile, VolumeFiles } from '../volume-files.ts';
import type { SeededRandom } from './random.ts';

const SECTOR_BYTES = 512;

export interface DiskCall {
  /** Counted from 1 over all calls. */
  number: number;
  what: 'open' | 'write' | 'sync' | 'read' | 'truncate' | 'rename' | 'remove' | 'folder' | 'space';
  name: string;
}

/** What happens to a call: an error code, `CRASH` for the end of all answers, `HANG` for no answer
 *  to this one, or nothing. */
export type FaultPlan = (call: DiskCall) => string | undefined;

type Change = { position: number; bytes: Buffer } | { truncateTo: number };

class FileState {
  /** What programs see. */
  cached: Buffer = Buffer.alloc(0);
  /** What is on the disk. */
  durable: Buffer = Buffer.alloc(0);
  unsynced: Change[] = [];
}

function applyChange(bytes: Buffer, change: Change): Buffer {
  if ('truncateTo' in change) {
    const kept = bytes.subarray(0, change.truncateTo);
    return Buffer.concat([kept, Buffer.alloc(change.truncateTo - kept.length)]);
  }
  const end = Math.max(bytes.length, change.position + change.bytes.length);
  const grown = Buffer.concat([bytes, Buffer.alloc(end - bytes.length)]);
  change.bytes.copy(grown, change.position);
  return grown;
}

export class SimulatedVolumeFiles implements VolumeFiles {
  plan: FaultPlan = () => undefined;
  capacityBytes = 1024 ** 3;
  calls = 0;
  /** Open handles: whoever opens must close. */
  openHandles = 0;
  readonly #random: SeededRandom;
  #names = new Map<string, FileState>();
  #durableNames = new Map<string, FileState>();
  /** The folder after each change that is not synced yet. */
  #unsyncedFolders: Map<string, FileState>[] = [];
  #crashed = false;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** The same disk after a power cut: what survives depends on `random`. */
  crash(): SimulatedVolumeFiles {
    const random = this.#random;
    this.#crashed = true;
    const next = new SimulatedVolumeFiles(random);
    next.capacityBytes = this.capacityBytes;
    const folders = [this.#durableNames, ...this.#unsyncedFolders];
    const folder = folders[random.below(folders.length)] as Map<string, FileState>;
    const survivors = new Map<FileState, FileState>();
    for (const [name, file] of folder) {
      const survivor = survivors.get(file) ?? this.#survivor(file);
      survivors.set(file, survivor);
      next.#names.set(name, survivor);
    }
    next.#durableNames = new Map(next.#names);
    return next;
  }

  /** The same disk after the program was killed: what the system has in memory lives on. */
  kill(): SimulatedVolumeFiles {
    this.#crashed = true;
    const next = new SimulatedVolumeFiles(this.#random);
    next.capacityBytes = this.capacityBytes;
    next.#names = this.#names;
    next.#durableNames = this.#durableNames;
    next.#unsyncedFolders = this.#unsyncedFolders;
    return next;
  }

  /** What lies on the disk now, for a look or a change behind the program's back. */
  content(name: string): Buffer {
    return (this.#names.get(name) as FileState).cached;
  }

  setContent(name: string, bytes: Buffer): void {
    const file = this.#names.get(name) ?? new FileState();
    file.cached = Buffer.from(bytes);
    file.durable = Buffer.from(bytes);
    file.unsynced = [];
    this.#names.set(name, file);
    this.#durableNames.set(name, file);
  }

  /** Changes what lies on the disk, and what a program sees of it, but not what is unsynced. */
  rot(name: string, bytes: Buffer): void {
    const file = this.#names.get(name) as FileState;
    file.cached = Buffer.from(bytes);
    file.durable = Buffer.from(bytes.subarray(0, file.durable.length));
  }

  drop(name: string): void {
    this.#names.delete(name);
    this.#durableNames.delete(name);
  }

  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  async list(): Promise<string[]> {
    await this.#call('folder', '');
    return this.names();
  }

  async prepare(): Promise<void> {
    await this.#call('folder', '');
  }

  async open(name: string, how: OpenMode): Promise<VolumeFile> {
    await this.#call('open', name);
    const known = this.#names.get(name);
    if ((known === undefined) !== (how === 'create')) {
      throw systemError(known === undefined ? 'ENOENT' : 'EEXIST');
    }
    const file = known ?? new FileState();
    if (known === undefined) this.#changeFolder((names) => names.set(name, file));
    this.openHandles++;
    return this.#handle(name, file, how);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call('rename', from);
    const file = this.#names.get(from);
    if (file === undefined) throw systemError('ENOENT');
    this.#changeFolder((names) => {
      names.delete(from);
      names.set(to, file);
    });
  }

  async remove(name: string): Promise<void> {
    await this.#call('remove', name);
    if (!this.#names.has(name)) throw systemError('ENOENT');
    this.#changeFolder((names) => names.delete(name));
  }

  async syncFolder(): Promise<void> {
    await this.#call('folder', '');
    this.#durableNames = new Map(this.#names);
    this.#unsyncedFolders = [];
  }

  async space(): Promise<DiskSpace> {
    await this.#call('space', '');
    return { freeBytes: this.#freeBytes(), totalBytes: this.capacityBytes };
  }

  #freeBytes(): number {
    let used = 0;
    for (const file of new Set(this.#names.values())) used += file.cached.length;
    return Math.max(0, this.capacityBytes - used);
  }

  #changeFolder(change: (names: Map<string, FileState>) => void): void {
    change(this.#names);
    this.#unsyncedFolders.push(new Map(this.#names));
  }

  /** Counts the call and lets the plan decide. After a crash nothing is ever answered. */
  async #call(what: DiskCall['what'], name: string): Promise<void> {
    this.calls++;
    const fault = this.#crashed ? 'CRASH' : this.plan({ number: this.calls, what, name });
    if (fault === 'CRASH') {
      this.#crashed = true;
      await new Promise(() => undefined);
    }
    if (fault === 'HANG') await new Promise(() => undefined);
    // The answer comes later, as from a real disk: other work may come in between.
    await Promise.resolve();
    if (fault !== undefined) throw systemError(fault);
  }

  #handle(name: string, file: FileState, how: OpenMode): VolumeFile {
    const change = (made: Change): void => {
      file.cached = applyChange(file.cached, made);
      file.unsynced.push(made);
    };
    const sync = async (): Promise<void> => {
      try {
        await this.#call('sync', name);
      } catch (error) {
        // The pages are marked clean all the same: what was not written now never will be.
        file.unsynced = [];
        throw error;
      }
      for (const made of file.unsynced) file.durable = applyChange(file.durable, made);
      file.unsynced = [];
    };
    const write = async (pieces: readonly Uint8Array[], position: number): Promise<void> => {
      if (how === 'read') throw systemError('EBADF');
      const bytes = Buffer.concat(pieces);
      const growth = Math.max(0, position + bytes.length - file.cached.length);
      const room = this.#freeBytes();
      try {
        await this.#call('write', name);
      } catch (error) {
        change({ position, bytes: bytes.subarray(0, this.#random.below(bytes.length + 1)) });
        throw error;
      }
      const fits = growth <= room ? bytes.length : bytes.length - (growth - room);
      if (fits > 0) change({ position, bytes: bytes.subarray(0, fits) });
      if (fits < bytes.length) throw systemError('ENOSPC');
    };
    return {
      size: async () => {
        await this.#call('read', name);
        return file.cached.length;
      },
      read: async (into, position) => {
        await this.#call('read', name);
        const from = file.cached.subarray(position, position + into.length);
        into.set(from);
        return from.length;
      },
      write,
      writeDurably: async (pieces, position) => {
        await write(pieces, position);
        await sync();
      },
      truncate: async (sizeBytes) => {
        await this.#call('truncate', name);
        change({ truncateTo: sizeBytes });
      },
      datasync: sync,
      sync,
      close: () => {
        this.openHandles--;
        return Promise.resolve();
      },
    };
  }

  /** All, nothing or some sectors of what was not synced. */
  #survivor({ durable, unsynced }: FileState): FileState {
    const share = [0, 1, 0.5, 0.9][this.#random.below(4)] as number;
    let bytes: Buffer = Buffer.from(durable);
    for (const change of unsynced) {
      if ('truncateTo' in change) {
        if (this.#random.chance(share)) bytes = applyChange(bytes, change);
        continue;
      }
      for (let from = 0; from < change.bytes.length; ) {
        const inSector = SECTOR_BYTES - ((change.position + from) % SECTOR_BYTES);
        const end = Math.min(change.bytes.length, from + inSector);
        const sector = change.bytes.subarray(from, end);
        if (this.#random.chance(share)) {
          bytes = applyChange(bytes, { position: change.position + from, bytes: sector });
        }
        from = end;
      }
    }
    const survivor = new FileState();
    survivor.cached = bytes;
    survivor.durable = Buffer.from(bytes);
    return survivor;
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
