import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lossBeforeReturn, lossWithin } from './absorbing-chain.ts';
import type { Chain } from './absorbing-chain.ts';
import { chainOf } from './redundancy-chain.ts';

function copies(count: number, perYear: number, repairYears: number): Chain {
  const causes = [{ perYear, sources: count, takes: 1 }];
  return chainOf({ shards: count, tolerated: count - 1, causes, repairYears });
}

function near(found: number, wanted: number, tolerance: number): void {
  assert.ok(Math.abs(found / wanted - 1) < tolerance, `${found} instead of ${wanted}`);
}

/** The same chance in 400-bit arithmetic, by the plain power series: slow, and simple. */
const BITS = 400n;
const ONE = 1n << BITS;

function exactLossWithin(chain: Chain, years: number): number {
  const states = chain.length;
  const fixed = (value: number): bigint => {
    const scale = 2 ** 60;
    return (BigInt(Math.round(value * scale)) << BITS) / BigInt(scale);
  };
  const times = (a: bigint[][], b: bigint[][]): bigint[][] => a.map((row) => {
    return row.map((_, to) => row.reduce((sum, value, via) => {
      return sum + ((value * (b[via]?.[to] ?? 0n)) >> BITS);
    }, 0n));
  });
  const doublings = 40n;
  const step = chain.map((row, from) => {
    const flow = row.map((value, to) => (from === to ? 0n : fixed(value * years)));
    flow[from] = -flow.reduce((sum, value) => sum + value, 0n);
    return flow.map((value) => value >> doublings);
  });
  const unit = step.map((_, from) => step.map((_row, to) => (from === to ? ONE : 0n)));
  let term = unit;
  let sum = unit;
  for (let count = 1n; count <= 30n; count++) {
    term = times(term, step).map((row) => row.map((value) => value / count));
    sum = sum.map((row, from) => row.map((value, to) => value + (term[from]?.[to] ?? 0n)));
  }
  for (let done = 0n; done < doublings; done++) sum = times(sum, sum);
  const loss = sum[0]?.[states - 1] ?? 0n;
  return Number((loss << 200n) >> BITS) / 2 ** 200;
}

describe('The chance to have lost something within a time', () => {
  it('is that of a single lifetime for one copy', () => {
    for (const rate of [1e-15, 1e-9, 0.02, 1, 30]) {
      near(lossWithin(copies(1, rate, 1), 1), -Math.expm1(-rate), 1e-12);
    }
  });

  it('is the known formula for two copies', () => {
    for (const [rate, repair] of [[0.5, 0.1], [0.02, 0.01], [3, 1], [0.02, 1e-4]] as const) {
      const mu = 1 / repair;
      const b = 3 * rate + mu;
      const c = 2 * rate * rate;
      const fast = (b + Math.sqrt(b * b - 4 * c)) / 2;
      const slow = c / fast;
      const wanted = -Math.expm1(-slow) -
        (slow / (fast - slow)) * (Math.exp(-slow) - Math.exp(-fast));
      near(lossWithin(copies(2, rate, repair), 1), wanted, 1e-9);
    }
  });

  it('is a year by the mean time to loss for three copies that are repaired fast', () => {
    for (const rate of [1e-4, 0.01, 0.02]) {
      const mu = 8766 / 2;
      const first = 1 / (3 * rate);
      const second = (1 + mu * first) / (2 * rate);
      const third = (1 + 2 * mu * second) / rate;
      near(lossWithin(copies(3, rate, 1 / mu), 1), 1 / (first + second + third), 1e-3);
    }
  });

  it('agrees with arithmetic of 120 digits where doubles would say 0', () => {
    for (const [count, rate, mu] of [[2, 1, 10], [3, 0.02, 8766], [5, 0.02, 8766]] as const) {
      const chain = copies(count, rate, 1 / mu);
      near(lossWithin(chain, 1), exactLossWithin(chain, 1), 1e-8);
    }
  });

  it('loses no precision in a year of repairs that take a millisecond', () => {
    const mu = 8766 * 3600 * 1000;
    const first = 1 / (2 * 0.02);
    const second = (1 + mu * first) / 0.02;
    near(lossWithin(copies(2, 0.02, 1 / mu), 1), 1 / (first + second), 1e-9);
  });

  it('keeps 27 nines and more apart from 0', () => {
    const chance = lossWithin(copies(6, 0.02, 1 / 8766), 1);
    assert.ok(chance > 1e-31 && chance < 1e-27, String(chance));
    near(lossWithin(copies(6, 0.02, 1 / 8766), 2), 2 * chance, 1e-3);
  });

  it('is 0 when nothing ever fails, and 1 in the end when things do', () => {
    assert.equal(lossWithin(copies(2, 0, 0.1), 1), 0);
    assert.equal(lossWithin(copies(2, 1, 0.1), 0), 0);
    near(lossWithin(copies(2, 100, 0.1), 10), 1, 1e-12);
  });
});

describe('The chance to lose something before all is whole again', () => {
  it('is a race between failure and repair for the last copy', () => {
    const chain = copies(2, 0.5, 0.1);
    near(lossBeforeReturn(chain, 1), 0.5 / (0.5 + 10), 1e-14);
    assert.equal(lossBeforeReturn(chain, 0), 0);
    assert.equal(lossBeforeReturn(chain, 2), 1);
  });

  it('counts the ways there and back for three copies', () => {
    // From 1: on to 2 or back to 0; from 2: lost or back to 1.
    const on = (2 * 0.5) / (2 * 0.5 + 10);
    const lost = 0.5 / (0.5 + 20);
    const wanted = (on * lost) / (1 - on * (1 - lost));
    near(lossBeforeReturn(copies(3, 0.5, 0.1), 1), wanted, 1e-12);
    near(lossBeforeReturn(copies(3, 0.5, 0.1), 2), lost + (1 - lost) * wanted, 1e-12);
  });
});
