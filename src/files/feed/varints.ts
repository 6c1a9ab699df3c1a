/** Whole numbers from 0 to 2^53 as few bytes: seven bits each, the lowest first. Pure. */

const BITS = 0x80;
const LENGTH_MAX = 8;

export class VarintWriter {
  readonly #bytes: number[] = [];

  number(value: number): void {
    let rest = value;
    while (rest >= BITS) {
      this.#bytes.push((rest % BITS) + BITS);
      rest = Math.floor(rest / BITS);
    }
    this.#bytes.push(rest);
  }

  /** Ascending numbers, by their distances. */
  ascending(values: readonly number[]): void {
    this.number(values.length);
    let last = 0;
    for (const value of values) {
      this.number(value - last);
      last = value;
    }
  }

  text(value: string): void {
    const bytes = Buffer.from(value);
    this.number(bytes.length);
    this.#bytes.push(...bytes);
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

export class VarintReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** NaN: there is none. */
  number(): number {
    let value = 0;
    let factor = 1;
    for (let length = 0; length < LENGTH_MAX; length += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return NaN;
      this.#at += 1;
      value += (byte % BITS) * factor;
      if (byte < BITS) return Number.isSafeInteger(value) ? value : NaN;
      factor *= BITS;
    }
    return NaN;
  }

  ascending(countMax: number): number[] {
    const count = this.number();
    const values: number[] = [];
    let last = 0;
    if (!(count <= countMax)) return [NaN];
    for (let index = 0; index < count; index += 1) {
      last += this.number();
      values.push(last);
    }
    return values;
  }

  text(bytesMax: number): string | undefined {
    const length = this.number();
    if (!(length <= bytesMax) || this.#at + length > this.#bytes.length) return undefined;
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
}
