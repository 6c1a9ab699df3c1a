/**
 * A disk in memory that can do what real ones do: lose power, forget what a failed sync should have
 * written, tear a write, put it in the wrong place, rot, fill up, be slow, and never answer.
 *
 * The disk outlives programs. A program talks to it through a session; when the program dies its
 * session falls silent for ever, and the next program gets another one.
 */
import { DiskSession } from './disk-session.ts';
import { Folder, SECTOR_BYTES, StoredFile, applyChange, type Names } from './disk-content.ts';
import { GrowingBytes } from './growing-bytes.ts';

export type CallKind =
  | 'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'folder' | 'space';

export interface DiskCall {
  readonly what: CallKind;
  readonly name: string;
}

/** What becomes of a call: nothing special, an error, no answer, an answer after so many turns, or,
 *  for writes alone, success although the bytes went elsewhere or nowhere. */
export type Verdict =
  | undefined
  | { readonly fail: string }
  | { readonly turns: number }
  | 'hang' | 'misdirect' | 'lose';

export interface Chance {
  next(): number;
  below(end: number): number;
}

export interface DiskWatcher {
  /** Before each call; false: the machine is dead, and the call is never answered. */
  onCall(call: DiskCall): boolean;
  judge(call: DiskCall): Verdict;
  chance(): Chance;
  /** Something rare has happened. */
  note(point: string): void;
}

export class SimulatedDisk {
  readonly folder = new Folder();
  readonly watcher: DiskWatcher;
  capacityBytes = 1024 ** 3;
  #session: DiskSession | undefined;

  constructor(watcher: DiskWatcher) {
    this.watcher = watcher;
  }

  /** For a new program. The one before is dead from now on. */
  attach(): DiskSession {
    this.#session?.die();
    this.#session = new DiskSession(this);
    return this.#session;
  }

  get openHandles(): number {
    return this.#session?.openHandles ?? 0;
  }

  get freeBytes(): number {
    let used = 0;
    for (const { cached } of new Set(this.folder.names.values())) used += cached.length;
    return Math.max(0, this.capacityBytes - used);
  }

  names(): string[] {
    return [...this.folder.names.keys()].sort();
  }

  /** A copy of what programs see. */
  content(name: string): Buffer {
    const file = this.folder.names.get(name);
    if (file === undefined) throw new Error(`there is no ${name}`);
    return file.cached.copy();
  }

  /** The program is gone; what the system has in memory lives on. */
  kill(): void {
    this.#session?.die();
  }

  /** The machine loses power: one of the folder's states, and of each file some sectors. */
  cutPower(): void {
    this.kill();
    const chance = this.watcher.chance();
    const possible = this.folder.possible();
    const names = possible[chance.below(possible.length)] as Names;
    const survivors = new Map<StoredFile, StoredFile>();
    const next = new Map<string, StoredFile>();
    for (const [name, file] of names) {
      const survivor = survivors.get(file) ?? survive(file, chance);
      survivors.set(file, survivor);
      next.set(name, survivor);
    }
    this.folder.reset(next);
  }

  /** Everything on it is gone. */
  wipe(): void {
    this.kill();
    this.folder.reset(new Map());
  }

  /** Turns one bit, on the disk and in what programs see. */
  rot(name: string, position: number, bit: number): void {
    const file = this.folder.names.get(name);
    for (const bytes of [file?.cached, file?.durable]) {
      const byte = bytes?.view()[position];
      if (byte !== undefined) bytes?.write(Buffer.of(byte ^ (1 << bit)), position);
    }
  }

  /** Bytes that were meant for another place. */
  overwrite(name: string, position: number, bytes: Buffer): void {
    const file = this.folder.names.get(name);
    for (const there of [file?.cached, file?.durable]) {
      if (there === undefined || position >= there.length) continue;
      there.write(bytes.subarray(0, there.length - position), position);
    }
  }

  place(name: string, bytes: Uint8Array): void {
    this.folder.place(name, new StoredFile(bytes));
  }
}

/** All, nothing or some sectors of what was not synced. */
function survive(file: StoredFile, chance: Chance): StoredFile {
  const share = [0, 1, 0.5, 0.9][chance.below(4)] as number;
  const bytes = new GrowingBytes(file.durable.view());
  for (const change of file.unsynced) {
    if (change.kind === 'truncate') {
      if (chance.next() < share) applyChange(bytes, change);
      continue;
    }
    for (let from = 0; from < change.bytes.length;) {
      const inSector = SECTOR_BYTES - ((change.position + from) % SECTOR_BYTES);
      const end = Math.min(change.bytes.length, from + inSector);
      if (chance.next() < share) {
        bytes.write(change.bytes.subarray(from, end), change.position + from);
      }
      from = end;
    }
  }
  return new StoredFile(bytes.view());
}
