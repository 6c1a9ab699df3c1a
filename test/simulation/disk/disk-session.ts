/** One program's way to a simulated disk. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DiskSpace, OpenMode, VolumeFile, VolumeFiles }
  from '../../../src/storage/backends/local/volume-files.ts';
import { SECTOR_BYTES, StoredFile } from './disk-content.ts';
import type { CallKind, SimulatedDisk, Verdict } from './simulated-disk.ts';

export class DiskSession implements VolumeFiles {
  readonly #disk: SimulatedDisk;
  /** Whoever opens must close. */
  openHandles = 0;
  #isDead = false;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  die(): void {
    this.#isDead = true;
  }

  async list(): Promise<string[]> {
    await this.#call('folder', '');
    return this.#disk.names();
  }

  async prepare(): Promise<void> {
    await this.#call('folder', '');
  }

  async open(name: string, how: OpenMode): Promise<VolumeFile> {
    await this.#call('open', name);
    const known = this.#disk.folder.names.get(name);
    if ((known === undefined) !== (how === 'create')) {
      throw systemError(known === undefined ? 'ENOENT' : 'EEXIST');
    }
    const file = known ?? new StoredFile();
    if (known === undefined) this.#disk.folder.change((names) => names.set(name, file));
    this.openHandles++;
    return this.#handle(name, file, how);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call('rename', from);
    const file = this.#disk.folder.names.get(from);
    if (file === undefined) throw systemError('ENOENT');
    this.#disk.folder.change((names) => {
      names.delete(from);
      names.set(to, file);
    });
  }

  async remove(name: string): Promise<void> {
    await this.#call('remove', name);
    if (!this.#disk.folder.names.has(name)) throw systemError('ENOENT');
    this.#disk.folder.change((names) => names.delete(name));
  }

  async syncFolder(): Promise<void> {
    await this.#call('folder', '');
    this.#disk.folder.sync();
  }

  async space(): Promise<DiskSpace> {
    await this.#call('space', '');
    return { freeBytes: this.#disk.freeBytes, totalBytes: this.#disk.capacityBytes };
  }

  /** Lets the watcher decide. A dead program is never answered. */
  async #call(what: CallKind, name: string): Promise<Verdict> {
    const { watcher } = this.#disk;
    const call = { what, name };
    const goesOn = !this.#isDead && watcher.onCall(call);
    const verdict = goesOn ? watcher.judge(call) : 'hang';
    if (verdict === 'hang') await forEver();
    // The answer comes later, as from a real disk: other work may come in between.
    await Promise.resolve();
    if (typeof verdict === 'object' && 'turns' in verdict) {
      for (let turns = 0; turns < verdict.turns; turns++) await nextTurn();
      if (this.#isDead) await forEver();
    }
    if (typeof verdict === 'object' && 'fail' in verdict) throw systemError(verdict.fail);
    return verdict;
  }

  #handle(name: string, file: StoredFile, how: OpenMode): VolumeFile {
    const sync = (): Promise<void> => this.#sync(name, file);
    const write = (pieces: readonly Uint8Array[], position: number): Promise<void> => {
      if (how === 'read') return Promise.reject(systemError('EBADF'));
      return this.#write(name, file, { bytes: Buffer.concat(pieces), position });
    };
    return {
      size: async () => {
        await this.#call('read', name);
        return file.cached.length;
      },
      read: async (into, position) => {
        await this.#call('read', name);
        const from = file.cached.view().subarray(position, position + into.length);
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
        file.change({ kind: 'truncate', sizeBytes });
      },
      datasync: sync,
      sync,
      close: () => {
        this.openHandles--;
        return Promise.resolve();
      },
    };
  }

  async #sync(name: string, file: StoredFile): Promise<void> {
    try {
      await this.#call('sync', name);
    } catch (error) {
      if (file.unsynced.length > 0) this.#disk.watcher.note('a failed sync dropped bytes');
      file.dropUnsynced();
      throw error;
    }
    file.sync();
  }

  async #write(
    name: string, file: StoredFile, { bytes, position }: { bytes: Buffer; position: number },
  ): Promise<void> {
    const { watcher } = this.#disk;
    let verdict: Verdict;
    try {
      verdict = await this.#call('write', name);
    } catch (error) {
      const part = bytes.subarray(0, watcher.chance().below(bytes.length + 1));
      if (part.length > 0) file.change({ kind: 'write', position, bytes: part });
      throw error;
    }
    // Another write may have taken the room while this one was slow.
    const growth = Math.max(0, position + bytes.length - file.cached.length);
    const fits = Math.max(0, bytes.length - Math.max(0, growth - this.#disk.freeBytes));
    const taken = bytes.subarray(0, fits);
    if (verdict === 'misdirect' || verdict === 'lose') this.#stray(verdict, file, taken, position);
    else if (fits > 0) file.change({ kind: 'write', position, bytes: taken });
    if (fits < bytes.length) throw systemError('ENOSPC');
  }

  /** The program is told of success. The file has its new length, with zeros or what was there. */
  #stray(verdict: 'misdirect' | 'lose', file: StoredFile, bytes: Buffer, position: number): void {
    const end = position + bytes.length;
    if (end > file.cached.length) file.change({ kind: 'truncate', sizeBytes: end });
    const { watcher, folder } = this.#disk;
    watcher.note(`a write went ${verdict === 'lose' ? 'nowhere' : 'astray'}`);
    if (verdict === 'lose') return;
    const names = this.#disk.names();
    const victim = names[watcher.chance().below(names.length)];
    const sizeBytes = victim === undefined ? 0 : (folder.names.get(victim)?.cached.length ?? 0);
    const sectors = Math.ceil(sizeBytes / SECTOR_BYTES);
    if (victim === undefined || sectors === 0) return;
    this.#disk.overwrite(victim, watcher.chance().below(sectors) * SECTOR_BYTES, bytes);
  }
}

function forEver(): Promise<never> {
  return new Promise(() => undefined);
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
