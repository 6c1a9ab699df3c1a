/**
 * The code: k data shards and m parity shards, any k of which determine all others.
 *
 * Parity shard r is the sum of the data shards c, each times (16 ^ c) / ((16 + r) ^ c): a Cauchy
 * matrix, of which every square part has an inverse, with its columns scaled so that the first row
 * is all ones. So the first parity is plain XOR, and a shard's coefficient depends neither on k nor
 * on m.
 */
import { assert } from '../../base/assert.ts';
import { inverse, invert, multiply, product } from './galois.ts';
import type { Matrix } from './galois.ts';

export const DATA_SHARDS_MAX = 16;
export const PARITY_SHARDS_MAX = 4;

export interface CodeShape {
  /** k: from 1 to 16. */
  readonly data: number;
  /** m: from 1 to 4. */
  readonly parity: number;
}

export function isCodeShape({ data, parity }: CodeShape): boolean {
  const within = (count: number, max: number): boolean => {
    return Number.isSafeInteger(count) && count >= 1 && count <= max;
  };
  return within(data, DATA_SHARDS_MAX) && within(parity, PARITY_SHARDS_MAX);
}

/** One row of k coefficients for each parity shard. */
export function parityMatrix({ data, parity }: CodeShape): number[][] {
  return Array.from({ length: parity }, (_, row) => Array.from({ length: data }, (_ignored, at) => {
    return multiply(DATA_SHARDS_MAX ^ at, inverse((DATA_SHARDS_MAX + row) ^ at));
  }));
}

/** One row of k coefficients for each wanted shard: the sum of the sources that it is made of.
 *  Shards are numbered from 0, data first. `sources`: k different ones. */
export function recoveryMatrix(
  shape: CodeShape, sources: readonly number[], wanted: readonly number[],
): number[][] {
  assert(new Set(sources).size === shape.data, 'k different shards are needed');
  const parity = parityMatrix(shape);
  const rowsOf = (shards: readonly number[]): Matrix => shards.map((shard) => {
    if (shard >= shape.data) return parity[shard - shape.data] as number[];
    return Array.from({ length: shape.data }, (_, at) => Number(at === shard));
  });
  return product(rowsOf(wanted), invert(rowsOf(sources)));
}

/** Every way in which exactly m shards can be missing. Who survives these survives fewer. */
export function erasurePatterns({ data, parity }: CodeShape): number[][] {
  const grow = (chosen: number[], next: number): number[][] => {
    if (chosen.length === parity) return [chosen];
    const patterns: number[][] = [];
    for (let shard = next; shard < data + parity; shard++) {
      patterns.push(...grow([...chosen, shard], shard + 1));
    }
    return patterns;
  };
  return grow([], 0);
}
