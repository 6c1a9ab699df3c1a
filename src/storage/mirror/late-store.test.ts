import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HoldfastError, isKind } from '../../base/errors.ts';
import { ManualClock } from '../../platform/index.ts';
import { MemoryBlockStore } from '../backends/memory/memory-block-store.ts';
import { Block } from '../block.ts';
import { testBlockStore } from '../block-store.conformance.ts';
import type { BlockStore } from '../block-store.ts';
import { LateStore } from './late-store.ts';

const WAIT_MS = 1_000;
const RETRY_MS = 5_000;

function options(open: () => Promise<BlockStore>, failures: unknown[] = []) {
  const clock = new ManualClock(0);
  const onFailure = (error: unknown): void => void failures.push(error);
  return { clock, open, waitMs: WAIT_MS, retryMs: RETRY_MS, onFailure };
}

testBlockStore('LateStore', () => LateStore.open(options(async () => new MemoryBlockStore())));

const away = (): HoldfastError => new HoldfastError('unavailable', 'test', 'It is away.');
const unavailable = (error: unknown): boolean => isKind(error, 'unavailable');
const block = Block.of([Buffer.from('kept')]);

it('LateStore is unavailable, never empty, until its store can be opened', async () => {
  const behind = new MemoryBlockStore();
  await behind.put(block);
  const failures: unknown[] = [];
  let isAway = true;
  const open = () => (isAway ? Promise.reject(away()) : Promise.resolve(behind));
  const given = options(open, failures);
  const store = await LateStore.open(given);
  await assert.rejects(store.get(block.id), unavailable);
  await assert.rejects(store.find(block.id), unavailable);
  await assert.rejects(store.put(block), unavailable);
  await assert.rejects(Array.fromAsync(store.list()), unavailable);
  assert.equal(store.state().refusesWrites, 'failed');
  given.clock.advance(RETRY_MS);
  await new Promise(setImmediate);
  await assert.rejects(store.get(block.id), unavailable);
  assert.equal(failures.length, 2);
  isAway = false;
  given.clock.advance(RETRY_MS);
  await new Promise(setImmediate);
  assert.equal((await store.get(block.id)).toString(), 'kept');
  assert.equal(store.state().blockCount, 1);
  await store.close();
});

it('LateStore does not wait longer than it should for a store that never answers', async () => {
  const opening = Promise.withResolvers<BlockStore>();
  const given = options(() => opening.promise);
  const opened = LateStore.open(given);
  given.clock.advance(WAIT_MS);
  const store = await opened;
  await assert.rejects(store.get(block.id), unavailable);
  const behind = new MemoryBlockStore();
  await behind.put(block);
  opening.resolve(behind);
  await opening.promise;
  await new Promise(setImmediate);
  assert.equal((await store.get(block.id)).toString(), 'kept');
  await store.close();
  await assert.rejects(behind.get(block.id), unavailable, 'it closes what it has opened');
});

it('LateStore fails at once where waiting is no use, and tries no more once closed', async () => {
  const foreign = new HoldfastError('conflict', 'test', 'It is another server\'s.');
  const opened = LateStore.open(options(() => Promise.reject(foreign)));
  await assert.rejects(opened, (error) => error === foreign);
  let tries = 0;
  const given = options(() => {
    tries += 1;
    return Promise.reject(away());
  });
  const store = await LateStore.open(given);
  await store.close();
  given.clock.advance(10 * RETRY_MS);
  assert.equal(tries, 1);
});
