/**
 * Replays a log call by call, lets the power go after each one, and looks at every state that this
 * may leave: what was acknowledged is there, nothing is wrong, and a second start finds the same.
 */
import assert from 'node:assert/strict';
import type { BlockId } from '../../../src/base/ids.ts';
import type { Witness } from '../../../src/base/witness.ts';
import { Bench, bytesOf, type BenchSetup } from './bench.ts';
import type { DiskEvent, EventLog, LogEvent } from './recording.ts';
import { ReplayedDisk, type Choices, type Remains } from './replayed-disk.ts';

export interface Tally {
  /** Different states that a start was made from. */
  states: number;
  /** Of those, after a power cut during a start. */
  secondStates: number;
  calls: number;
}

export interface Effort extends Choices {
  /** Power cuts during a start are looked at for one state in so many. */
  readonly secondEvery: number;
}

/** What was promised up to some call. */
interface Promises {
  readonly stored: ReadonlySet<BlockId>;
  readonly witness: Witness;
}

/** @throws AssertionError, and says after which call. */
export async function enumerateStates(
  setup: BenchSetup, { events, from }: Pick<EventLog, 'events' | 'from'>, effort: Effort,
): Promise<Tally> {
  // Each further disk multiplies the states, and what is special about disks is not their sectors.
  const choices = setup.disks === 1 ? effort : { ...effort, sectorsMax: 0 };
  const tally: Tally = { states: 0, secondStates: 0, calls: 0 };
  const disks = Array.from({ length: setup.disks }, () => new ReplayedDisk());
  const stored = new Set<BlockId>();
  let witness: Witness = [];
  const known = new Set<string>();
  for (const [at, event] of events.entries()) {
    if (event.kind === 'stored') {
      stored.add(event.id);
      ({ witness } = event);
    } else if (event.kind === 'unneeded') stored.delete(event.id);
    else {
      tally.calls++;
      disks[event.disk]?.apply(event);
    }
    if (at < from) continue;
    for (const remains of combinations(disks, choices)) {
      const key = `${stored.size} ${remains.map((one) => one.key).join(' ')}`;
      if (known.has(key)) continue;
      known.add(key);
      const promises = { stored, witness: tally.states % 2 === 0 ? witness : [] };
      const wantsSecond = tally.states++ % effort.secondEvery === 0;
      try {
        const log = await checkState(setup, remains, promises);
        if (wantsSecond) {
          tally.secondStates += await checkSecond(setup, { remains, ...log }, promises);
        }
      } catch (error) {
        throw new Error(`after call ${tally.calls}, ${describe(events, at)}, with `
          + `${remains.map(sizesOf).join(' | ')}: ${String(error)}`, { cause: error });
      }
    }
  }
  return tally;
}

/** One disk in all its states, the others with nothing or everything of what was not synced. */
function* combinations(
  disks: readonly ReplayedDisk[], choices: Choices,
): Generator<readonly Remains[]> {
  const extremes = disks.map((disk) => [...disk.extremes()]);
  for (const [varied, disk] of disks.entries()) {
    const columns = extremes.map((plain, number) =>
      (number === varied ? [...disk.remains(choices)] : plain));
    yield* product(columns);
  }
}

function* product(columns: readonly (readonly Remains[])[]): Generator<readonly Remains[]> {
  const [first, ...others] = columns;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const one of first) {
    for (const rest of product(others)) yield [one, ...rest];
  }
}

interface Recovery {
  readonly events: readonly LogEvent[];
  /** Numbers of the files that lay there, for the log. */
  readonly numbers: readonly ReadonlyMap<string, number>[];
}

/** Starts from it, checks, and starts again. */
async function checkState(
  setup: BenchSetup, remains: readonly Remains[], { stored, witness }: Promises,
): Promise<Recovery> {
  const bench = new Bench(setup, remains);
  const numbers = remains.map(({ files }, disk) =>
    new Map([...files.keys()].map((name) => [name, bench.numberOf(disk, name)])));
  await bench.open(witness);
  const events = [...bench.log.events];
  await checkPromises(bench, stored);
  const { blockCount, damagedCount } = bench.store.state();
  assert.equal(damagedCount, 0, 'a power cut was taken for decay');
  // What the first start did must be done for good.
  for (const disk of bench.disks) disk.cutPower();
  await bench.open(witness);
  assert.equal(bench.store.state().blockCount, blockCount, 'a second start finds something else');
  await checkPromises(bench, stored);
  return { events, numbers };
}

async function checkPromises({ store }: Bench, stored: ReadonlySet<BlockId>): Promise<void> {
  for (const id of stored) {
    const bytes = await store.get(id);
    assert.ok(bytesOf(id)?.equals(bytes), 'an acknowledged block came back changed');
  }
  for await (const id of store.list()) {
    if (stored.has(id)) continue;
    assert.ok(bytesOf(id)?.equals(await store.get(id)), 'a block was never put like this');
  }
}

/** The power goes once more, while it starts. */
async function checkSecond(
  setup: BenchSetup,
  first: Recovery & { readonly remains: readonly Remains[] },
  promises: Promises,
): Promise<number> {
  const disks = first.remains.map(({ files }, number) => {
    const disk = new ReplayedDisk();
    for (const [name, bytes] of files) {
      disk.place(name, bytes, first.numbers[number]?.get(name) ?? -1);
    }
    return disk;
  });
  const known = new Set<string>();
  const isChange = (event: LogEvent): event is DiskEvent => 'disk' in event;
  for (const event of first.events.filter(isChange)) {
    disks[event.disk]?.apply(event);
    for (const remains of combinations(disks, { writesMax: 1, sectorsMax: 0 })) {
      const key = remains.map((one) => one.key).join(' ');
      if (known.has(key)) continue;
      known.add(key);
      await checkState(setup, remains, promises);
    }
  }
  return known.size;
}

function describe(events: readonly LogEvent[], at: number): string {
  const isChange = (event: LogEvent): event is DiskEvent => 'disk' in event;
  return events.slice(Math.max(0, at - 3), at + 1).map((event) => {
    if (!isChange(event)) return event.kind;
    const what = 'file' in event ? `file ${event.file}` : '';
    const name = 'name' in event ? event.name : 'from' in event ? `${event.from} ${event.to}` : '';
    const size = event.kind === 'write' ? `${event.position}+${event.bytes.length}` : '';
    return [`d${event.disk}`, event.kind, what, name, size].filter((one) => one !== '').join(' ');
  }).join(', ');
}

function sizesOf({ files }: Remains): string {
  return [...files].map(([name, { length }]) => `${name}:${length}`).join(' ');
}
