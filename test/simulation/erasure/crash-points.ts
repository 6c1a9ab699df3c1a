/** Ends a store at every call to a disk of some piece of work on erasure sets, and looks. */
import { nextTurn } from '../../../src/storage/backends/local/turn.ts';
import {
  checkSet, layoutOfSet, losses, openTrial, settleSets, SHAPE, trialWithSet,
} from '../../../src/storage/replication/sets/testing/set-trial.ts';
import type {
  ReplicatedTrial, TrialDisk,
} from '../../../src/storage/replication/testing/replicated-trial.ts';

/** So many sweeps are enough for anything that is done here. */
const SWEEPS = 4;
const MISSING_MS = 16 * 60_000;
/** Ways to lose m disks that are tried after each crash; all of them in turn. */
const LOSSES_TRIED = 2;

export interface CrashCount {
  points: number;
  losses: number;
}

export interface Work {
  prepare(): Promise<ReplicatedTrial>;
  /** What happens before the sweeps. Synchronous: nothing may crash in it. */
  begin?(trial: ReplicatedTrial): void;
  /** How it must look in the end, after the crash and some more sweeps. */
  check(trial: ReplicatedTrial): void;
}

export const WORKS: Readonly<Record<'making' | 'mending' | 'ending', Work>> = {
  making: { prepare: () => openTrial(), check: (trial) => checkSet(trial) },
  mending: {
    prepare: async () => {
      const trial = await trialWithSet();
      const shards = layoutOfSet(trial);
      for (const shard of [0, SHAPE.data]) (shards[shard] as typeof shards[0]).disk.away = true;
      await trial.repair.sweep();
      return trial;
    },
    begin: (trial) => trial.clock.advance(MISSING_MS),
    check: (trial) => checkSet(trial),
  },
  ending: {
    prepare: async () => {
      const trial = await trialWithSet();
      trial.erasure = undefined;
      await reopen(trial);
      return trial;
    },
    begin: (trial) => {
      for (const { files } of trial.disks) {
        for (const name of files.names().filter((one) => one.endsWith('.hx'))) files.drop(name);
      }
    },
    check: (trial) => trial.checkFullCopies(),
  },
};

/** @throws what did not hold, with the number of the call. */
export async function crashEverywhere(
  name: keyof typeof WORKS, how: 'crash' | 'kill', { every, from }: { every: number; from: number },
): Promise<CrashCount> {
  const count: CrashCount = { points: 0, losses: 0 };
  for (let call = from; ; call += every) {
    try {
      if (!await crashAt(WORKS[name], { how, call, count })) return count;
    } catch (error) {
      throw new Error(`${name}, ${how} at call ${call}`, { cause: error });
    }
    count.points++;
  }
}

interface CrashPoint {
  readonly how: 'crash' | 'kill';
  readonly call: number;
  readonly count: CrashCount;
}

/** False: the work was done before. */
async function crashAt(work: Work, { how, call, count }: CrashPoint): Promise<boolean> {
  const trial = await work.prepare();
  work.begin?.(trial);
  const hasCrashed = await sweepUntil(trial, call);
  if (!hasCrashed) return false;
  trial.restart(how);
  await trial.open();
  await trial.checkPromises();
  const ways = [...losses(trial.disks, SHAPE.parity)];
  for (let at = 0; at < LOSSES_TRIED; at++) {
    // A scenario that has lost two disks for ever has nothing left to lose until it is mended.
    if (work.begin !== undefined) break;
    const away = ways[(call * 7 + at * 13) % ways.length] as TrialDisk[];
    for (const disk of away) disk.away = true;
    await trial.checkPromises();
    for (const disk of away) disk.away = false;
    count.losses++;
  }
  for (const disk of trial.disks) disk.away = false;
  await settleSets(trial);
  await settleSets(trial);
  await trial.checkPromises();
  work.check(trial);
  await trial.repair.stop();
  await trial.store.close();
  return true;
}

/** True: the disks have stopped answering at that call. */
async function sweepUntil(trial: ReplicatedTrial, call: number): Promise<boolean> {
  let calls = 0;
  let isDead = false;
  for (const disk of trial.disks) {
    disk.plan = () => {
      calls++;
      if (calls >= call) isDead = true;
      return isDead ? 'CRASH' : undefined;
    };
  }
  let isDone = false;
  const life = async (): Promise<void> => {
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      await trial.repair.sweep();
      await trial.sets.settled();
    }
    isDone = true;
  };
  void life();
  while (!isDone && !isDead) await nextTurn();
  // What does not need the disks goes on for a moment, as in a program that is being killed.
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  return isDead;
}

async function reopen(trial: ReplicatedTrial): Promise<void> {
  await trial.repair.stop();
  await trial.store.close();
  trial.restart('kill');
  await trial.open();
}

