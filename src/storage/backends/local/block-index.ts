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
 *
 * A slot's last word holds the size (23 bits), the number of the census that met the block last
 * (8 bits, of 1 to 255 in turn, 0 for none) and whether it is condemned (1 bit).
 */
import { randomBytes } from 'node:crypto';

const SHARDS = 1024;
const SLOT_WORDS = 6;
const SIZE_MASK = 0x7f_ffff;
const STAMP_SHIFT = 23;
const STAMP_MASK = 0xff << STAMP_SHIFT;
const STAMPS = 255;
const CONDEMNED = 0x8000_0000;
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
  #census = 0;
  #condemnedCount = 0;
  #condemnedBytes = 0;

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

  /** Number of the latest census; 0 before the first. */
  get census(): number {
    return this.#census;
  }

  get condemnedCount(): number {
    return this.#condemnedCount;
  }

  /** Sum of the sizes of all condemned blocks. */
  get condemnedBytes(): number {
    return this.#condemnedBytes;
  }

  /** Bytes that the table itself takes. */
  get memoryBytes(): number {
    return this.#shards.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** From now on it has what the other one has, and nothing else. The other is of no use then. */
  adopt(other: BlockIndex): void {
    this.#shards.splice(0, SHARDS, ...other.#shards);
    this.#counts.set(other.#counts);
    this.#secret.set(other.#secret);
    this.#count = other.#count;
    this.#storedBytes = other.#storedBytes;
    this.#condemnedCount = 0;
    this.#condemnedBytes = 0;
  }

  /** `id` holds the 32 bytes of the id from `at` on. */
  find(id: Buffer, at: number): BlockPlace | undefined {
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    const slot = this.#slotOf(shard);
    return shard[slot + 5] === 0 ? undefined : placeIn(shard, slot);
  }

  has(id: Buffer, at: number): boolean {
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    return shard[this.#slotOf(shard) + 5] !== 0;
  }

  /** Adds a block, or another place of it that counts from now on; it is needed. */
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
    } else this.#acquit(shard, slot);
    this.#storedBytes += sizeBytes - (known & SIZE_MASK);
    shard[slot + 3] = volumeId;
    shard[slot + 4] = offset / 8;
    shard[slot + 5] = sizeBytes | this.#stamp;
  }

  /** A census begins: no block has been met by it yet. */
  beginCensus(): number {
    this.#census++;
    return this.#census;
  }

  /** Somebody needs the block now: the census has met it, and it is not condemned any more. */
  touch(id: Buffer, at: number): BlockPlace | undefined {
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    const slot = this.#slotOf(shard);
    if (shard[slot + 5] === 0) return undefined;
    this.#acquit(shard, slot);
    shard[slot + 5] = ((shard[slot + 5] as number) & SIZE_MASK) | this.#stamp;
    return placeIn(shard, slot);
  }

  /** The size of a block that the census has not met; undefined when it has, or there is none. Its
   *  stamp is wiped, so that a later census that comes to the same number starts from nothing. */
  unmet(id: Buffer, at: number): number | undefined {
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    const slot = this.#slotOf(shard);
    const word = shard[slot + 5] as number;
    if (word === 0 || (word & STAMP_MASK) === this.#stamp) return undefined;
    shard[slot + 5] = word & ~STAMP_MASK;
    return word & SIZE_MASK;
  }

  /** Condemns the block unless the census has met it. */
  condemn(id: Buffer, at: number): boolean {
    const sizeBytes = this.unmet(id, at);
    if (sizeBytes === undefined) return false;
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    const slot = this.#slotOf(shard);
    const word = shard[slot + 5] as number;
    if ((word & CONDEMNED) !== 0) return true;
    shard[slot + 5] = word | CONDEMNED;
    this.#condemnedCount++;
    this.#condemnedBytes += sizeBytes;
    return true;
  }

  isCondemned(id: Buffer, at: number): boolean {
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    return ((shard[this.#slotOf(shard) + 5] as number) & CONDEMNED) !== 0;
  }

  /** The block lies at `to` from now on, if it lay at `from` until now. Needed or not, condemned or
   *  not, it stays what it was. */
  move(id: Buffer, at: number, { from, to }: { from: BlockPlace; to: BlockPlace }): boolean {
    const shard = this.#shards[this.#fold(id, at)] as Uint32Array;
    const slot = this.#slotOf(shard);
    if (!liesAt(shard, slot, from)) return false;
    shard[slot + 3] = to.volumeId;
    shard[slot + 4] = to.offset / 8;
    return true;
  }

  /** Forgets the block if it is condemned and lies at `from`. */
  drop(id: Buffer, at: number, from: BlockPlace): boolean {
    const number = this.#fold(id, at);
    const shard = this.#shards[number] as Uint32Array;
    const slot = this.#slotOf(shard);
    if (!liesAt(shard, slot, from) || !this.isCondemned(id, at)) return false;
    this.#acquit(shard, slot);
    this.#storedBytes -= from.sizeBytes;
    this.#count--;
    this.#counts[number] = (this.#counts[number] as number) - 1;
    closeGap(shard, slot);
    return true;
  }

  get #stamp(): number {
    return this.#census === 0 ? 0 : (((this.#census - 1) % STAMPS) + 1) << STAMP_SHIFT;
  }

  #acquit(shard: Uint32Array, slot: number): void {
    const word = shard[slot + 5] as number;
    if ((word & CONDEMNED) === 0) return;
    shard[slot + 5] = word & ~CONDEMNED;
    this.#condemnedCount--;
    this.#condemnedBytes -= word & SIZE_MASK;
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

function placeIn(shard: Uint32Array, slot: number): BlockPlace {
  return {
    volumeId: shard[slot + 3] as number,
    offset: (shard[slot + 4] as number) * 8,
    sizeBytes: (shard[slot + 5] as number) & SIZE_MASK,
  };
}

function liesAt(shard: Uint32Array, slot: number, { volumeId, offset }: BlockPlace): boolean {
  if (shard[slot + 5] === 0) return false;
  return shard[slot + 3] === volumeId && (shard[slot + 4] as number) * 8 === offset;
}

/** Empties a slot and moves up what would no longer be found behind the hole. */
function closeGap(shard: Uint32Array, emptied: number): void {
  const slots = shard.length / SLOT_WORDS;
  let hole = emptied / SLOT_WORDS;
  for (let slot = hole; ;) {
    slot = (slot + 1) % slots;
    if (shard[slot * SLOT_WORDS + 5] === 0) break;
    const home = (shard[slot * SLOT_WORDS + 1] as number) % slots;
    // It may stay if its home lies behind the hole, on the way from there to where it is.
    if ((slot - home + slots) % slots < (slot - hole + slots) % slots) continue;
    shard.copyWithin(hole * SLOT_WORDS, slot * SLOT_WORDS, (slot + 1) * SLOT_WORDS);
    hole = slot;
  }
  shard.fill(0, hole * SLOT_WORDS, (hole + 1) * SLOT_WORDS);
}

function wordAt(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
