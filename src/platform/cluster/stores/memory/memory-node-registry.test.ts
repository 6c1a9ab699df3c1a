import { ManualClock } from '../../../clock.ts';
import { testNodeRegistry } from '../../node-registry.conformance.ts';
import { MemoryNodeRegistry } from './memory-node-registry.ts';

testNodeRegistry('MemoryNodeRegistry', async () => {
  const clock = new ManualClock(1_000_000);
  return { nodes: new MemoryNodeRegistry(clock), pass: (ms) => clock.advance(ms) };
});
