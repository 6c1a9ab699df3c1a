/**
 * Every state that a power cut may leave, after each call to a disk, of many short workloads: each
 * one starts, has everything that was acknowledged, and finds the same when it starts again.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { settings } from '../support/settings.ts';
import { apart } from './apart.ts';
import { ONE_DISK } from './crash-states/bench.ts';
import { enumerateStates, type Effort } from './crash-states/enumerate.ts';
import { MANY, record, type Enumerated } from './crash-states/many.ts';
import type { LogEvent } from './crash-states/recording.ts';
import type { Workload } from './crash-states/workloads.ts';

const EFFORT: Effort = {
  writesMax: settings.crashStateWrites, sectorsMax: 14 * settings.crashStateWrites, secondEvery: 12,
};

async function report(test: TestContext, enumerating: Promise<Enumerated>): Promise<void> {
  const { workloads, calls, states, secondStates } = await enumerating;
  test.diagnostic(`${workloads} workloads with ${calls} calls: ${states} states, and `
    + `${secondStates} after a power cut during a start`);
  assert.ok(states > 1000, 'too few states prove nothing');
}

describe('the store after a power cut', () => {
  it('keeps its promises in every state of all short workloads', (test) =>
    report(test, apart(MANY, 'enumerateShort', settings.crashStateOperations, EFFORT)));

  it('keeps its promises in every state of the workloads that were thought out', (test) =>
    report(test, apart(MANY, 'enumerateScenarios', EFFORT)));
});

describe('the enumeration of states', () => {
  const workload: Workload = {
    name: 'rolls over', setup: ONE_DISK,
    run: async (bench) => {
      for (let count = 0; count < 4; count++) await bench.put(4500);
    },
  };

  it('would find a sync that is missing, whichever it is', async () => {
    const { events } = await record(workload);
    const stored = events.findIndex(({ kind }) => kind === 'stored');
    const isSync = ({ kind }: LogEvent): boolean => kind === 'sync' || kind === 'folder';
    const numbers = [...events.keys()].filter((at) => isSync(events[at] as LogEvent));
    const harmless: string[] = [];
    for (const number of numbers.filter((at) => at < stored)) {
      const without = events.filter((_, at) => at !== number);
      const found = await enumerateStates(ONE_DISK, { events: without, from: 0 }, EFFORT)
        .then(() => false, () => true);
      if (!found) harmless.push(`${number}: ${(events[number] as LogEvent).kind}`);
    }
    assert.deepEqual(harmless, [], 'nobody misses these syncs');
    assert.ok(numbers.length > 3);
  });

  it('would find a volume that is named before its bytes are durable', async () => {
    const events = [...(await record(workload)).events];
    const renamed = events.findIndex(({ kind }) => kind === 'rename');
    const synced = events.findLastIndex(({ kind }, at) => kind === 'sync' && at < renamed);
    const [sync] = events.splice(synced, 1);
    events.splice(renamed + 1, 0, sync as LogEvent);
    await assert.rejects(enumerateStates(ONE_DISK, { events, from: 0 }, EFFORT));
  });
});
