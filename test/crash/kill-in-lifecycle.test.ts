/** A program dies while it ends, compacts and unlinks volumes on a real disk: nothing is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Witness } from '../../src/base/witness.ts';
import { SeededRandom } from '../support/random.ts';
import { settings } from '../support/settings.ts';
import { blockOf, openVolumes, type Order, type Told } from './lifecycle-program.ts';

const PROGRAM = join(import.meta.dirname, 'lifecycle-program.ts');
const CYCLES = Math.ceil(settings.crashCycles / 8);
/** How long a program may take to come to what it is killed in. */
const PATIENCE_MS = 60_000;
/** How long kills go on that come too late, on a busy machine, for what they are meant for. */
const GO_ON_MS = 300_000;
const START_MS = 1_700_000_000_000;
const MOMENTS = ['sealing', 'compacting', 'ready'] as const;

type Moment = (typeof MOMENTS)[number];

class Lifecycle {
  readonly folder: string;
  readonly #random: SeededRandom;
  readonly #needed = new Set<number>();
  readonly #witness = new Map<number, number>();
  #next = 1;
  #cycles = 0;
  acknowledged = 0;
  /** What the program was in the middle of. */
  readonly cutShort: Record<string, number> = { sealing: 0, compacting: 0 };
  unlinked = 0;

  constructor(folder: string, seed: number) {
    this.folder = folder;
    this.#random = new SeededRandom(seed);
  }

  #order(): Order {
    this.#cycles++;
    return {
      folder: this.folder, seed: this.#random.between(1, 1e9), needed: [...this.#needed],
      next: this.#next, witness: [...this.#witness], nowMs: START_MS + this.#cycles * 1e9,
    };
  }

  /** Starts the program, kills it a moment after it has come to something, and looks. */
  async killIn(moment: Moment): Promise<void> {
    const order = this.#order();
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<string | null>((resolve) => {
      child.once('exit', (_code, signal) => resolve(signal));
    });
    let doing = '';
    let isOver = false;
    const delayMs = moment === 'ready'
      ? this.#random.between(0, 200) : this.#random.pick([0, 0, 0, 1, 3]);
    const kill = async (): Promise<void> => {
      if (isOver) return;
      isOver = true;
      if (delayMs > 0) await pause(delayMs);
      child.kill('SIGKILL');
    };
    const stop = new AbortController();
    void pause(PATIENCE_MS, undefined, { signal: stop.signal }).then(kill, () => undefined);
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as Told;
      this.#take(told);
      doing = told.what === 'stored' || told.what === 'dropped' ? doing : told.what;
      if (told.what === moment) void kill();
    }
    stop.abort();
    assert.equal(await ended, 'SIGKILL', 'it ended otherwise than by being killed');
    if (doing in this.cutShort) this.cutShort[doing] = (this.cutShort[doing] ?? 0) + 1;
    await this.check();
  }

  #take(told: Told): void {
    if (told.what === 'stored') {
      this.#needed.add(told.number);
      this.#next = Math.max(this.#next, told.number + 1);
      this.acknowledged++;
      this.#note(told.witness);
    } else if (told.what === 'dropped') {
      for (const number of told.numbers) this.#needed.delete(number);
    } else if (told.what === 'unlinked') this.unlinked++;
  }

  #note(witness: Witness): void {
    for (const [volumeId, end] of witness) {
      this.#witness.set(volumeId, Math.max(end, this.#witness.get(volumeId) ?? 0));
    }
  }

  /** All that is needed is there, and nothing is damaged. */
  async check(): Promise<void> {
    const kinds: string[] = [];
    const { store } = await openVolumes(this.#order(), (kind) => kinds.push(kind));
    try {
      for (const number of this.#needed) {
        const { id, pieces } = blockOf(number);
        assert.ok((await store.get(id)).equals(Buffer.concat(pieces)), `block ${number}`);
      }
      assert.equal(store.state().damagedCount, 0);
      assert.deepEqual(kinds.filter((kind) => kind !== 'torn-tail'), []);
    } finally {
      await store.close();
    }
    // A put that was not answered may have been made; the numbers go on behind it.
    this.#next += 20;
  }
}

describe('kill -9 while volumes end their lives', { timeout: 600_000 }, () => {
  const folders: string[] = [];
  after(async () => {
    for (const folder of folders) await rm(folder, { recursive: true });
  });

  it(`loses no block that is needed, ${CYCLES} times`, async (test) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-lifecycle-'));
    folders.push(folder);
    const lives = new Lifecycle(join(folder, 'volumes'), settings.crashSeed);
    const endMs = performance.now() + GO_ON_MS;
    let cycle = 0;
    const isMissed = (): boolean => Object.values(lives.cutShort).includes(0);
    for (; cycle < CYCLES || (isMissed() && performance.now() < endMs); cycle++) {
      try {
        await lives.killIn(MOMENTS[cycle % MOMENTS.length] as Moment);
      } catch (error) {
        const where = `seed ${settings.crashSeed}, cycle ${cycle}`;
        throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
      }
    }
    const { acknowledged, cutShort, unlinked } = lives;
    test.diagnostic(`seed ${settings.crashSeed}: ${cycle} kills, ${acknowledged} blocks stored, `
      + `${cutShort['sealing']} kills while a volume was sealed, ${cutShort['compacting']} while `
      + `one was compacted; the trash was emptied ${unlinked} times`);
    assert.ok((cutShort['sealing'] ?? 0) > 0, 'no kill while a volume was sealed');
    assert.ok((cutShort['compacting'] ?? 0) > 0, 'no kill in a compaction');
  });
});
