/** A disk as the log tells it, call by call, and all that a power cut may leave of it. */
import { createHash } from 'node:crypto';
import {
  applyChange, Folder, SECTOR_BYTES, StoredFile, type Change,
} from '../disk/disk-content.ts';
import { GrowingBytes } from '../disk/growing-bytes.ts';
import type { DiskEvent } from './recording.ts';

/** What lies on a disk after a power cut. */
export interface Remains {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly key: string;
}

export interface Choices {
  readonly writesMax: number;
  readonly sectorsMax: number;
}

interface Unsynced {
  readonly file: StoredFile;
  readonly change: Change;
}

export class ReplayedDisk {
  readonly #folder = new Folder();
  readonly #files = new Map<number, StoredFile>();
  /** In the order of the calls. */
  #unsynced: Unsynced[] = [];

  /** What lay there before the log begins. */
  place(name: string, bytes: Buffer, file: number): void {
    const stored = new StoredFile(bytes);
    this.#files.set(file, stored);
    this.#folder.place(name, stored);
  }

  apply(event: DiskEvent): void {
    switch (event.kind) {
      case 'create': {
        const file = new StoredFile();
        this.#files.set(event.file, file);
        this.#folder.change((names) => names.set(event.name, file));
        return;
      }
      case 'write':
        return this.#change(event.file, {
          kind: 'write', position: event.position, bytes: event.bytes,
        });
      case 'truncate':
        return this.#change(event.file, { kind: 'truncate', sizeBytes: event.sizeBytes });
      case 'sync': {
        const synced = this.#file(event.file);
        synced.sync();
        this.#unsynced = this.#unsynced.filter(({ file }) => file !== synced);
        return;
      }
      case 'rename':
        return this.#folder.change((names) => {
          const file = names.get(event.from);
          names.delete(event.from);
          if (file !== undefined) names.set(event.to, file);
        });
      case 'remove':
        return this.#folder.change((names) => names.delete(event.name));
      case 'folder':
        return this.#folder.sync();
    }
  }

  /** Every state of the folder with every choice of unsynced changes: none, all, those in which at
   *  most `writesMax` are kept or left out, and all but a part of the last write. A disk keeps or
   *  loses single sectors, so each sector of a write counts as a write, up to `sectorsMax`. */
  *remains({ writesMax, sectorsMax }: Choices): Generator<Remains> {
    const sectors = this.#unsynced.flatMap(sectorsOf);
    const keys = new Set<string>();
    for (const names of this.#folder.possible()) {
      for (const units of [this.#unsynced, sectors.length <= sectorsMax ? sectors : []]) {
        for (const choice of keptChoices(units.length, writesMax)) {
          yield* this.#distinct(names, units.filter((_, at) => choice(at)), keys);
        }
      }
      for (const torn of tornLast(this.#unsynced)) yield* this.#distinct(names, torn, keys);
    }
  }

  /** Only the plainest: nothing or everything of what was not synced. */
  *extremes(): Generator<Remains> {
    const keys = new Set<string>();
    const states = this.#folder.possible();
    for (const names of new Set([states[0], states.at(-1)])) {
      if (names === undefined) continue;
      yield* this.#distinct(names, [], keys);
      yield* this.#distinct(names, this.#unsynced, keys);
    }
  }

  *#distinct(
    names: ReadonlyMap<string, StoredFile>, kept: readonly Unsynced[], keys: Set<string>,
  ): Generator<Remains> {
    const files = new Map<string, Buffer>();
    const hash = createHash('sha256');
    for (const [name, file] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const bytes = new GrowingBytes(file.durable.view());
      for (const one of kept) if (one.file === file) applyChange(bytes, one.change);
      files.set(name, bytes.copy());
      hash.update(`${name} ${bytes.length}\n`).update(bytes.view());
    }
    const key = hash.digest('hex');
    if (keys.has(key)) return;
    keys.add(key);
    yield { files, key };
  }

  #change(number: number, change: Change): void {
    const file = this.#file(number);
    file.change(change);
    this.#unsynced.push({ file, change });
  }

  #file(number: number): StoredFile {
    const file = this.#files.get(number);
    if (file === undefined) throw new Error(`the log knows no file ${number}`);
    return file;
  }
}

function sectorsOf({ file, change }: Unsynced): Unsynced[] {
  if (change.kind !== 'write') return [{ file, change }];
  const { bytes, position } = change;
  const sectors: Unsynced[] = [];
  for (let from = 0; from < bytes.length;) {
    const end = Math.min(bytes.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES));
    const part = bytes.subarray(from, end);
    sectors.push({ file, change: { kind: 'write', position: position + from, bytes: part } });
    from = end;
  }
  return sectors;
}

/** Answers, for each choice, which of `count` changes are kept. */
function* keptChoices(count: number, writesMax: number): Generator<(at: number) => boolean> {
  for (const picked of subsets(count, writesMax)) {
    yield (at) => picked.includes(at);
    yield (at) => !picked.includes(at);
  }
}

/** Subsets of the numbers below `count` with at most `sizeMax` members. */
function* subsets(count: number, sizeMax: number, from = 0): Generator<number[]> {
  yield [];
  if (sizeMax === 0) return;
  for (let first = from; first < count; first++) {
    for (const rest of subsets(count, sizeMax - 1, first + 1)) yield [first, ...rest];
  }
}

/** Everything, but of the last write only its first sector, its first half, or all but its first
 *  sector. */
function* tornLast(unsynced: readonly Unsynced[]): Generator<Unsynced[]> {
  const last = unsynced.findLastIndex(({ change }) => change.kind === 'write');
  const torn = unsynced[last];
  if (torn?.change.kind !== 'write') return;
  const { change: { bytes, position }, file } = torn;
  const sector = SECTOR_BYTES - (position % SECTOR_BYTES);
  const half = Math.ceil(bytes.length / 2 / SECTOR_BYTES) * SECTOR_BYTES;
  for (const [from, end] of [[0, sector], [0, half], [sector, bytes.length]] as const) {
    if (from >= bytes.length) continue;
    const part = bytes.subarray(from, end);
    const change = { kind: 'write', position: position + from, bytes: part } as const;
    yield unsynced.map((one, at) => (at === last ? { file, change } : one));
  }
}
