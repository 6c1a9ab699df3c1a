import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { memoryPeak } from './memory.ts';
import type { Measurement, Outcome } from '../measurement.ts';

function measured(...peaks: number[]): Outcome {
  const all = peaks.map((peakRssMiB): Measurement => ({ value: 1, unit: '/s', peakRssMiB }));
  return { kind: 'measured', median: all[0] ?? { value: 1, unit: '/s' }, all };
}

describe('the memory items', () => {
  it('take the highest peak of all rounds, not the one of the median round', () => {
    const peak = memoryPeak([measured(100, 250, 120), measured(90)]);
    assert.deepEqual(peak?.kind === 'measured' && peak.median, { value: 250, unit: 'MiB' });
  });

  it('are not taken for the whole when what they come from was cut short', () => {
    const part: Measurement = { value: 1, unit: 'MB/s', peakRssMiB: 50, isPartial: true };
    const peak = memoryPeak([{ kind: 'measured', median: part, all: [part] }]);
    assert.equal(peak?.kind === 'measured' && peak.median.isPartial, true);
  });

  it('pass on why nothing was measured, and say nothing about items that were not run', () => {
    const failed: Outcome = { kind: 'failed', reason: 'PUT answered 500' };
    assert.equal(memoryPeak([failed]), failed);
    assert.equal(memoryPeak([]), undefined);
  });
});
