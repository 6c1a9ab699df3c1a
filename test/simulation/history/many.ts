/** Many histories, for a thread of their own: what comes out can be copied between threads. */
import { generateTape } from './generate.ts';
import { play } from './play.ts';
import { PLANTED } from './planted.ts';
import { shrink } from './shrink.ts';
import { printTape, type Tape } from './tape.ts';

export const MANY: URL = new URL(import.meta.url);

/** One in so many is played twice. */
const TWICE_EVERY = 50;

export interface Histories {
  readonly calls: number;
  readonly seen: readonly string[];
  readonly failure: string | undefined;
}

/** Ends at the first failure. */
export async function playSeeds(first: number, count: number): Promise<Histories> {
  let calls = 0;
  const seen = new Set<string>();
  for (let seed = first; seed < first + count; seed++) {
    const tape = generateTape(seed);
    const outcome = await play(tape);
    calls += outcome.calls;
    for (const point of outcome.seen) seen.add(point);
    if (outcome.failure !== undefined) {
      return { calls, seen: [...seen], failure: await explain(tape, `Seed ${seed} fails`) };
    }
    if (seed % TWICE_EVERY !== 0) continue;
    const { trace } = await play(tape);
    if (trace === outcome.trace) continue;
    return { calls, seen: [...seen], failure: `seed ${seed} has two outcomes` };
  }
  return { calls, seen: [...seen], failure: undefined };
}

export async function playTape(tape: Tape): Promise<string | undefined> {
  const { failure } = await play(tape);
  return failure === undefined ? undefined : explain(tape, 'The tape fails');
}

async function explain(tape: Tape, title: string): Promise<string> {
  const { tape: shorter, error, plays } = await shrink(tape);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${title}. Shortened in ${plays} runs; save it and name the file in `
    + `HOLDFAST_SIMULATION_TAPE to play it again:\n${printTape(shorter)}\n${text}`;
}

export interface FoundBug {
  readonly seed: number;
  /** Of the shortened tape. */
  readonly steps: number;
}

/** The first seed that fails with the bug and does not without it. */
export async function findPlanted(bug: string, seedsMax: number): Promise<FoundBug | undefined> {
  const faults = PLANTED[bug];
  for (let seed = 1; seed <= seedsMax; seed++) {
    const tape = generateTape(seed);
    const { failure } = await play(tape, faults);
    if (failure === undefined || (await play(tape)).failure !== undefined) continue;
    const { tape: shorter } = await shrink(tape, faults);
    return { seed, steps: shorter.steps.length };
  }
  return undefined;
}
