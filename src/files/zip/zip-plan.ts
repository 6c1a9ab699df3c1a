/**
 * What will be in a zip, and where. Known as a whole before the first byte goes out, so that the
 * length can be said and any range be made; kept in columns of numbers, because a folder can have
 * hundreds of thousands of entries: about 80 bytes each, with a short name.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { NodeId, SpaceId } from '../../base/ids.ts';
import {
  centralHeaderBytes, descriptorBytes, endBytes, localHeaderBytes,
} from './zip-format.ts';
import type { ZipEnd, ZipEntry } from './zip-format.ts';

export const ZIP_ENTRIES_MAX = 1_000_000;
/** Of a whole path in a zip: its length is told with 16 bits. */
const PATH_BYTES_MAX = 0xffff;
/** No folder is above. */
const ROOT = 0xffff_ffff;
const SLASH = 0x2f;
const NUMBER_COLUMNS = 6;
/** Of memory, without the name. */
const ENTRY_BYTES = 4 + 4 + 2 + 1 + 8 * NUMBER_COLUMNS;

/** Which content a file has: it never changes. */
export interface ZipSource {
  readonly spaceId: SpaceId;
  readonly nodeId: NodeId;
  readonly contentRev: number;
}

export interface NewZipEntry extends ZipSource {
  readonly name: string;
  readonly isFolder: boolean;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
  /** Place of its folder in the plan; undefined: it lies at the top. */
  readonly parent: number | undefined;
}

/** Where an entry's parts begin. */
export interface ZipPlace {
  readonly headerBytes: number;
  readonly contentBytes: number;
  readonly descriptorBytes: number;
  readonly endBytes: number;
}

export class ZipPlan {
  count = 0;
  /** Behind the last content. */
  directoryStartBytes = 0;
  directoryBytes = 0;
  #capacity = 0;
  #parent = new Uint32Array(0);
  #nameEnd = new Uint32Array(0);
  #pathBytes = new Uint16Array(0);
  #isFolder = new Uint8Array(0);
  /** Size, time, space, node, revision, offset: one after the other for each entry. */
  #numbers = new Float64Array(0);
  #names = Buffer.alloc(0);
  #namesBytes = 0;
  readonly #reserve: (heldBytes: number) => void;

  /** `reserve` is told how much memory the plan is about to hold in all, and throws to refuse. */
  constructor(reserve: (heldBytes: number) => void = () => undefined) {
    this.#reserve = reserve;
  }

  /** Of memory. */
  get heldBytes(): number {
    return this.#capacity * ENTRY_BYTES + this.#names.length;
  }

  get end(): ZipEnd {
    return {
      entryCount: this.count, startBytes: this.directoryStartBytes,
      lengthBytes: this.directoryBytes,
    };
  }

  get sizeBytes(): number {
    return this.directoryStartBytes + this.directoryBytes + endBytes(this.end);
  }

  /** Answers its place. @throws too-large `zip-entries`: too many, or a path too long. */
  add(entry: NewZipEntry): number {
    const { name, isFolder, sizeBytes, parent } = entry;
    const place = this.count;
    if (place >= ZIP_ENTRIES_MAX) throw tooMany();
    if (place >= this.#capacity) this.#grow();
    const nameBytes = this.#addName(name);
    const above = parent === undefined ? 0 : this.#pathBytes[parent] ?? 0;
    const pathBytes = above + nameBytes + (isFolder ? 1 : 0);
    if (pathBytes > PATH_BYTES_MAX) throw tooMany();
    const offsetBytes = this.directoryStartBytes;
    this.#parent[place] = parent ?? ROOT;
    this.#nameEnd[place] = this.#namesBytes;
    this.#pathBytes[place] = pathBytes;
    this.#isFolder[place] = isFolder ? 1 : 0;
    const { modifiedAt, spaceId, nodeId, contentRev } = entry;
    this.#numbers.set(
      [sizeBytes, modifiedAt, spaceId, nodeId, contentRev, offsetBytes], place * NUMBER_COLUMNS,
    );
    const measured = { isFolder, sizeBytes, pathBytes };
    this.directoryStartBytes += localHeaderBytes(measured) + sizeBytes + descriptorBytes(measured);
    this.directoryBytes += centralHeaderBytes(measured, offsetBytes);
    this.count += 1;
    return place;
  }

  entry(place: number): ZipEntry {
    return {
      path: this.#path(place), isFolder: this.isFolder(place),
      sizeBytes: this.sizeOf(place), modifiedAt: this.#number(place, 1),
    };
  }

  isFolder(place: number): boolean {
    return this.#isFolder[place] === 1;
  }

  sizeOf(place: number): number {
    return this.#number(place, 0);
  }

  source(place: number): ZipSource {
    return {
      spaceId: this.#number(place, 2) as SpaceId, nodeId: this.#number(place, 3) as NodeId,
      contentRev: this.#number(place, 4),
    };
  }

  offsetOf(place: number): number {
    return this.#number(place, 5);
  }

  place(place: number): ZipPlace {
    const isFolder = this.isFolder(place);
    const sizeBytes = this.sizeOf(place);
    const measured = { isFolder, sizeBytes, pathBytes: this.#pathBytes[place] ?? 0 };
    const headerBytes = this.offsetOf(place);
    const contentBytes = headerBytes + localHeaderBytes(measured);
    const behind = contentBytes + sizeBytes;
    const endsAt = behind + descriptorBytes(measured);
    return { headerBytes, contentBytes, descriptorBytes: behind, endBytes: endsAt };
  }

  centralBytes(place: number): number {
    const isFolder = this.isFolder(place);
    const measured = {
      isFolder, sizeBytes: this.sizeOf(place), pathBytes: this.#pathBytes[place] ?? 0,
    };
    return centralHeaderBytes(measured, this.offsetOf(place));
  }

  /** Names from the top down to the entry. */
  names(place: number): string[] {
    const names: string[] = [];
    for (let at = place; at !== ROOT; at = this.#parent[at] ?? ROOT) {
      names.push(this.#name(at).toString('utf8'));
    }
    return names.reverse();
  }

  /** The last entry that begins at or before this byte. */
  placeAt(atBytes: number): number {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.offsetOf(middle) <= atBytes) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #path(place: number): Buffer {
    const path = Buffer.alloc(this.#pathBytes[place] ?? 0);
    let end = path.length;
    for (let at = place; at !== ROOT; at = this.#parent[at] ?? ROOT) {
      if (at !== place || this.isFolder(at)) path[--end] = SLASH;
      const name = this.#name(at);
      end -= name.length;
      name.copy(path, end);
    }
    return path;
  }

  #name(place: number): Buffer {
    const start = place === 0 ? 0 : this.#nameEnd[place - 1] ?? 0;
    return this.#names.subarray(start, this.#nameEnd[place]);
  }

  #number(place: number, column: number): number {
    return this.#numbers[place * NUMBER_COLUMNS + column] ?? 0;
  }

  #addName(name: string): number {
    const bytes = Buffer.byteLength(name);
    if (this.#namesBytes + bytes > this.#names.length) {
      const lengthBytes = Math.max(4096, this.#names.length * 2, bytes * 2);
      this.#reserve(this.#capacity * ENTRY_BYTES + lengthBytes);
      const larger = Buffer.alloc(lengthBytes);
      this.#names.copy(larger);
      this.#names = larger;
    }
    this.#names.write(name, this.#namesBytes);
    this.#namesBytes += bytes;
    return bytes;
  }

  #grow(): void {
    const capacity = Math.max(64, this.#capacity * 2);
    this.#reserve(capacity * ENTRY_BYTES + this.#names.length);
    this.#capacity = capacity;
    this.#parent = grown(this.#parent, new Uint32Array(this.#capacity));
    this.#nameEnd = grown(this.#nameEnd, new Uint32Array(this.#capacity));
    this.#pathBytes = grown(this.#pathBytes, new Uint16Array(this.#capacity));
    this.#isFolder = grown(this.#isFolder, new Uint8Array(this.#capacity));
    const numbers = new Float64Array(this.#capacity * NUMBER_COLUMNS);
    this.#numbers = grown(this.#numbers, numbers);
  }
}

function grown<T extends Uint32Array | Uint16Array | Uint8Array | Float64Array>(
  old: T, larger: T,
): T {
  larger.set(old);
  return larger;
}

function tooMany(): HoldfastError {
  const message = `A zip holds ${ZIP_ENTRIES_MAX} files and folders at most, and no path of more `
    + 'than 65,535 bytes. Take parts of this folder one by one.';
  return new HoldfastError('too-large', 'files/ZipPlan', message, { code: 'zip-entries' });
}
