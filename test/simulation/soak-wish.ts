/**
 * What a soak is asked for: `[TIME] [--seed SEED] [--histories COUNT] [--threads COUNT]
 * [--plant BUG]`. A time is `90s`, `10m`, `8h`, or a number of hours; an hour unless told.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { planted } from './history/many.ts';

const MINUTE_MS = 60_000;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: MINUTE_MS, h: 60 * MINUTE_MS };

export interface Wish {
  /** Infinity: until so many histories were played. */
  readonly forMs: number;
  readonly seed: number;
  /** Infinity: until the time is over. */
  readonly histories: number;
  readonly threads: number;
  readonly bug: string | undefined;
}

/** Of the parts besides histories: a short run has smaller ones, so that they come to their end. */
export interface Size {
  readonly writes: number;
  readonly operations: number;
  /** One call in so many is the last one of a crash. */
  readonly every: number;
  readonly lives: number;
}

/** @throws what is wrong with the arguments. */
export function readWish(args: readonly string[]): Wish {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args], allowPositionals: true,
    options: { seed: text, histories: text, threads: text, plant: text },
  });
  const number = (name: 'seed' | 'histories' | 'threads', otherwise: number): number => {
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
  if (histories !== Infinity && positionals.length > 0) {
    throw new Error('Say for how long, or how many histories, but not both.');
  }
  const { plant: bug } = values;
  if (bug !== undefined) planted(bug);
  return {
    // Never the seeds of another day.
    forMs: histories === Infinity ? forMs : Infinity,
    seed: number('seed', Math.trunc(performance.timeOrigin / 1000) * 1000),
    histories, bug, threads: number('threads', Math.min(histories, availableParallelism())),
  };
}

/** What plays these again. */
export function commandOf(seed: number, count: number, bug: string | undefined): string {
  const plant = bug === undefined ? '' : ` --plant '${bug}'`;
  return `npm run soak -- --seed ${seed} --histories ${count}${plant}`;
}

/** Undefined: there is no time for these. */
export function sizeFor({ forMs, histories, bug }: Wish): Size | undefined {
  if (histories !== Infinity || bug !== undefined || forMs < 5 * MINUTE_MS) return undefined;
  if (forMs < 30 * MINUTE_MS) return { writes: 2, operations: 2, every: 29, lives: 10 };
  if (forMs < 240 * MINUTE_MS) return { writes: 3, operations: 3, every: 1, lives: 500 };
  return { writes: 3, operations: 4, every: 1, lives: 2000 };
}
