import { ManualClock } from '../../../clock.ts';
import { testLeases } from '../../leases.conformance.ts';
import { MemoryLeases } from './memory-leases.ts';

testLeases('MemoryLeases', async () => {
  const clock = new ManualClock(1_000_000);
  const leases = new MemoryLeases(clock);
  return {
    leases, again: async () => new MemoryLeases(clock, leases), pass: (ms) => clock.advance(ms),
  };
});
