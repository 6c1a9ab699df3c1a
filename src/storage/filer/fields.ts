/** The small fields of a message, one after the other, little-endian. */
import { badFrame } from './frame-fault.ts';

const TEXT_BYTES_MAX = 0xffff;
const HIGH = 0x1_0000_0000;

/** Grows as it is written. Numbers must be in range: that is the caller's invariant. */
export class FieldWriter {
  #bytes = Buffer.allocUnsafe(64);
  #at = 0;

  u8(value: number): this {
    this.#at = this.#room(1).writeUInt8(value, this.#at);
    return this;
  }

  u32(value: number): this {
    this.#at = this.#room(4).writeUInt32LE(value, this.#at);
    return this;
  }

  /** A whole number from 0 to 2^53 - 1, in 8 bytes. */
  u64(value: number): this {
    this.#room(8).writeUInt32LE(value % HIGH, this.#at);
    this.#at = this.#bytes.writeUInt32LE(Math.floor(value / HIGH), this.#at + 4);
    return this;
  }

  /** As many bytes as there are; the reader knows how many. */
  raw(value: Uint8Array): this {
    this.#room(value.length).set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  text(value: string): this {
    const bytes = Buffer.from(value, 'utf8').subarray(0, TEXT_BYTES_MAX);
    this.#at = this.#room(2).writeUInt16LE(bytes.length, this.#at);
    return this.raw(bytes);
  }

  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #room(countBytes: number): Buffer {
    if (this.#at + countBytes > this.#bytes.length) {
      const grown = Buffer.allocUnsafe((this.#at + countBytes) * 2);
      this.#bytes.copy(grown, 0, 0, this.#at);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}

/** Every method throws `bad-frame` when the field is not there or not possible. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  u64(): number {
    const at = this.#take(8);
    const value = this.#bytes.readUInt32LE(at) + this.#bytes.readUInt32LE(at + 4) * HIGH;
    if (!Number.isSafeInteger(value)) throw badFrame('a number is too large');
    return value;
  }

  /** A view of the message, not a copy. */
  raw(countBytes: number): Buffer {
    const at = this.#take(countBytes);
    return this.#bytes.subarray(at, at + countBytes);
  }

  text(charactersMax: number): string {
    const countBytes = this.#bytes.readUInt16LE(this.#take(2));
    if (countBytes > charactersMax * 4) throw badFrame('a text is too long');
    const text = this.raw(countBytes).toString('utf8');
    if (text.length > charactersMax) throw badFrame('a text is too long');
    return text;
  }

  /** Nothing may be left: what we do not understand we do not obey. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw badFrame('a message has more fields than known');
  }

  #take(countBytes: number): number {
    const at = this.#at;
    if (at + countBytes > this.#bytes.length) throw badFrame('a message has too few fields');
    this.#at = at + countBytes;
    return at;
  }
}
