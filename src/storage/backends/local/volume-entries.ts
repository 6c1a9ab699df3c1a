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
