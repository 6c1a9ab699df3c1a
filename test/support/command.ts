/** Runs other programs: with a deadline, with what they print, and never left behind. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import assert from 'node:assert/strict';
import { within } from './deadline.ts';
import { settings } from './settings.ts';

const KEPT_CHARACTERS = 400_000;
const living = new Set<number>();

// A runner that is told to stop must not leave servers and clients behind.
process.on('exit', () => {
  for (const pid of living) killGroup(pid, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(1));
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Given to the program as its standard input, which is then closed. */
  readonly input?: string;
}

export interface Outcome {
  /** undefined when a signal ended the program. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Signals the program and whatever it has started. Calm when it is gone. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A program that runs: in a process group of its own, so that all of it can be killed. */
export class RunningCommand {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Outcome>;
  readonly #title: string;
  #stdout = '';
  #stderr = '';
  #watchers: (() => void)[] = [];

  constructor(program: string, args: readonly string[], options: CommandOptions = {}) {
    this.#title = [program, ...args].join(' ').slice(0, 300);
    this.child = spawn(program, args, {
      cwd: options.cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...settings.inherited, ...options.env },
    });
    this.pid = this.child.pid ?? -1;
    if (this.pid > 0) living.add(this.pid);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = (this.#stdout + text).slice(-KEPT_CHARACTERS);
      for (const look of this.#watchers) look();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_CHARACTERS);
      for (const look of this.#watchers) look();
    });
    this.child.stdin?.on('error', () => undefined); // It may end without reading its input.
    this.child.stdin?.end(options.input ?? '');
    this.ended = this.#whenEnded();
    this.ended.catch(() => undefined); // Whoever waits hears of it.
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The last lines of what it printed, for a person who looks for a fault. */
  tail(lines = 60): string {
    const all = `${this.#stdout}\n${this.#stderr}`.trim().split('\n');
    return `--- ${this.#title}\n${all.slice(-lines).join('\n')}\n---`;
  }

  /** Waits until its output matches, and returns the match. */
  async printed(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    let forget = (): void => undefined;
    const seen = new Promise<RegExpExecArray>((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
        if (match !== null) resolve(match);
      };
      this.#watchers.push(look);
      forget = () => {
        this.#watchers = this.#watchers.filter((one) => one !== look);
      };
      look();
      const gone = (): void => reject(new Error(`It ended before it printed ${String(pattern)}.`));
      this.ended.then(gone, reject);
    });
    try {
      return await within(timeoutMs, `Waiting for ${String(pattern)}`, seen);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.tail()}`, { cause: error });
    } finally {
      forget();
    }
  }

  kill(signal: NodeJS.Signals): void {
    if (this.pid > 0) killGroup(this.pid, signal);
  }

  /** Waits for its end; past the deadline it is killed and the promise rejects. */
  async end(timeoutMs: number): Promise<Outcome> {
    try {
      return await within(timeoutMs, this.#title, this.ended);
    } catch (error) {
      this.kill('SIGKILL');
      throw new Error(`${(error as Error).message}\n${this.tail()}`, { cause: error });
    }
  }

  async #whenEnded(): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        living.delete(this.pid);
        const { stdout, stderr } = this;
        resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout, stderr });
      });
    });
  }
}

/** Runs a program to its end. */
export async function run(
  program: string, args: readonly string[], options: CommandOptions & { timeoutMs?: number } = {},
): Promise<Outcome> {
  return new RunningCommand(program, args, options).end(options.timeoutMs ?? 60_000);
}

/** Runs a program that must end with exit code 0. */
export async function runWell(
  program: string, args: readonly string[], options: CommandOptions & { timeoutMs?: number } = {},
): Promise<Outcome> {
  const command = new RunningCommand(program, args, options);
  const outcome = await command.end(options.timeoutMs ?? 60_000);
  assert.equal(outcome.code, 0, `exit code ${outcome.code ?? outcome.signal}\n${command.tail()}`);
  return outcome;
}
