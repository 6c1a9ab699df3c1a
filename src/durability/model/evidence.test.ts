import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lowerBound, poissonAtMost, upperBound, weighEvidence } from './evidence.ts';
import type { Evidence } from './evidence.ts';

function near(found: number, wanted: number, tolerance: number): void {
  assert.ok(Math.abs(found / wanted - 1) < tolerance, `${found} instead of ${wanted}`);
}

const YEAR_MS = 365.25 * 24 * 3600 * 1000;

const CLEAN: Evidence = {
  periodMs: YEAR_MS, blocksKept: 1e6, blocksChecked: 52e6, bytesChecked: 52e12,
  checkIntervalMs: YEAR_MS / 52, blocksBad: 0, repairsDone: 0, blocksLost: 0, coverage: 1,
};

describe('The bounds of a rate', () => {
  it('follow the tables of Poisson limits', () => {
    // One-sided 95 % limits, as in any table of the chi-squared distribution.
    for (const [seen, most] of [[0, 2.996], [1, 4.744], [2, 6.296], [5, 10.513], [10, 16.962]]) {
      near(upperBound(seen as number), most as number, 2e-4);
    }
    for (const [seen, least] of [[1, 0.0513], [2, 0.3554], [5, 1.970], [10, 5.425]]) {
      near(lowerBound(seen as number), least as number, 1e-3);
    }
    assert.equal(lowerBound(0), 0);
  });

  it('leave just the promised doubt', () => {
    for (const seen of [0, 1, 7, 100, 1000]) {
      near(poissonAtMost(seen, upperBound(seen, 0.99)), 0.01, 1e-6);
    }
  });

  it('go on smoothly where the exact sum ends', () => {
    near(upperBound(1001) / upperBound(1000), 1001 / 1000, 2e-3);
    near(lowerBound(1001) / lowerBound(1000), 1001 / 1000, 2e-3);
  });
});

describe('The evidence of the verifiers', () => {
  it('with no loss seen proves one in a third of the block-years', () => {
    const { blockLoss, damage, waiting } = weighEvidence(CLEAN);
    near(blockLoss.atMost, 2.9957 / 1e6, 1e-4);
    near(damage.atMost, 2.9957 / 1, 1e-4);
    assert.equal(blockLoss.perYear, 0);
    assert.equal(waiting, 0);
  });

  it('proves nothing about blocks that were never checked', () => {
    assert.equal(weighEvidence({ ...CLEAN, coverage: 0 }).blockLoss.atMost, Infinity);
    near(weighEvidence({ ...CLEAN, coverage: 0.1 }).blockLoss.atMost, 2.9957 / 1e5, 1e-4);
  });

  it('counts what is damaged and neither repaired nor lost as waiting', () => {
    const seen = { ...CLEAN, blocksBad: 7, repairsDone: 4, blocksLost: 1 };
    const { waiting, blockLoss, damage } = weighEvidence(seen);
    assert.equal(waiting, 2);
    near(blockLoss.perYear, 1e-6, 1e-9);
    assert.ok(damage.atLeast < 7 && damage.atMost > 7);
  });
});
