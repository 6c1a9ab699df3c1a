/**
 * Arithmetic in the field of 256 elements, the bytes. Adding is XOR; multiplying is that of
 * polynomials modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11d), in which the powers of 2 run through all
 * bytes but 0. Every byte but 0 has an inverse, so linear equations can be solved as usual.
 */
import { assert } from '../../base/assert.ts';

const POLYNOMIAL = 0x11d;
/** Twice around, so that a sum of two logarithms needs no reduction. */
const POWERS = new Uint8Array(510);
const LOGARITHMS = new Uint8Array(256);

for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  POWERS[exponent] = value;
  POWERS[exponent + 255] = value;
  LOGARITHMS[value] = exponent;
  value <<= 1;
  if (value > 255) value ^= POLYNOMIAL;
}

export function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return POWERS[(LOGARITHMS[a] as number) + (LOGARITHMS[b] as number)] as number;
}

export function inverse(a: number): number {
  assert(a !== 0, 'nobody divides by zero');
  return POWERS[255 - (LOGARITHMS[a] as number)] as number;
}

/** Rows of coefficients. */
export type Matrix = readonly (readonly number[])[];

export function product(left: Matrix, right: Matrix): number[][] {
  const columns = right[0]?.length ?? 0;
  return left.map((row) => Array.from({ length: columns }, (_, to) => {
    return row.reduce((sum, value, via) => sum ^ multiply(value, right[via]?.[to] ?? 0), 0);
  }));
}

/** Gauss and Jordan's elimination. The matrix must be square and have an inverse. */
export function invert(matrix: Matrix): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, at) => [...row, ...row.map((_, to) => Number(at === to))]);
  for (let at = 0; at < size; at++) {
    const pivot = rows.findIndex((row, index) => index >= at && row[at] !== 0);
    assert(pivot >= 0, 'any k shards determine the others');
    const found = rows[pivot] as number[];
    rows[pivot] = rows[at] as number[];
    const factor = inverse(found[at] as number);
    const scaled = found.map((value) => multiply(value, factor));
    rows[at] = scaled;
    for (const [index, row] of rows.entries()) {
      const times = row[at] as number;
      if (index === at || times === 0) continue;
      rows[index] = row.map((value, to) => value ^ multiply(scaled[to] as number, times));
    }
  }
  return rows.map((row) => row.slice(size));
}
