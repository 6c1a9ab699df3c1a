import { ManualClock } from '../../../../platform/index.ts';
import { testLeavingList } from '../../leaving-list.conformance.ts';
import { MemoryLeavingList } from './memory-leaving-list.ts';

testLeavingList('MemoryLeavingList', async () => {
  const clock = new ManualClock(1_000_000);
  return { list: new MemoryLeavingList(clock), pass: (ms) => clock.advance(ms) };
});
