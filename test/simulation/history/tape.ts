/**
 * What is done in one history, written down: it can be printed, run again, and made shorter. Every
 * step carries its own random seed, so taking one away changes nothing about the others.
 */
import type { CallKind } from '../disk/simulated-disk.ts';

export interface Setup {
  readonly disks: number;
  /** N. */
  readonly copies: number;
  /** W. */
  readonly acksMin: number;
  /** How many different blocks users have: few, so that most uploads bring what is there. */
  readonly contents: number;
  readonly pageBytes: number;
  readonly volumeBytesMax: number;
  readonly hintEveryBlocks: number;
}

interface Any {
  readonly seed: number;
  /** Turns until the next step begins; below 0: until everything under way is done. */
  readonly pause: number;
}

export type Restart = 'kill' | 'power' | 'close';

export type Deed =
  /** A user stores a file of these blocks, and takes some turns before it is committed. */
  | { do: 'upload'; file: number; blocks: readonly number[]; dawdle: number }
  | { do: 'read'; file: number }
  | { do: 'remove'; file: number }
  /** So many runs of the collector, a bit more than a day apart. */
  | { do: 'collect'; runs: number }
  /** Takes the oldest volume back from the trash. */
  | { do: 'restore' }
  | { do: 'sweep' }
  | { do: 'scrub' }
  | { do: 'wait'; minutes: number }
  /** Calls of one kind fail, are slow or are never answered. */
  | { do: 'trouble'; disk: number; what: CallKind; how: string; share: number }
  | { do: 'leave'; disk: number }
  /** All disks are back and answer again. */
  | { do: 'calm' }
  | { do: 'fill'; disk: number; leftBytes: number }
  /** A bit turns somewhere in one of the disk's files; `kind` says in which. */
  | { do: 'rot'; disk: number; kind: 'any' | 'volume' | 'small'; where: number; bit: number }
  /** Writes are answered with success and lie elsewhere, or nowhere. */
  | { do: 'stray'; disk: number; how: 'misdirect' | 'lose'; writes: number }
  /** The program ends after so many calls to disks; then it starts, and may end again meanwhile.
   *  `later`: the next steps are done until then. `wiped`: this disk comes back empty. */
  | { do: 'restart'; how: Restart; calls: number; again: readonly number[]; later?: true;
    wiped?: number }
  /** All is well for a while, and everything must come right. */
  | { do: 'heal' };

export type Step = Deed & Any;
export type StepKind = Step['do'];

export interface Tape {
  readonly setup: Setup;
  readonly steps: readonly Step[];
}

export const SETUPS: readonly Pick<Setup, 'disks' | 'copies' | 'acksMin'>[] = [
  { disks: 1, copies: 1, acksMin: 1 },
  { disks: 1, copies: 1, acksMin: 1 },
  { disks: 2, copies: 2, acksMin: 2 },
  { disks: 3, copies: 2, acksMin: 2 },
  { disks: 3, copies: 2, acksMin: 1 },
  { disks: 3, copies: 3, acksMin: 2 },
  { disks: 4, copies: 3, acksMin: 2 },
  { disks: 3, copies: 3, acksMin: 3 },
];

/** A tape as it was printed. @throws when it is none. */
export function parseTape(text: string): Tape {
  const tape = JSON.parse(text) as Partial<Tape>;
  if (tape.setup === undefined || !Array.isArray(tape.steps)) throw new Error('this is no tape');
  return { setup: tape.setup, steps: tape.steps as Step[] };
}

/** One step a line, so that a person can read it and a program too. */
export function printTape({ setup, steps }: Tape): string {
  const lines = steps.map((step) => `  ${JSON.stringify(step)}`);
  return `{"setup":${JSON.stringify(setup)},"steps":[\n${lines.join(',\n')}\n]}`;
}
