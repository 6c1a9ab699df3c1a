/** The blocks of one volume that is not sealed yet: what its footer will list. */

export const ENTRY_BYTES = 48;
const CHUNK_ENTRIES = 4096;

/**
 * Entries of 48 bytes, in the order of writing: the id, where its record header lies, the size.
 * In chunks, so that it grows without copying what it has.
 */
export class VolumeEntries {
  readonly #chunks: Buffer[] = [];
  #count = 0;
  #storedBytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Sum of the blocks' sizes. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** `id` holds the 32 bytes of the id from `idAt` on. */
  add(id: Buffer, idAt: number, { offset, sizeBytes }: EntryPlace): void {
    const slot = this.#count % CHUNK_ENTRIES;
    if (slot === 0) this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_ENTRIES * ENTRY_BYTES));
    const chunk = this.#chunks[this.#chunks.length - 1] as Buffer;
    const at = slot * ENTRY_BYTES;
    id.copy(chunk, at, idAt, idAt + 32);
    chunk.writeUInt32LE(offset % 0x1_0000_0000, at + 32);
    chunk.writeUInt32LE(Math.floor(offset / 0x1_0000_0000), at + 36);
    chunk.writeUInt32LE(sizeBytes, at + 40);
    chunk.writeUInt32LE(sizeBytes, at + 44);
    this.#count++;
    this.#storedBytes += sizeBytes;
  }

  /** Adds `count` entries that are laid out like ours, from `start` on. */
  addAll(bytes: Buffer, start: number, count: number): void {
    for (let done = 0; done < count; ) {
      const slot = this.#count % CHUNK_ENTRIES;
      if (slot === 0) this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_ENTRIES * ENTRY_BYTES));
      const chunk = this.#chunks[this.#chunks.length - 1] as Buffer;
      const take = Math.min(count - done, CHUNK_ENTRIES - slot);
      const from = start + done * ENTRY_BYTES;
      bytes.copy(chunk, slot * ENTRY_BYTES, from, from + take * ENTRY_BYTES);
      this.#count += take;
      done += take;
    }
    for (let at = start + 40, left = count; left > 0; left--, at += ENTRY_BYTES) {
      this.#storedBytes += bytes.readUInt32LE(at);
    }
  }

  /** The entries' numbers, grouped by the first byte of the id; `ends` tells where groups end. */
  groupByFirstByte(): { order: Uint32Array; ends: Uint32Array } {
    const count = this.#count;
    const ends = new Uint32Array(256);
    const firstOf = (number: number): number => {
      const chunk = this.#chunks[Math.floor(number / CHUNK_ENTRIES)] as Buffer;
      return chunk[(number % CHUNK_ENTRIES) * ENTRY_BYTES] as number;
    };
    for (let number = 0; number < count; number++) {
      const first = firstOf(number);
      ends[first] = (ends[first] as number) + 1;
    }
    for (let first = 1; first < 256; first++) {
      ends[first] = (ends[first] as number) + (ends[first - 1] as number);
    }
    const next = new Uint32Array(256);
    next.set(ends.subarray(0, 255), 1);
    const order = new Uint32Array(count);
    for (let number = 0; number < count; number++) {
      const first = firstOf(number);
      order[next[first] as number] = number;
      next[first] = (next[first] as number) + 1;
    }
    return { order, ends };
  }

  /** Forgets the entries that lie at or behind `end`; they are the last ones. */
  dropFrom(end: number): void {
    while (this.#count > 0) {
      const { bytes, at } = this.at(this.#count - 1);
      const { offset, sizeBytes } = readPlace(bytes, at);
      if (offset < end) return;
      this.#count--;
      this.#storedBytes -= sizeBytes;
      if (this.#count % CHUNK_ENTRIES === 0) this.#chunks.pop();
    }
  }

  /** The entry's bytes, for reading only. */
  at(number: number): { bytes: Buffer; at: number } {
    const bytes = this.#chunks[Math.floor(number / CHUNK_ENTRIES)] as Buffer;
    return { bytes, at: (number % CHUNK_ENTRIES) * ENTRY_BYTES };
  }

  /** The bytes of the entries from `first` up to, not including, `end`. */
  slices(first: number, end: number): Buffer[] {
    const slices: Buffer[] = [];
    for (let number = first; number < end; ) {
      const { bytes, at } = this.at(number);
      const take = Math.min(end - number, CHUNK_ENTRIES - (number % CHUNK_ENTRIES));
      slices.push(bytes.subarray(at, at + take * ENTRY_BYTES));
      number += take;
    }
    return slices;
  }
}

export interface EntryPlace {
  offset: number;
  sizeBytes: number;
}

/** Reads the place out of an entry's bytes. */
export function readPlace(bytes: Buffer, at: number): EntryPlace {
  const offset = bytes.readUInt32LE(at + 32) + bytes.readUInt32LE(at + 36) * 0x1_0000_0000;
  return { offset, sizeBytes: bytes.readUInt32LE(at + 40) };
}
