/**
 * Every state that a power cut may leave, after each call to a disk, of many short workloads: each
 * one starts, has everything that was acknowledged, and finds the same when it starts again.
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { settings } from '../support/settings.ts';
import { Bench, ONE_DISK } from './crash-states/bench.ts';
import { enumerateStates, type Effort, type Tally } from './crash-states/enumerate.ts';
import type { EventLog, LogEvent } from './crash-states/recording.ts';
import { allWorkloads, SCENARIOS, type Workload } from './crash-states/workloads.ts';

const EFFORT: Effort = {
  writesMax: settings.crashStateWrites, sectorsMax: 14 * settings.crashStateWrites, secondEvery: 12,
};

async function record({ setup, run }: Workload): Promise<EventLog> {
  const bench = new Bench(setup);
  await bench.open();
  await run(bench);
  return bench.log;
}

async function enumerate(workloads: readonly Workload[], test: TestContext): Promise<void> {
  const sum: Tally = { states: 0, secondStates: 0, calls: 0 };
  for (const workload of workloads) {
    const log = await record(workload);
    const { states, secondStates, calls } = await enumerateStates(workload.setup, log, EFFORT)
      .catch((error: unknown) => {
        throw new Error(`${workload.name}: ${String(error)}`, { cause: error });
      });
    sum.states += states;
    sum.secondStates += secondStates;
    sum.calls += calls;
  }
  test.diagnostic(`${workloads.length} workloads with ${sum.calls} calls: ${sum.states} states, `
    + `and ${sum.secondStates} after a power cut during a start`);
  assert.ok(sum.states > 1000, 'too few states prove nothing');
}

describe('the store after a power cut', () => {
  it('keeps its promises in every state of all short workloads', (test) =>
    enumerate(allWorkloads(settings.crashStateOperations), test));

  it('keeps its promises in every state of the workloads that were thought out', (test) =>
    enumerate(SCENARIOS, test));
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
