/** Many histories, for a thread of their own: what comes out can be copied between threads. */
import { inspect } from 'node:util';
import { generateTape } from './generate.ts';
import type { PlantedFaults } from './life.ts';
import { play } from './play.ts';
import { PLANTED } from './planted.ts';
import { shrink } from './shrink.ts';
import { printTape, type Tape } from './tape.ts';

export const MANY: URL = new URL(import.meta.url);

/** One in so many is played twice. */
const TWICE_EVERY = 50;

export interface Histories {
  /** How many were played, the failing one too. */
  readonly played: number;
  readonly calls: number;
  readonly seen: readonly string[];
  readonly failure: Failure | undefined;
}

export interface Failure {
  readonly seed: number;
  /** Shortened: what is left fails as well. */
  readonly tape: string;
  /** For people: all of it. */
  readonly text: string;
}

export interface PlayOptions {
  readonly limitMs?: number;
  /** The name of a bug that is planted in every history. */
  readonly bug?: string | undefined;
}

/** Ends at the first failure, or with the history in which the time is over. */
export async function playSeeds(
  first: number, count: number, { limitMs = Infinity, bug }: PlayOptions = {},
): Promise<Histories> {
  const faults = bug === undefined ? {} : planted(bug);
  const endMs = performance.now() + limitMs;
  let calls = 0;
  let played = 0;
  const seen = new Set<string>();
  for (let seed = first; seed < first + count && performance.now() < endMs; seed++) {
    const tape = generateTape(seed);
    const outcome = await play(tape, faults);
    played++;
    calls += outcome.calls;
    for (const point of outcome.seen) seen.add(point);
    if (outcome.failure !== undefined) {
      const failure = { seed, ...await explain(tape, `Seed ${seed} fails`, faults) };
      return { played, calls, seen: [...seen], failure };
    }
    if (seed % TWICE_EVERY !== 0) continue;
    const { trace } = await play(tape, faults);
    if (trace === outcome.trace) continue;
    const text = `seed ${seed} has two outcomes`;
    return { played, calls, seen: [...seen], failure: { seed, tape: printTape(tape), text } };
  }
  return { played, calls, seen: [...seen], failure: undefined };
}

export async function playTape(tape: Tape): Promise<string | undefined> {
  const { failure } = await play(tape);
  return failure === undefined ? undefined : (await explain(tape, 'The tape fails')).text;
}

/** @throws when nobody knows such a bug. */
export function planted(bug: string): PlantedFaults {
  const faults = Object.hasOwn(PLANTED, bug) ? PLANTED[bug] : undefined;
  if (faults !== undefined) return faults;
  const names = Object.keys(PLANTED).map((name) => `\n  ${name}`).join('');
  throw new Error(`There is no bug "${bug}". These can be planted, a store that${names}`);
}

async function explain(
  tape: Tape, title: string, faults: PlantedFaults = {},
): Promise<Omit<Failure, 'seed'>> {
  const { tape: shorter, error, plays } = await shrink(tape, faults);
  const printed = printTape(shorter);
  const text = `${title}. Shortened in ${plays} runs; save it and name the file in `
    + `HOLDFAST_SIMULATION_TAPE to play it again:\n${printed}\n${inspect(error)}`;
  return { tape: printed, text };
}

export interface FoundBug {
  readonly seed: number;
  /** Of the shortened tape. */
  readonly steps: number;
}

/** The first seed that fails with the bug and does not without it. */
export async function findPlanted(bug: string, seedsMax: number): Promise<FoundBug | undefined> {
  const faults = planted(bug);
  for (let seed = 1; seed <= seedsMax; seed++) {
    const tape = generateTape(seed);
    if (faults.matters?.(tape) === false) continue;
    const { failure } = await play(tape, faults);
    if (failure === undefined || (await play(tape)).failure !== undefined) continue;
    const { tape: shorter } = await shrink(tape, faults);
    return { seed, steps: shorter.steps.length };
  }
  return undefined;
}
