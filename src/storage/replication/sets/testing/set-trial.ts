/** A store on simulated disks with erasure sets of tiny volumes. */
import assert from 'node:assert/strict';
import { parseParityName } from '../../../erasure/set-layout.ts';
import { ReplicatedTrial, type TrialDisk } from '../../testing/replicated-trial.ts';
import type { ErasurePolicy } from '../set-parts.ts';

export interface SetSetup {
  seed?: number;
  disks?: number;
  erasure?: ErasurePolicy;
}

export const SHAPE: ErasurePolicy = { data: 3, parity: 2, afterMs: 0 };

/** With volumes enough for one set, none made yet. */
export async function openTrial(
  { seed = 1, disks = 8, erasure = SHAPE }: SetSetup = {},
): Promise<ReplicatedTrial> {
  const policy = { copies: 3, acksMin: 2, domain: 'host' } as const;
  const trial = new ReplicatedTrial({ seed, disks, policy, erasure });
  await trial.open();
  for (let round = 0; volumeNames(trial).length < erasure.data + 2; round++) {
    assert.ok(round < 200, 'volumes never fill');
    await trial.work(20);
  }
  trial.noteWitness();
  return trial;
}

export async function trialWithSet(setup: SetSetup = {}): Promise<ReplicatedTrial> {
  const trial = await openTrial(setup);
  await settleSets(trial);
  assert.equal(trial.sets.status().sets, 1, trial.sets.status().making?.reason ?? 'no set');
  return trial;
}

/** Lets repairs and sets come to rest. No disk hangs here, so time need not pass; and checksums are
 *  computed on threads of the system, which a look at the disks alone would take for standstill. */
export async function settleSets(trial: ReplicatedTrial): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await trial.repair.sweep();
    await trial.sets.settled();
  }
}

export function volumeNames(trial: ReplicatedTrial): string[] {
  return [...new Set(trial.disks.flatMap(({ volumes }) => volumes))].sort();
}

export function holders(trial: ReplicatedTrial, name: string): TrialDisk[] {
  return trial.disks.filter(({ files }) => files.names().includes(name));
}

export function parityFiles(trial: ReplicatedTrial): string[] {
  return trial.disks.flatMap(({ files }) =>
    files.names().filter((name) => parseParityName(name) !== undefined)).sort();
}

/** The volumes of the first set, and its disks in the order of the shards. */
export function layoutOfSet(trial: ReplicatedTrial, data = SHAPE.data) {
  const shards: { name: string; disk: TrialDisk }[] = [];
  const names = volumeNames(trial).filter((name) => holders(trial, name).length === 1);
  for (const name of [...names.slice(0, data), ...new Set(parityFiles(trial))]) {
    const [disk, ...others] = holders(trial, name);
    assert.ok(disk, `${name} is nowhere`);
    assert.deepEqual(others, [], `${name} is on several disks`);
    shards.push({ name, disk });
  }
  return shards;
}

/** One copy of each volume and each parity file, no two on one host. */
export function checkSet(trial: ReplicatedTrial, { data, parity } = SHAPE): void {
  const shards = layoutOfSet(trial, data);
  assert.equal(shards.length, data + parity);
  assert.equal(new Set(shards.map(({ disk }) => disk.host)).size, data + parity);
}

/** Every way in which so many of the disks can be away. */
export function* losses(
  disks: readonly TrialDisk[], count: number, from = 0,
): Generator<TrialDisk[]> {
  if (count === 0) yield [];
  else {
    for (let at = from; at < disks.length; at++) {
      for (const rest of losses(disks, count - 1, at + 1)) {
        yield [disks[at] as TrialDisk, ...rest];
      }
    }
  }
}
