/**
 * Starts programs and makes sure that they end with the bench, whatever happens to it.
 *
 * Three nets: every start is kept in a list that `stopAll` works off; the bench calls it at the
 * end, on an error and on a signal; and where `setpriv` exists the kernel itself ends the child
 * when the bench is killed outright.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pidsBelow } from './process-tree.ts';

const STOP_GRACE_MS = 20_000;
const POLL_MS = 25;

export function findProgram(name: string): string | undefined {
  const script = 'PATH=$PATH:/usr/sbin:/usr/local/sbin command -v -- "$0"';
  const found = spawnSync('sh', ['-c', script, name], { encoding: 'utf8' });
  const path = found.stdout.trim();
  return found.status === 0 && path !== '' ? path : undefined;
}

const setpriv = findProgram('setpriv');
const running = new Set<Child>();

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Everything that the program prints is appended here. */
  readonly logFile: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that was started. Its output is kept, for the address that it prints. */
export class Child {
  output = '';
  readonly #process: ChildProcess;

  constructor({ command, args, logFile, cwd, env }: ChildOptions) {
    const line = [command, ...args];
    const wrapped = setpriv === undefined ? line : [setpriv, '--pdeathsig', 'TERM', '--', ...line];
    this.#process = spawn(wrapped[0] ?? command, wrapped.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(cwd !== undefined && { cwd }),
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (bytes: Buffer) => {
        if (this.output.length < 1024 * 1024) this.output += bytes.toString();
        appendFileSync(logFile, bytes);
      });
    }
    this.#process.on('error', (error) => (this.output += String(error)));
    running.add(this);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    const { pid, exitCode, signalCode } = this.#process;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  /** Waits until the output matches. @throws Error: the program ended, or the time is over. */
  async waitForOutput(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (!this.isRunning) throw new Error(`the program ended: ${this.output.slice(-400)}`);
      if (performance.now() > deadlineMs) {
        throw new Error(`nothing in ${timeoutMs} ms: ${this.output.slice(-400)}`);
      }
      await sleep(5);
    }
  }

  /** Asks it to end and waits; what is left of it and its children after 20 s is killed. */
  async stop(): Promise<void> {
    running.delete(this);
    if (!this.isRunning) return;
    const pids = pidsBelow(this.pid);
    this.#process.kill('SIGTERM');
    for (let waitedMs = 0; this.isRunning && waitedMs < STOP_GRACE_MS; waitedMs += POLL_MS) {
      await sleep(POLL_MS);
    }
    for (const pid of pids) killIfThere(pid);
  }

  killAtOnce(): void {
    running.delete(this);
    if (!this.isRunning) return;
    for (const pid of pidsBelow(this.pid)) killIfThere(pid);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: it has ended.
  }
}

/** For what was started in another way; it must be calm when it is done twice. */
const others = new Set<() => Promise<void>>();

export function endsWithBench(stop: () => Promise<void>): void {
  others.add(stop);
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()));
  for (const stop of others) await stop();
}

export function killAll(): void {
  for (const child of running) child.killAtOnce();
  for (const stop of others) void stop(); // It begins with a signal, and that is sent at once.
}

export interface RunResult {
  readonly status: number | null;
  readonly output: string;
  readonly elapsedMs: number;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Never throws for its exit status; 124 stands for the time-out. */
export async function runProgram(
  command: string, args: readonly string[], options: RunOptions = {},
): Promise<RunResult> {
  const { cwd, env, input, timeoutMs = 600_000 } = options;
  const startedMs = performance.now();
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  let output = '';
  const keep = (bytes: Buffer): void => void (output += bytes.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.on('error', () => undefined); // It may end without reading its input.
  child.stdin.end(input ?? '');
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    const elapsedMs = performance.now() - startedMs;
    return { status: isLate ? 124 : status, output, elapsedMs };
  } finally {
    clearTimeout(timer);
  }
}

/** A port that was free a moment ago, for programs that cannot choose one themselves. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
