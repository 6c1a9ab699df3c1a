/**
 * Random lives of a store with erasure sets: work, disks that leave and come back, rot, compaction,
 * kills and power cuts. At most m disks are away or have rotten at a time, until all is mended.
 * Then everything acknowledged must be readable at every moment, and in the end all is well.
 */
import assert from 'node:assert/strict';
import { isKind } from '../../../src/base/errors.ts';
import type {
  ReplicatedTrial, TrialDisk,
} from '../../../src/storage/replication/testing/replicated-trial.ts';
import {
  openTrial, settleSets, SHAPE,
} from '../../../src/storage/replication/sets/testing/set-trial.ts';

const STEPS = 14;
const MISSING_MS = 16 * 60_000;

class History {
  readonly trial: ReplicatedTrial;
  readonly tape: string[] = [];
  readonly seen = new Set<string>();
  /** Away, or changed behind everybody's back, since all was well the last time. */
  readonly #harmed = new Set<TrialDisk>();

  constructor(trial: ReplicatedTrial) {
    this.trial = trial;
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      await this.#step(this.trial.random.below(8));
      await this.trial.checkPromises();
      if (this.trial.sets.status().sets > 0) this.seen.add('set');
    }
    await this.#heal();
    await this.trial.checkPromises();
    assert.equal(this.trial.repair.status().volumesWaiting, 0);
    assert.deepEqual(this.trial.sets.status().blocked, []);
    for (const { kind } of this.trial.copyFindings) this.seen.add(kind);
    assert.ok(!this.seen.has('copies-differ'), 'nobody wrote two histories');
  }

  async #step(roll: number): Promise<void> {
    const { trial } = this;
    const { random, disks } = trial;
    const disk = disks[random.below(disks.length)] as TrialDisk;
    if (roll === 0) await this.#say('work', () => this.#work());
    else if (roll === 1 && this.#mayHarm(disk)) {
      await this.#say(`${disk.id} leaves`, async () => {
        disk.away = true;
        await trial.repair.sweep();
        if (random.chance(0.5)) trial.clock.advance(MISSING_MS);
      });
    } else if (roll === 2 && this.#mayHarm(disk)) {
      await this.#say(`${disk.id} rots`, () => Promise.resolve(this.#rot(disk)));
    } else if (roll === 3) await this.#say('all is mended', () => this.#heal());
    else if (roll === 4) await this.#say('a volume is to go', () => this.#compact());
    else if (roll === 5) await this.#say('restart', () => this.#restart());
    else await this.#say('sweeps', () => settleSets(trial));
  }

  async #say(what: string, act: () => Promise<unknown>): Promise<void> {
    this.tape.push(what);
    await act();
  }

  /** Two may be harmed: one copy of three is left, and k shards of a set. */
  #mayHarm(disk: TrialDisk): boolean {
    if (this.#harmed.size >= SHAPE.parity || disk.away) return false;
    this.#harmed.add(disk);
    return true;
  }

  async #work(): Promise<void> {
    await this.trial.work(15);
    this.trial.noteWitness();
  }

  #rot({ files }: TrialDisk): void {
    const { random } = this.trial;
    // Only what is sealed: for a volume that is being written harm to two disks may be too much.
    const names = files.names().filter((name) => /\.hx$/.test(name)
      || (/\.hv$/.test(name) && files.content(name).includes('HFSEAL01')));
    const name = names[random.below(Math.max(1, names.length))];
    if (name === undefined) return;
    const bytes = Buffer.from(files.content(name));
    for (let count = 0; count < 3; count++) {
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ 0x55;
    }
    files.rot(name, bytes);
  }

  async #heal(): Promise<void> {
    const { trial } = this;
    for (const disk of trial.disks) disk.away = false;
    await settleSets(trial);
    // Rot in what nobody reads is found by the scrubber.
    for (const disk of this.#harmed) for (const name of disk.volumes) trial.noteDamage(disk, name);
    await this.#restart();
    await settleSets(trial);
    await trial.checkPromises();
    await settleSets(trial);
    this.#harmed.clear();
  }

  async #compact(): Promise<void> {
    const { trial } = this;
    const { random, store } = trial;
    const ids: number[] = [];
    for await (const { volumeId } of store.keeper.listUses()) ids.push(volumeId);
    const volumeId = ids[random.below(Math.max(1, ids.length))];
    if (volumeId === undefined) return;
    try {
      await store.keeper.compact(volumeId);
      await store.keeper.moveToTrash(volumeId);
      this.seen.add('moved to trash');
    } catch (error) {
      const isFine = ['busy', 'unavailable', 'conflict', 'corrupt'] as const;
      assert.ok(isFine.some((kind) => isKind(error, kind)), String(error));
      if (isKind(error, 'busy')) this.seen.add('volume in a set');
    }
    trial.noteWitness();
  }

  async #restart(): Promise<void> {
    const { trial } = this;
    await settleSets(trial); // Of what is being written, enough copies are level.
    const away = trial.disks.filter((disk) => disk.away);
    for (const disk of away) disk.away = false;
    await trial.repair.stop();
    if (trial.random.chance(0.5)) await trial.store.close();
    trial.restart(trial.random.chance(0.5) ? 'kill' : 'crash');
    await trial.open();
    for (const disk of away) disk.away = true;
  }
}

/** Answers what has happened in any of them. @throws the tape of the first that failed. */
export async function liveMany(from: number, count: number): Promise<string[]> {
  const seen = new Set<string>();
  for (let seed = from; seed < from + count; seed++) {
    const history = new History(await openTrial({ seed }));
    try {
      await history.run();
    } catch (error) {
      throw new Error(`seed ${seed}: ${history.tape.join('; ')}`, { cause: error });
    }
    for (const one of history.seen) seen.add(one);
  }
  return [...seen];
}
