/**
 * `npm run soak`: simulations of the store with new seeds, for as long as was asked for
 * (soak-wish.ts). From five minutes on a thread begins with crash states and erasure sets. It ends
 * at the first failure, says how to play that one again, and leaves its tape in a file. The last
 * lines say what was done, and what was not. With a bug planted it must fail, or it is blind.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Thread } from './apart.ts';
import { MANY as CRASH_STATES, type Enumerated } from './crash-states/many.ts';
import type { CrashCount } from './erasure/crash-points.ts';
import { SOMETIMES } from './history/coverage.ts';
import { MANY as HISTORIES, type Failure, type Histories } from './history/many.ts';
import { commandOf, readWish, sizeFor, type Size, type Wish } from './soak-wish.ts';

const MINUTE_MS = 60_000;
/** A thread tells what it has done at least so often. */
const REPORT_EVERY_MS = 30_000;
/** Seeds that a thread takes for itself at a time. */
const SEEDS_TAKEN = 1000;
/** Fewer histories may miss a rare thing by chance. */
const COVERED_FROM = 1500;
const OUT_OF_TIME = Symbol('out of time');
const ERASURE_POINTS = new URL('./erasure/crash-points.ts', import.meta.url);
const ERASURE_LIVES = new URL('./erasure/random-lives.ts', import.meta.url);

/** A part besides histories. */
interface Part {
  readonly name: string;
  /** What plays it again when it has failed. */
  readonly again: string;
  readonly act: () => Promise<string>;
}

class Soak {
  readonly #wish: Wish;
  readonly #print: (line: string) => void;
  readonly #startedMs = performance.now();
  readonly #seen = new Set<string>();
  readonly #others: string[] = [];
  /** Each says what has failed, and how to play it again. */
  readonly #failures: string[] = [];
  /** Those before it are taken. */
  #seed: number;
  #histories = 0;
  #calls = 0;

  constructor(wish: Wish, print: (line: string) => void) {
    this.#wish = wish;
    this.#print = print;
    this.#seed = wish.seed;
  }

  /** Answers whether nothing was found. */
  async run(): Promise<boolean> {
    const { forMs, threads, seed, histories, bug } = this.#wish;
    const what = histories === Infinity ? `Simulations for ${minutes(forMs)} min`
      : `Histories: ${histories}`;
    this.#print(`${what} on ${threads} threads, seeds from ${seed} on.`);
    if (bug !== undefined) this.#print(`A bug is planted, a store that ${bug}: this must fail.`);
    const size = sizeFor(this.#wish);
    await Promise.all(Array.from({ length: threads }, async (_, number) => {
      if (number === 0 && size !== undefined) await this.#playParts(size);
      await this.#playOn();
    }));
    this.summarize('');
    return !this.#hasFailed;
  }

  get #hasFailed(): boolean {
    return this.#failures.length > 0;
  }

  get #passedMs(): number {
    return performance.now() - this.#startedMs;
  }

  async #playParts(size: Size): Promise<void> {
    for (const part of this.#partsOf(size)) {
      if (!this.#isOver) await this.#playPart(part);
    }
  }

  #partsOf({ writes, operations, every, lives }: Size): Part[] {
    const effort = { writesMax: writes, sectorsMax: 14 * writes, secondEvery: 12 };
    const { seed } = this.#wish;
    const crashStates = async (): Promise<string> => {
      const short = await this.#piece<Enumerated>(
        CRASH_STATES, 'enumerateShort', operations, effort);
      const long = await this.#piece<Enumerated>(CRASH_STATES, 'enumerateScenarios', effort);
      return `${short.workloads + long.workloads} workloads, ${short.states + long.states} states`;
    };
    const erasureSets = async (): Promise<string> => {
      let points = 0;
      for (const work of ['making', 'mending', 'ending']) {
        for (const how of ['kill', 'crash']) {
          const range = { every, from: 1 + (seed % every) };
          const count = await this.#piece<CrashCount>(
            ERASURE_POINTS, 'crashEverywhere', work, how, range);
          points += count.points;
        }
      }
      await this.#piece(ERASURE_LIVES, 'liveMany', seed, lives);
      return `${points} crashes, one call in ${every}, and ${lives} random lives`;
    };
    const ofStates = `HOLDFAST_CRASH_STATE_WRITES=${writes} `
      + `HOLDFAST_CRASH_STATE_OPERATIONS=${operations}`;
    const ofSets = `HOLDFAST_SIMULATION_SEED=${seed} HOLDFAST_ERASURE_CRASH_EVERY=${every} `
      + `HOLDFAST_ERASURE_HISTORIES=${lives}`;
    return [
      {
        name: 'crash states', act: crashStates,
        again: `${ofStates} npm test test/simulation/crash-states.test.ts`,
      },
      {
        name: 'erasure sets', act: erasureSets,
        again: `${ofSets} npm test test/simulation/erasure-sets.test.ts`,
      },
    ];
  }

  async #playPart({ name, act, again }: Part): Promise<void> {
    try {
      const told = `${name}: ${await act()}`;
      this.#others.push(told);
      this.#print(`${this.#clock()} ${told}`);
    } catch (error) {
      if (error === OUT_OF_TIME) return;
      this.#failures.push(`${name}: ${inspect(error)}\n\nThe same again:  ${again}`);
    }
  }

  /** Of a part. @throws OUT_OF_TIME. */
  async #piece<T>(module: URL, name: string, ...args: readonly unknown[]): Promise<T> {
    const leftMs = Math.max(0, Math.ceil(this.#wish.forMs - this.#passedMs));
    const cut = AbortSignal.timeout(leftMs);
    const thread = new Thread(module);
    cut.addEventListener('abort', () => void thread.end());
    try {
      return await thread.call<T>(name, ...args);
    } catch (error) {
      throw cut.aborted ? OUT_OF_TIME : error;
    } finally {
      await thread.end();
    }
  }

  /** One thread's share: it takes seeds, plays them, and tells of it now and then. */
  async #playOn(): Promise<void> {
    const { seed, histories, threads } = this.#wish;
    for (;;) {
      const left = histories - (this.#seed - seed);
      if (left <= 0 || this.#isOver) return;
      const first = this.#seed;
      this.#seed += Math.min(SEEDS_TAKEN, Math.ceil(left / threads));
      // A new thread now and then: what one run leaves behind in memory does not pile up.
      const thread = new Thread(HISTORIES);
      try {
        await this.#playSeeds(thread, first, this.#seed);
      } finally {
        await thread.end();
      }
    }
  }

  async #playSeeds(thread: Thread, first: number, end: number): Promise<void> {
    const { forMs, bug } = this.#wish;
    for (let next = first; next < end && !this.#isOver;) {
      const limitMs = Math.min(REPORT_EVERY_MS, forMs - this.#passedMs);
      try {
        const told = await thread.call<Histories>('playSeeds', next, end - next, { limitMs, bug });
        next += told.played;
        this.#note(told);
      } catch (error) {
        this.#failures.push(`A thread has ended: ${inspect(error)}\n\nThe same again:  `
          + `${commandOf(next, end - next, bug)}`);
      }
    }
  }

  get #isOver(): boolean {
    return this.#hasFailed || this.#passedMs >= this.#wish.forMs;
  }

  #note({ played, calls, seen, failure }: Histories): void {
    this.#histories += played;
    this.#calls += calls;
    for (const point of seen) this.#seen.add(point);
    if (failure !== undefined) this.#failures.push(keep(failure, this.#wish.bug));
    else {
      const told = `${this.#histories} histories, ${this.#calls} calls to disks`;
      this.#print(`${this.#clock()} ${told}`);
    }
  }

  #clock(): string {
    const { forMs } = this.#wish;
    return `${minutes(this.#passedMs)}${forMs === Infinity ? '' : ` of ${minutes(forMs)}`} min:`;
  }

  /** What was done and what not. `why` it ends now, when it was not its time. */
  summarize(why: string): void {
    const { seed, forMs, histories } = this.#wish;
    this.#print('');
    for (const failure of this.#failures) this.#print(`${failure}\n`);
    const word = this.#hasFailed ? 'FAILED' : 'ok';
    this.#print(`${word}: ${this.#histories} histories with ${this.#calls} calls to disks in `
      + `${minutes(this.#passedMs)} min, seeds from ${seed} on${why}`);
    for (const told of this.#others) this.#print(`  also ${told}`);
    if (histories !== Infinity) return;
    const undone = ['crash states', 'erasure sets']
      .filter((name) => !this.#others.some((told) => told.startsWith(name))).join(' and ');
    if (sizeFor(this.#wish) === undefined) this.#print(`  not done: ${undone} (from 5 min on)`);
    else if (undone !== '') this.#print(`  not done to their end: ${undone}`);
    if (this.#passedMs < forMs && !this.#hasFailed) {
      this.#print(`  ended after ${minutes(this.#passedMs)} of ${minutes(forMs)} min`);
    }
    if (this.#hasFailed) return;
    const missed = SOMETIMES.filter((point) => !this.#seen.has(point));
    const few = this.#histories < COVERED_FROM ? `, in fewer than ${COVERED_FROM} histories` : '';
    if (missed.length === 0) this.#print(`  each of ${SOMETIMES.length} rare things has happened`);
    else this.#print(`  has never happened${few}: ${missed.join('; ')}`);
  }
}

/** Writes the tape down, and answers what a person must know. */
function keep({ seed, tape, text }: Failure, bug: string | undefined): string {
  const path = join(tmpdir(), `holdfast-soak-${seed}.json`);
  writeFileSync(path, tape);
  const lines = [text, '', `The same history again:  ${commandOf(seed, 1, bug)}`];
  lines.push(`What is left of it:      ${path}`);
  if (bug === undefined) {
    lines.push(`That one again:          HOLDFAST_SIMULATION_TAPE=${path} `
      + 'npm test test/simulation/store-histories.test.ts');
  }
  return lines.join('\n');
}

function minutes(ms: number): string {
  return (ms / MINUTE_MS).toFixed(1);
}

/** Answers whether nothing was found. @throws what is wrong with the arguments. */
export async function soak(
  args: readonly string[], print: (line: string) => void, signal?: AbortSignal,
): Promise<boolean> {
  const run = new Soak(readWish(args), print);
  signal?.addEventListener('abort', () => run.summarize(', ended from outside'), { once: true });
  return run.run();
}

if (import.meta.main) {
  const aborter = new AbortController();
  for (const sign of ['SIGINT', 'SIGTERM'] as const) {
    process.once(sign, () => {
      aborter.abort();
      process.exit(130);
    });
  }
  try {
    const isFine = await soak(process.argv.slice(2), (line) => console.log(line), aborter.signal);
    process.exitCode = isFine ? 0 : 1;
  } catch (error) {
    // What was asked for cannot be done.
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
