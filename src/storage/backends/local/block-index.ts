/**
 * Where each block lies: the whole index, in memory.
 *
 * A Map would need 150 bytes and more for each block, and stop the program when it grows. This is
 * an open-addressed hash table in typed arrays of 24 bytes for each slot, cut into 1,024 shards
 * that grow one by one, by a fifth, so no single insertion takes long and slots stay well filled:
 * 24 / 0.85 = 28 to 34 bytes for each block, 29 after a start that knows the count beforehand.
 *
 * The key is 96 bits: the 256 bits of the id folded together with random secret numbers of this
 * process. So nobody can make two blocks on purpose that meet in one slot, and by chance it does
 * not happen. The reader of a block compares the full id with the record all the same.
 */
import { randomBytes } from 'node:crypto';

const SHARDS = 1024;
const SLOT_WORDS = 6;
const LOAD_MAX = 0.85;
const GROWTH = 1.2;
/** Prefilled a bit below the maximum, so that the first insertions do not grow every shard. */
const LOAD_AT_START = 0.82;

/** One free slot, for every shard that has nothing yet: the first insertion replaces it. */
const EMPTY = new Uint32Array(SLOT_WORDS);

export interface BlockPlace {
  volumeId: number;
  /** Of the record header, from the start of the volume; a multiple of 8. */
  offset: number;
  sizeBytes: number;
}

export class BlockIndex {
  readonly #shards: Uint32Array[] = [];
  readonly #counts = new Uint32Array(SHARDS);
  readonly #secret: Uint32Array;
  readonly #key = new Uint32Array(3);
  #count = 0;
  #storedBytes = 0;

  /** `expectedCount` blocks will come at once. */
  constructor(expectedCount = 0) {
    const slots = Math.ceil(expectedCount / SHARDS / LOAD_AT_START);
    for (let at = 0; at < SHARDS; at++) {
      this.#shards.push(slots === 0 ? EMPTY : new Uint32Array((slots + 1) * SLOT_WORDS));
    }
    const random = randomBytes(8 * 4);
    this.#secret = new Uint32Array(8).map((_, at) => random.readUInt32LE(at * 4) | 1);
  }

  get count(): number {
    return this.#count;
  }

  /** Sum of the sizes of all blocks. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Bytes that the table itself takes. */
  get memoryBytes(): number {
    return this.#shards.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** `id` holds the 32 bytes of the id from `at` on. */
  find(id: Buffer, at: number): BlockPlace | undefined {
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    const slot = this.#slotOf(shard);
    const sizeBytes = shard[slot + 5] as number;
    if (sizeBytes === 0) return undefined;
    const offset = (shard[slot + 4] as number) * 8;
    return { volumeId: shard[slot + 3] as number, offset, sizeBytes };
  }

  has(id: Buffer, at: number): boolean {
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    return shard[this.#slotOf(shard) + 5] !== 0;
  }

  /** Adds a block, or moves it to another place. */
  set(id: Buffer, at: number, { volumeId, offset, sizeBytes }: BlockPlace): void {
    const number = this.#fold(id, at);
    let shard = this.#shards[number] as Uint32Array;
    let slot = this.#slotOf(shard);
    const known = shard[slot + 5] as number;
    if (known === 0) {
      const count = (this.#counts[number] as number) + 1;
      this.#counts[number] = count;
      this.#count++;
      if (count * SLOT_WORDS > shard.length * LOAD_MAX) {
        shard = this.#grow(number);
        slot = this.#slotOf(shard);
      }
      shard.set(this.#key, slot);
    }
    this.#storedBytes += sizeBytes - known;
    shard[slot + 3] = volumeId;
    shard[slot + 4] = offset / 8;
    shard[slot + 5] = sizeBytes;
  }

  /** Leaves the folded id in `#key` and returns the number of its shard. */
  #fold(id: Buffer, at: number): number {
    const key = this.#key;
    const secret = this.#secret;
    for (let part = 0; part < 3; part++) {
      let word = Math.imul(wordAt(id, at + part * 4), secret[part] as number);
      word ^= Math.imul(wordAt(id, at + 12 + part * 4), secret[part + 3] as number) >>> 3;
      if (part < 2) {
        const last = Math.imul(wordAt(id, at + 24 + part * 4), secret[part + 6] as number);
        word ^= (last << 7) | (last >>> 25);
      }
      key[part] = word;
    }
    return (key[0] as number) & (SHARDS - 1);
  }

  /** Of the folded key, or of the free slot where it would go. */
  #slotOf(shard: Uint32Array): number {
    const key = this.#key;
    const [first, second, third] = [key[0] as number, key[1] as number, key[2] as number];
    const slots = shard.length / SLOT_WORDS;
    let slot = (second % slots) * SLOT_WORDS;
    while (shard[slot + 5] !== 0) {
      if (shard[slot + 1] === second && shard[slot] === first && shard[slot + 2] === third) break;
      slot += SLOT_WORDS;
      if (slot === shard.length) slot = 0;
    }
    return slot;
  }

  #grow(number: number): Uint32Array {
    const old = this.#shards[number] as Uint32Array;
    const slots = Math.ceil((old.length / SLOT_WORDS) * GROWTH) + 1;
    const grown = new Uint32Array(slots * SLOT_WORDS);
    for (let from = 0; from < old.length; from += SLOT_WORDS) {
      if (old[from + 5] === 0) continue;
      let to = ((old[from + 1] as number) % slots) * SLOT_WORDS;
      while (grown[to + 5] !== 0) to = to + SLOT_WORDS === grown.length ? 0 : to + SLOT_WORDS;
      for (let word = 0; word < SLOT_WORDS; word++) grown[to + word] = old[from + word] as number;
    }
    this.#shards[number] = grown;
    return grown;
  }
}

function wordAt(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
