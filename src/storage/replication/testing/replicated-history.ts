/** Random lives of a store on several disks: work, failing disks, power cuts, repairs. */
import assert from 'node:assert/strict';
import { isKind } from '../../../base/errors.ts';
import type { ReplicationPolicy } from '../volume-disk.ts';
import { ReplicatedTrial, type TrialDisk } from './replicated-trial.ts';

const POLICIES: readonly (ReplicationPolicy & { disks: number })[] = [
  { copies: 2, acksMin: 2, domain: 'host', disks: 2 },
  { copies: 2, acksMin: 2, domain: 'host', disks: 4 },
  { copies: 3, acksMin: 2, domain: 'host', disks: 3 },
  { copies: 3, acksMin: 2, domain: 'disk', disks: 5 },
  { copies: 2, acksMin: 1, domain: 'host', disks: 3 },
];

export interface HistoryReport {
  /** What was done, to be read by people. */
  tape: string[];
  /** Two runs of the same seed must have the same one. */
  trace: string;
  /** Which rare things have happened. */
  seen: Set<string>;
}

export async function runHistory(seed: number, steps: number): Promise<HistoryReport> {
  const history = new History(seed);
  try {
    await history.run(steps);
  } catch (error) {
    const tape = history.tape.join('\n  ');
    throw new Error(`seed ${seed}, after:\n  ${tape}\n${String(error)}`, { cause: error });
  }
  return { tape: history.tape, trace: history.trial.trace(), seen: history.seen };
}

class History {
  readonly trial: ReplicatedTrial;
  readonly tape: string[] = [];
  readonly seen = new Set<string>();
  /** Bytes rot on one disk only until everything is mended. */
  #rotting: TrialDisk | undefined;

  constructor(seed: number) {
    const trial = new ReplicatedTrial({ seed, disks: 5, policy: POLICIES[0] as ReplicationPolicy });
    const setup = POLICIES[trial.random.below(POLICIES.length)] as (typeof POLICIES)[number];
    trial.policy = setup;
    trial.disks.length = setup.disks;
    this.trial = trial;
    this.tape.push(`${setup.copies}/${setup.acksMin} on ${setup.disks} disks`);
  }

  async run(steps: number): Promise<void> {
    const { trial } = this;
    await trial.open();
    for (let step = 0; step < steps; step++) {
      await this.#step();
      this.#noteSeen();
    }
    await this.#heal();
    await this.#finish(trial.checkPromises());
    assert.equal(trial.store.state().damagedCount, 0);
    trial.checkFullCopies();
    const differing = trial.copyFindings.filter(({ kind }) => kind === 'copies-differ');
    assert.deepEqual(differing, [], 'nobody wrote two histories');
    await this.#finish(trial.store.close());
    trial.restart('crash');
    await this.#finish(trial.open());
    await this.#finish(trial.checkPromises());
    await trial.sweep(); // A hung sync may have been given up only while the store closed.
    trial.checkFullCopies();
  }

  /** With all disks answering everything ends; a hung call may still have to be given up. */
  async #finish(work: Promise<void>): Promise<void> {
    assert.ok(await this.trial.settle(work, 200), 'it never ends');
  }

  async #step(): Promise<void> {
    const { random } = this.trial;
    const roll = random.below(100);
    if (roll < 40) await this.#work();
    else if (roll < 50) this.#fail();
    else if (roll < 58) this.#leave();
    else if (roll < 66) this.#comeBack();
    else if (roll < 72) this.#rot();
    else if (roll < 82) await this.#sweep();
    else if (roll < 86) this.#wait();
    else if (roll < 96) await this.#restart();
    else await this.#check();
  }

  async #work(): Promise<void> {
    const puts = 1 + this.trial.random.below(25);
    this.tape.push(`work ${puts}`);
    await this.trial.work(puts);
  }

  #pick(): TrialDisk {
    const { disks, random } = this.trial;
    return disks[random.below(disks.length)] as TrialDisk;
  }

  #fail(): void {
    const { random, disks } = this.trial;
    const disk = this.#pick();
    const code = ['EIO', 'ENOSPC', 'HANG'][random.below(3)] as string;
    const what = ['write', 'sync', 'rename', 'open', 'folder', 'read'][random.below(6)];
    const probability = [0.05, 0.3, 1][random.below(3)] as number;
    if (code === 'HANG' && disks.some((other) => other.away)) return;
    this.tape.push(`${disk.id}: ${what} ${code} ${probability}`);
    for (const other of disks) other.plan = () => undefined;
    disk.plan = (call) => (call.what === what && random.chance(probability) ? code : undefined);
  }

  #leave(): void {
    const { disks, policy } = this.trial;
    const away = disks.filter((disk) => disk.away).length;
    if (away + 1 >= Math.min(policy.copies, disks.length)) return;
    const disk = this.#pick();
    this.tape.push(`${disk.id} leaves`);
    disk.away = true;
  }

  #comeBack(): void {
    for (const disk of this.trial.disks) {
      if (disk.away) this.tape.push(`${disk.id} is back`);
      disk.away = false;
    }
  }

  #rot(): void {
    const { random } = this.trial;
    const disk = this.#rotting ?? this.#pick();
    const names = disk.files.names().filter((name) => name.endsWith('.hv'));
    const name = names[random.below(names.length)];
    if (name === undefined) return;
    const bytes = Buffer.from(disk.files.content(name));
    // One failure at a time: what rots is whole on another disk.
    const whole = this.trial.disks.some((other) => other !== disk && !other.away
      && other.volumes.includes(name) && other.files.content(name).equals(bytes));
    if (bytes.length < 4200 || !whole) return;
    this.#rotting = disk;
    const at = 4096 + random.below(bytes.length - 4096);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    disk.files.rot(name, bytes);
    this.tape.push(`${disk.id}: ${name} rots at ${at}`);
  }

  async #sweep(): Promise<void> {
    this.tape.push('sweep');
    await this.trial.sweep();
  }

  #wait(): void {
    const minutes = 1 + this.trial.random.below(20);
    this.tape.push(`${minutes} minutes pass`);
    this.trial.clock.advance(minutes * 60_000);
  }

  async #restart(): Promise<void> {
    const { trial } = this;
    const { random } = trial;
    const how = random.chance(0.5) ? 'crash' : 'kill';
    const inWork = random.chance(0.5);
    this.tape.push(`${inWork ? 'work, then ' : ''}${how}`);
    if (inWork) {
      const stopAt = random.below(60);
      let calls = 0;
      for (const disk of trial.disks) {
        const before = disk.plan;
        disk.plan = (call) => (++calls > stopAt ? 'CRASH' : before(call));
      }
      await trial.work(1 + random.below(20));
    }
    trial.restart(how);
    await this.#open();
  }

  /** A start may be refused while a disk is away, and never without. */
  async #open(): Promise<void> {
    const { trial } = this;
    const { random } = trial;
    for (let again = 0; again < 3 && random.chance(0.2); again++) {
      const stopAt = random.below(60);
      let calls = 0;
      for (const disk of trial.disks) disk.plan = () => (++calls > stopAt ? 'CRASH' : undefined);
      await trial.settle(trial.open().catch(() => undefined));
      trial.restart('crash');
    }
    try {
      await trial.open();
    } catch (error) {
      assert.ok(isKind(error, 'unavailable'), String(error));
      assert.ok(trial.disks.some(({ away }) => away), 'refused with all disks there');
      this.tape.push('refused');
      this.seen.add('refused');
      this.#comeBack();
      await trial.open();
    }
  }

  /** With all faults gone everything comes right by itself. */
  async #heal(): Promise<void> {
    const { trial } = this;
    this.tape.push('heal');
    for (const disk of trial.disks) disk.plan = () => undefined;
    this.#comeBack();
    // A disk that was full is asked again, and one that has refused for as long as that may take.
    trial.clock.advance(13 * 60_000);
    await trial.sweep(2);
    // A volume that only a disk knows that was away is looked at when the store starts.
    const unknown = trial.copyFindings.some(({ kind }) => kind === 'foreign-file');
    if (unknown || trial.store.state().refusesWrites !== undefined) {
      trial.restart('kill');
      await trial.open();
      await trial.sweep();
    }
    await this.#scrub();
    await trial.sweep(2);
    this.#rotting = undefined;
  }

  /** Reads every copy of every volume, as a scrubber would, so that rot is found. */
  async #scrub(): Promise<void> {
    await this.#finish(this.trial.checkPromises());
    for (const disk of this.trial.disks) {
      for (const name of disk.volumes) this.trial.noteDamage(disk, name);
    }
  }

  /** Nothing that is given out is wrong; what is refused can be had when the disks are back. */
  async #check(): Promise<void> {
    const { trial } = this;
    const troubled = trial.disks.some(({ away }) => away)
      || this.tape.some((line) => line.includes(':'));
    this.tape.push('check');
    for (const id of trial.acknowledged) {
      const read = trial.store.get(id).then(
        (bytes) => assert.ok(bytes.equals(trial.put.get(id) as Buffer), `${id} came back changed`),
        (error: unknown) => {
          assert.ok(isKind(error, 'unavailable') && troubled, String(error));
          this.seen.add('unavailable');
        },
      );
      await trial.settle(read);
    }
  }

  #noteSeen(): void {
    for (const { kind } of this.trial.copyFindings) this.seen.add(kind);
    for (const { kind } of this.trial.findings) this.seen.add(kind);
    if (this.trial.store.state().refusesWrites === 'failed') this.seen.add('failed');
  }
}
