/**
 * Plays a tape: users, collector, repairs and scrubs on disks that do all that disks do, beside a
 * model of what must be readable.
 */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HoldfastError } from '../../../src/base/errors.ts';
import { SqliteGcStore } from '../../../src/durability/gc/stores/sqlite/sqlite-gc-store.ts';
import { ManualClock } from '../../../src/platform/index.ts';
import { Life, type PlantedFaults, type Surroundings } from './life.ts';
import { Machine } from './machine.ts';
import { Model } from './model.ts';
import { PaperLedger } from './paper-ledger.ts';
import type { Deed, Setup, Step } from './tape.ts';

/** When no disk was asked for so long, only time can bring things on. */
const QUIET_TURNS = 40;
const PATIENCE_S = 40;
const MINUTE_MS = 60_000;

export class World {
  readonly around: Surroundings;
  readonly machine: Machine;
  readonly model: Model;
  readonly clock = new ManualClock(1_700_000_000_000);
  /** Rare things that have happened. */
  readonly seen = new Set<string>();
  /** What goes on from when the machine goes down. */
  coming: Extract<Deed, { do: 'restart' }> | undefined;
  #life: Life;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { error: unknown } | undefined;

  constructor(setup: Setup, faults: PlantedFaults) {
    this.machine = new Machine(setup, this.seen);
    this.model = new Model(setup.contents);
    this.around = {
      setup, faults, machine: this.machine, model: this.model, clock: this.clock,
      notes: SqliteGcStore.open(':memory:'), ledger: new PaperLedger(), seen: this.seen,
    };
    this.#life = new Life(this.around);
  }

  get life(): Life {
    return this.#life;
  }

  get setup(): Setup {
    return this.around.setup;
  }

  /** May something be unreadable for now? */
  get isExcused(): boolean {
    return this.machine.wasTroubled;
  }

  /** So many disks may lose what they hold before anything acknowledged is lost. */
  mayHarm(disk: number): boolean {
    const { harmed } = this.machine;
    return harmed.has(disk) || harmed.size + 1 < this.setup.acksMin;
  }

  /** Begins something that nobody waits for. What goes wrong in it fails the history. */
  begin(what: string, work: Promise<void>): void {
    const life = this.#life;
    const noted = work.catch((error: unknown) => {
      const told = error instanceof Error ? error.message : String(error);
      const failed = new Error(`${what}: ${told}`, { cause: error });
      if (!life.isOver) this.#failure ??= { error: failed };
    }).finally(() => this.#underWay.delete(noted));
    this.#underWay.add(noted);
  }

  /** @throws what has gone wrong in the background. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Lets things happen: so many turns, or all that is under way until it is done. */
  async pause({ pause }: Step): Promise<void> {
    if (pause < 0) await this.settleAll();
    else for (let turns = 0; turns < pause && !this.machine.isDown; turns++) await nextTurn();
  }

  /** False: something will never end. */
  async settleAll(patienceS = PATIENCE_S): Promise<boolean> {
    return this.settle(Promise.all(this.#underWay).then(() => undefined), patienceS);
  }

  /** Waits while disks are asked for things or time can help. False: no answer will come. */
  async settle(work: Promise<unknown>, patienceS = PATIENCE_S): Promise<boolean> {
    let settled = false;
    const noted = work.finally(() => {
      settled = true;
    });
    noted.catch(() => undefined);
    let before = -1;
    let waitedS = 0;
    for (let quiet = 0; !settled && !this.machine.isDown;) {
      quiet = this.machine.calls === before ? quiet + 1 : 0;
      before = this.machine.calls;
      if (quiet > QUIET_TURNS) {
        if (++waitedS > patienceS) return false;
        this.clock.advance(1000);
        quiet = 0;
      }
      await nextTurn();
    }
    if (settled) await noted;
    return settled;
  }

  /** The same for what must end. */
  async finish<T>(what: string, work: Promise<T>, patienceS = 200): Promise<T> {
    const done = await this.settle(work, patienceS);
    assert.ok(done, `${what} never ends`);
    return work;
  }

  /** Some minutes, in each of which what is due is done. */
  async liveOn(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      await this.advance(1);
      for (let turns = 0; turns < QUIET_TURNS; turns++) await nextTurn();
    }
  }

  /** Timers go off between turns, never in the middle of one. */
  async advance(minutes: number): Promise<void> {
    await nextTurn();
    this.clock.advance(minutes * MINUTE_MS);
  }

  /** Starts the program. What refuses to start because of troubles starts without them. */
  async open(): Promise<void> {
    for (let tries = 1; ; tries++) {
      this.#life = new Life(this.around);
      try {
        if (await this.settle(this.#life.open())) return;
        assert.ok(this.machine.hasHung && tries === 1, 'the program does not come up');
        this.seen.add('a start hung');
      } catch (error) {
        // With nothing the matter, and after it was, nothing may keep it from starting.
        if (!(error instanceof HoldfastError) || !this.machine.isTroubled || tries > 1) throw error;
        assert.ok(['unavailable', 'full', 'corrupt'].includes(error.kind), String(error));
        this.seen.add(`a start was refused: ${error.kind}`);
        this.machine.note('refused');
      }
      this.end('kill');
      this.machine.calm();
    }
  }

  /** Starts it, and the power goes after so many calls. */
  async openAndStop(calls: number): Promise<void> {
    this.#life = new Life(this.around);
    this.machine.stopAfter(calls);
    const open = this.#life.open().catch((error: unknown) => {
      if (!(error instanceof HoldfastError)) throw error;
    });
    await this.settle(open);
    if (this.machine.isDown) this.seen.add('a start was cut short');
    this.end('power');
  }

  /** The program is over, or the whole machine is. */
  end(how: 'kill' | 'power'): void {
    this.#life.end();
    this.#underWay.clear();
    for (const disk of this.machine.disks) {
      if (how === 'power') disk.cutPower();
      else disk.kill();
    }
    this.machine.start();
  }

  close(): void {
    this.#life.end();
    this.around.notes.close();
  }
}
