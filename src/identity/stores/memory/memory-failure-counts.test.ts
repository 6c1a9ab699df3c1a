import { ManualClock } from '../../../platform/index.ts';
import { testFailureCounts } from '../../failure-counts.conformance.ts';
import { MemoryFailureCounts } from './memory-failure-counts.ts';

const COUNT_MAX = 20;

testFailureCounts('MemoryFailureCounts', async () => {
  const counts = new MemoryFailureCounts(new ManualClock(1_000_000), COUNT_MAX);
  return { counts, other: counts, countMax: COUNT_MAX, sweep: () => Promise.resolve() };
});
