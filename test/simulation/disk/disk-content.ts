/**
 * What a disk holds, and what only the system's page cache holds: files whose changes are not
 * synced, and a folder whose changes are not synced. A power cut leaves a choice of the unsynced
 * changes; the choice is the caller's, random in histories and exhaustive in crash states.
 */
import { GrowingBytes } from './growing-bytes.ts';

export const SECTOR_BYTES = 512;

export type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

/** One file, whatever it is called. */
export class StoredFile {
  /** What programs see. */
  readonly cached: GrowingBytes;
  /** What is on the disk for certain. */
  durable: GrowingBytes;
  unsynced: Change[] = [];

  constructor(bytes: Uint8Array = Buffer.alloc(0)) {
    this.cached = new GrowingBytes(bytes);
    this.durable = new GrowingBytes(bytes);
  }

  change(change: Change): void {
    applyChange(this.cached, change);
    this.unsynced.push(change);
  }

  sync(): void {
    for (const change of this.unsynced) applyChange(this.durable, change);
    this.unsynced = [];
  }

  /** A sync that failed marks the pages as clean all the same: what was not written now never will
   *  be, while programs still see it. */
  dropUnsynced(): void {
    this.unsynced = [];
  }
}

export function applyChange(bytes: GrowingBytes, change: Change): void {
  if (change.kind === 'truncate') bytes.resize(change.sizeBytes);
  else bytes.write(change.bytes, change.position);
}

export type Names = ReadonlyMap<string, StoredFile>;

/** The folder: names now, names on the disk, and the names after each change between. */
export class Folder {
  #names = new Map<string, StoredFile>();
  #durable: Names = new Map();
  #unsynced: Names[] = [];

  get names(): Names {
    return this.#names;
  }

  change(act: (names: Map<string, StoredFile>) => void): void {
    act(this.#names);
    this.#unsynced.push(new Map(this.#names));
  }

  sync(): void {
    this.#durable = new Map(this.#names);
    this.#unsynced = [];
  }

  /** What a power cut may leave: a journal keeps the changes in their order. */
  possible(): readonly Names[] {
    return [this.#durable, ...this.#unsynced];
  }

  /** Puts a file there behind everybody's back, durably. */
  place(name: string, file: StoredFile): void {
    this.#names.set(name, file);
    this.#durable = new Map([...this.#durable, [name, file]]);
    this.#unsynced = this.#unsynced.map((names) => new Map([...names, [name, file]]));
  }

  reset(names: Names): void {
    this.#names = new Map(names);
    this.#durable = new Map(names);
    this.#unsynced = [];
  }
}
