/** Randomness, passed in, so that tests can repeat a run from its seed. */
import { randomBytes, randomInt } from 'node:crypto';

export interface Random {
  /** Bytes fit for keys and tokens, from the system's source in production. */
  bytes(count: number): Buffer;
  /** A whole number from 0 up to, but not including, `below` (at most 2^48 - 1). */
  below(below: number): number;
  /** Text fit for URLs that nobody can guess: `byteCount` random bytes in base64url. */
  token(byteCount: number): string;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  below: (below) => randomInt(below),
  token: (byteCount) => randomBytes(byteCount).toString('base64url'),
};

/**
 * The same numbers for the same seed, for tests and simulations. Never for secrets.
 * Marsaglia's xorshift128 with a splitmix start: short, and good enough to choose test cases.
 */
export class SeededRandom implements Random {
  #state: [number, number, number, number];

  constructor(seed: number) {
    let mixed = seed | 0;
    const next = (): number => {
      mixed = (mixed + 0x9e3779b9) | 0;
      let word = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return word ^ (word >>> 15);
    };
    this.#state = [next(), next(), next(), next() | 1];
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let at = 0; at < count; at += 1) bytes[at] = this.#word() >>> 24;
    return bytes;
  }

  below(below: number): number {
    if (!(below > 0)) throw new RangeError('below must be positive');
    return Math.floor((this.#word() / 2 ** 32) * below);
  }

  token(byteCount: number): string {
    return this.bytes(byteCount).toString('base64url');
  }

  #word(): number {
    const [a, b, c, d] = this.#state;
    const mixed = a ^ (a << 11);
    const word = d ^ (d >>> 19) ^ mixed ^ (mixed >>> 8);
    this.#state = [b, c, d, word];
    return word >>> 0;
  }
}
