/** The states of many workloads, for a thread of their own. */
import { Bench } from './bench.ts';
import { enumerateStates, type Effort, type Tally } from './enumerate.ts';
import type { EventLog } from './recording.ts';
import { allWorkloads, SCENARIOS, type Workload } from './workloads.ts';

export const MANY: URL = new URL(import.meta.url);

export interface Enumerated extends Tally {
  readonly workloads: number;
}

/** Of all workloads up to that length. @throws what is wrong with a state, and where. */
export function enumerateShort(lengthMax: number, effort: Effort): Promise<Enumerated> {
  return enumerateAll(allWorkloads(lengthMax), effort);
}

export function enumerateScenarios(effort: Effort): Promise<Enumerated> {
  return enumerateAll(SCENARIOS, effort);
}

export async function record({ setup, run }: Workload): Promise<EventLog> {
  const bench = new Bench(setup);
  await bench.open();
  await run(bench);
  return bench.log;
}

async function enumerateAll(workloads: readonly Workload[], effort: Effort): Promise<Enumerated> {
  const sum = { workloads: workloads.length, states: 0, secondStates: 0, calls: 0 };
  for (const workload of workloads) {
    const log = await record(workload);
    const { states, secondStates, calls } = await enumerateStates(workload.setup, log, effort)
      .catch((error: unknown) => {
        throw new Error(`${workload.name}: ${String(error)}`, { cause: error });
      });
    sum.states += states;
    sum.secondStates += secondStates;
    sum.calls += calls;
  }
  return sum;
}
