import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { Block } from '../../block.ts';
import { testBlockReclaim } from '../../block-reclaim.conformance.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import { MemoryBlockStore } from './memory-block-store.ts';

testBlockStore('MemoryBlockStore', () => Promise.resolve(new MemoryBlockStore()));

it('MemoryBlockStore is full above its limit, and still takes what it has', async () => {
  const store = new MemoryBlockStore(10);
  const block = Block.of([Buffer.from('ten bytes!')]);
  await store.put(block);
  const more = Block.of([Buffer.from('x')]);
  await assert.rejects(store.put(more), (error) => isKind(error, 'full'));
  await store.put(block);
  assert.equal(store.state().refusesWrites, 'full');
});

testBlockReclaim('MemoryBlockStore', () => {
  const store = new MemoryBlockStore();
  return Promise.resolve({ store, reclaim: store.reclaim });
});
