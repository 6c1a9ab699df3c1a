/** Random rows of faults, and what must hold whichever come. */
import assert from 'node:assert/strict';
import { SeededRandom } from '../../../../platform/index.ts';
import { Block } from '../../../block.ts';
import { SEGMENT_BYTES, type BlockStore } from '../../../block-store.ts';
import type { Fault, FaultProxy } from '../../testing/fault-proxy.ts';

export const PUT_FAULTS: readonly Fault[] = [
  'error-500', 'slow-down', 'reset-request', 'cut-request', 'lost-answer', 'hang', 'dropped',
  'corrupt-request', 'reset-response',
];
export const GET_FAULTS: readonly Fault[] = [
  'error-500', 'slow-down', 'reset-request', 'reset-response', 'lost-answer', 'hang',
  'corrupt-response', 'slow',
];

export interface FaultTrial {
  proxy: FaultProxy;
  /** Behind the proxy. */
  store: BlockStore;
  /** The same store, past the proxy. */
  truth: BlockStore;
}

/** Puts, gets and finds one block for each seed. A failure names its seed. */
export async function tryMixedFaults(trial: FaultTrial, seeds: number): Promise<void> {
  for (let seed = 1; seed <= seeds; seed++) await tryOne(trial, seed);
}

async function tryOne({ proxy, store, truth }: FaultTrial, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const bytes = random.bytes(1 + random.below(2 * SEGMENT_BYTES));
  const block = Block.of([bytes]);
  for (let count = 0; count < 4; count++) spoil(proxy, random);
  const put = await store.put(block).then(() => true, () => false);
  const got = await store.get(block.id).catch(() => undefined);
  const last = await store.read(block.id, bytes.length - 1, 1).catch(() => undefined);
  const found = await store.find(block.id).catch(() => 'not known');
  proxy.heal();
  const really = await truth.get(block.id).catch(() => undefined);
  if (put) assert.ok(really?.equals(bytes), `seed ${seed}: acknowledged and not there`);
  if (put) assert.notEqual(found, undefined, `seed ${seed}: acknowledged and not found`);
  if (got !== undefined) assert.ok(got.equals(bytes), `seed ${seed}: wrong bytes`);
  if (last !== undefined) assert.equal(last[0], bytes.at(-1), `seed ${seed}: a wrong part`);
}

function spoil(proxy: FaultProxy, random: SeededRandom): void {
  // Silence is left out: it is tested by itself, and takes too long here.
  const all = [...PUT_FAULTS, ...GET_FAULTS].filter((fault) => fault !== 'hang');
  const fault = all[random.below(all.length)] as Fault;
  const method = ['PUT', 'GET', 'HEAD'][random.below(3)] as string;
  const times = 1 + random.below(3);
  // A question that is answered as if it were a put would invent an object.
  if (fault === 'dropped' && method !== 'PUT') return;
  proxy.spoil({ fault, method, times, pauseMs: 1 });
}
