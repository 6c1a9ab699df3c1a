/**
 * `npm run soak [-- TIME] [--seed SEED] [--histories COUNT] [--threads COUNT]`: simulations of the
 * store with new seeds for so long (`90s`, `10m`, `8h`, or a number of hours; an hour unless told).
 * From five minutes on it begins with crash states and erasure sets. It ends at the first failure,
 * says how to play that one again, and leaves its tape in a file. The last lines say what was done,
 * and what was not.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { apart } from './apart.ts';
import { MANY as CRASH_STATES, type Enumerated } from './crash-states/many.ts';
import type { CrashCount } from './erasure/crash-points.ts';
import { SOMETIMES } from './history/coverage.ts';
import { MANY as HISTORIES, type Failure, type Histories }
  from './history/many.ts';

const MINUTE_MS = 60_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: MINUTE_MS, h: 60 * MINUTE_MS };
/** A thread tells what it has done at least so often. */
const REPORT_EVERY_MS = 30_000;
/** More than any thread plays between two reports: no seed is played twice. */
const SEEDS_A_REPORT = 10_000;
/** Fewer histories may miss a rare thing by chance. */
const COVERED_FROM = 1500;
const ERASURE_POINTS = new URL('./erasure/crash-points.ts', import.meta.url);
const ERASURE_LIVES = new URL('./erasure/random-lives.ts', import.meta.url);

interface Wish {
  readonly forMs: number;
  readonly seed: number;
  readonly histories: number;
  readonly threads: number;
}

/** Of the parts besides histories: they are not cut short, so a short run has smaller ones. */
interface Size {
  readonly writes: number;
  readonly operations: number;
  /** One call in so many is the last one of a crash. */
  readonly every: number;
  readonly lives: number;
}

class Soak {
  readonly #wish: Wish;
  readonly #print: (line: string) => void;
  readonly #startedMs = performance.now();
  readonly #seen = new Set<string>();
  readonly #others: string[] = [];
  #seed: number;
  #histories = 0;
  #calls = 0;
  #failure: Failure | undefined;
  /** Something has failed that is no history. */
  #trouble: string | undefined;

  constructor(wish: Wish, print: (line: string) => void) {
    this.#wish = wish;
    this.#print = print;
    this.#seed = wish.seed;
  }

  /** Answers whether nothing was found. */
  async run(): Promise<boolean> {
    const { forMs, threads, seed, histories } = this.#wish;
    const what = histories === Infinity ? `Simulations for ${minutes(forMs)} min`
      : `Histories: ${histories}`;
    this.#print(`${what} on ${threads} threads, seeds from ${seed} on.`);
    const size = sizeFor(this.#wish);
    if (size !== undefined) await this.#playOthers(size);
    await Promise.all(Array.from({ length: threads }, () => this.#playOn()));
    this.summarize('');
    return !this.#hasFailed;
  }

  get #hasFailed(): boolean {
    return this.#failure !== undefined || this.#trouble !== undefined;
  }

  get #passedMs(): number {
    return performance.now() - this.#startedMs;
  }

  async #playOthers({ writes, operations, every, lives }: Size): Promise<void> {
    const effort = { writesMax: writes, sectorsMax: 14 * writes, secondEvery: 12 };
    const crashStates = async (): Promise<string> => {
      const short = await apart<Enumerated>(CRASH_STATES, 'enumerateShort', operations, effort);
      const long = await apart<Enumerated>(CRASH_STATES, 'enumerateScenarios', effort);
      return `${short.workloads + long.workloads} workloads, ${short.states + long.states} states`;
    };
    const erasureSets = async (): Promise<string> => {
      let points = 0;
      for (const work of ['making', 'mending', 'ending']) {
        for (const how of ['kill', 'crash']) {
          const range = { every, from: 1 + (this.#wish.seed % every) };
          const count = await apart<CrashCount>(
            ERASURE_POINTS, 'crashEverywhere', work, how, range);
          points += count.points;
        }
      }
      await apart(ERASURE_LIVES, 'liveMany', this.#wish.seed, lives);
      return `${points} crashes, one call in ${every}, and ${lives} random lives`;
    };
    await this.#play('crash states', crashStates);
    if (!this.#hasFailed) await this.#play('erasure sets', erasureSets);
  }

  async #play(name: string, act: () => Promise<string>): Promise<void> {
    try {
      const told = `${name}: ${await act()}`;
      this.#others.push(told);
      this.#print(`${this.#clock()} ${told}`);
    } catch (error) {
      this.#trouble = `${name}: ${explain(error)}`;
    }
  }

  async #playOn(): Promise<void> {
    for (;;) {
      const leftMs = this.#wish.forMs - this.#passedMs;
      const left = this.#wish.histories - (this.#seed - this.#wish.seed);
      if (leftMs <= 0 || left <= 0 || this.#hasFailed) return;
      const count = Math.min(SEEDS_A_REPORT, left);
      const first = this.#seed;
      this.#seed += count;
      try {
        const limitMs = Math.min(REPORT_EVERY_MS, leftMs);
        // A number of histories was asked for: then that many are played, however long it takes.
        const args = this.#wish.histories === Infinity ? [first, count, limitMs] : [first, count];
        this.#note(await apart<Histories>(HISTORIES, 'playSeeds', ...args));
      } catch (error) {
        this.#trouble = `a thread has ended in seeds from ${first} on: ${explain(error)}`;
      }
    }
  }

  #note({ played, calls, seen, failure }: Histories): void {
    this.#histories += played;
    this.#calls += calls;
    for (const point of seen) this.#seen.add(point);
    this.#failure ??= failure;
    if (this.#failure === undefined) {
      this.#print(`${this.#clock()} ${this.#histories} histories, ${this.#calls} calls to disks`);
    }
  }

  #clock(): string {
    return `${minutes(this.#passedMs)} of ${minutes(this.#wish.forMs)} min:`;
  }

  /** What was done and what not. `why` it ends now, when it was not its time. */
  summarize(why: string): void {
    const { seed, forMs } = this.#wish;
    this.#print('');
    if (this.#trouble !== undefined) this.#print(this.#trouble);
    if (this.#failure !== undefined) linesOf(this.#failure).forEach(this.#print);
    const word = this.#hasFailed ? 'FAILED' : 'ok';
    this.#print(`${word}: ${this.#histories} histories with ${this.#calls} calls to disks in `
      + `${minutes(this.#passedMs)} min, seeds from ${seed} on${why}`);
    for (const told of this.#others) this.#print(`  also ${told}`);
    if (this.#wish.histories !== Infinity) return;
    const others = 'crash states and erasure sets';
    if (sizeFor(this.#wish) === undefined) this.#print(`  not done: ${others} (from 5 min on)`);
    else if (this.#others.length < 2) this.#print(`  not done to their end: ${others}`);
    if (this.#passedMs < forMs && !this.#hasFailed) {
      this.#print(`  ended after ${minutes(this.#passedMs)} of ${minutes(forMs)} min`);
    }
    const missed = SOMETIMES.filter((point) => !this.#seen.has(point));
    const few = this.#histories < COVERED_FROM ? `, in fewer than ${COVERED_FROM} histories` : '';
    if (missed.length === 0) this.#print(`  each of ${SOMETIMES.length} rare things has happened`);
    else this.#print(`  has never happened${few}: ${missed.join('; ')}`);
  }
}

function linesOf({ seed, tape, text }: Failure): string[] {
  const path = join(tmpdir(), `holdfast-soak-${seed}.json`);
  writeFileSync(path, tape);
  return [
    text, '', `The same history again:  npm run soak -- --seed ${seed} --histories 1`,
    `What is left of it:      ${path}`,
  ];
}

/** Undefined: there is no time for these. */
function sizeFor({ forMs, histories }: Wish): Size | undefined {
  if (histories !== Infinity || forMs < 5 * MINUTE_MS) return undefined;
  if (forMs < 30 * MINUTE_MS) return { writes: 2, operations: 2, every: 29, lives: 10 };
  if (forMs < 240 * MINUTE_MS) return { writes: 3, operations: 3, every: 1, lives: 500 };
  return { writes: 3, operations: 4, every: 1, lives: 2000 };
}

function minutes(ms: number): string {
  return (ms / MINUTE_MS).toFixed(1);
}

function explain(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function readWish(args: readonly string[]): Wish {
  const count = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args], allowPositionals: true,
    options: { seed: count, histories: count, threads: count },
  });
  const number = (name: keyof typeof values, otherwise: number): number => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (value === otherwise || (Number.isSafeInteger(value) && value > 0)) return value;
    throw new Error(`--${name} must be a whole number above zero.`);
  };
  const [raw = '1h', ...others] = positionals;
  const [, amount, unit = 'h'] = /^(\d+(?:\.\d+)?)([smh])?$/.exec(raw) ?? [];
  const forMs = Number(amount) * (UNIT_MS[unit] ?? 0);
  if (!(forMs > 0) || others.length > 0) {
    throw new Error('Say for how long, as 90s, 10m, 8h, or a number of hours.');
  }
  const histories = number('histories', Infinity);
  const threads = histories === 1 ? 1 : availableParallelism();
  return {
    // Never the seeds of another day.
    forMs, seed: number('seed', Math.trunc(performance.timeOrigin / 1000) * 1000), histories,
    threads: number('threads', threads),
  };
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
  const isFine = await soak(process.argv.slice(2), (line) => console.log(line), aborter.signal);
  process.exitCode = isFine ? 0 : 1;
}
