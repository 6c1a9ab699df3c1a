import type { Terminal } from './command.ts';

/** A terminal for tests: remembers what was shown, answers what it was given. */
export class MemoryTerminal implements Terminal {
  printed = '';
  complaints = '';
  readonly #input: string;
  readonly #secrets: string[];

  constructor(given: { input?: string; secrets?: readonly string[] } = {}) {
    this.#input = given.input ?? '';
    this.#secrets = [...(given.secrets ?? [])];
  }

  print(line: string): void {
    this.printed += `${line}\n`;
  }

  complain(line: string): void {
    this.complaints += `${line}\n`;
  }

  async readInput(): Promise<string> {
    return this.#input;
  }

  async askSecret(): Promise<string | undefined> {
    return this.#secrets.shift();
  }
}
