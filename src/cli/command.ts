/** What a command of the program is. Each lies in its own file below `commands/`. */
import type { Logger } from '../platform/index.ts';

/** How commands end. Scripts rely on these numbers. */
export const EXIT = {
  done: 0,
  /** It was tried and did not work; the reason is on the screen. */
  failed: 1,
  /** Wrong usage or configuration: nothing was tried. */
  usage: 2,
  /** Understood and declined, with the reason on the screen. */
  refused: 3,
} as const;

export interface CommandFlag {
  /** `--data <dir>`, `--yes`, `--group <name...>`. */
  readonly flags: string;
  readonly docs: string;
}

export interface CommandArgument {
  /** `<name>` must be there, `[name]` may be, `[names...]` takes the rest. */
  readonly name: string;
  readonly docs: string;
}

export interface CommandInput {
  /** In the order of the declared arguments; absent optional ones are left out. */
  readonly args: readonly string[];
  /** By name without dashes: `tls-cert`. A flag without a value is `true`. */
  readonly flags: Readonly<Record<string, string | true | readonly string[] | undefined>>;
}

/** What a command may touch of the world. Tests hand in their own. */
export interface Terminal {
  /** Results, to stdout. */
  print(line: string): void;
  /** Everything else, to stderr. */
  complain(line: string): void;
  /** Standard input, read to its end as text; at most 1 MiB. */
  readInput(): Promise<string>;
  /** Asks a person for a secret without showing it; undefined when nobody sits there. */
  askSecret(question: string): Promise<string | undefined>;
  readonly log?: Logger;
}

export interface Command {
  /** `serve`, or group and word: `user add`. */
  readonly name: string;
  readonly summary: string;
  /** More for `--help`: a paragraph, or examples. */
  readonly details?: string;
  readonly args?: readonly CommandArgument[];
  readonly flags?: readonly CommandFlag[];
  /** What each exit code means, for `--help`. */
  readonly exits: Readonly<Record<number, string>>;
  /** Resolves with the exit code. A thrown HoldfastError is shown by its message. */
  run(terminal: Terminal, input: CommandInput): Promise<number>;
}

/** The text of a flag that takes one value. */
export function flagText({ flags }: CommandInput, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}
