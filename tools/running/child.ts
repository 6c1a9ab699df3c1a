/** Runs programs in process groups of their own, so that nothing they start is left behind. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface ChildOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Gets the output as it comes; without it, the output is only collected. */
  readonly onOutput?: (text: string) => void;
}

export interface ChildEnd {
  /** 0 only when the program ended by itself and in good order. */
  readonly code: number;
  readonly isTimedOut: boolean;
  /** The end of what it printed, on both channels. */
  readonly output: string;
  readonly durationMs: number;
}

/** Node keeps here what it has compiled: every start of the program is spared half of its work. An
 *  entry holds only for the very source it was made from; `npm ci` empties the folder. */
const COMPILE_CACHE = join(import.meta.dirname, '../../node_modules/.cache/compiled');
const OUTPUT_MAX = 200_000;
const KILL_GRACE_MS = 5_000;
const PIPE_GRACE_MS = 500;
const living = new Set<number>();

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

process.on('exit', () => {
  for (const pid of living) signalGroup(pid, 'SIGKILL');
});
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const) {
  process.on(signal, () => {
    // Test files tidy up after themselves when asked; whoever does not is killed at our exit.
    for (const pid of living) signalGroup(pid, 'SIGTERM');
    setTimeout(() => process.exit(code), 1000);
  });
}

/** Never rejects: a program that cannot be started ends with code 127. */
export async function runChild(
  program: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildEnd> {
  const startedMs = performance.now();
  const { cwd, timeoutMs, env, onOutput } = options;
  const child = spawn(program, args, {
    cwd, env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'], detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) living.add(pid);
  let output = '';
  const listen = (text: string): void => {
    output = (output + text).slice(-OUTPUT_MAX);
    onOutput?.(text);
  };
  child.stdout.setEncoding('utf8').on('data', listen);
  child.stderr.setEncoding('utf8').on('data', listen);
  let isTimedOut = false;
  let killing: NodeJS.Timeout | undefined;
  const timing = setTimeout(() => {
    isTimedOut = true;
    if (pid === undefined) return;
    signalGroup(pid, 'SIGTERM');
    killing = setTimeout(() => signalGroup(pid, 'SIGKILL'), KILL_GRACE_MS);
  }, timeoutMs);
  const code = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      listen(`${error.message}\n`);
      resolve(127);
    });
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
    // A stray grandchild may hold the pipes open for ever.
    child.on('exit', (exitCode) => setTimeout(() => resolve(exitCode ?? 1), PIPE_GRACE_MS));
  });
  clearTimeout(timing);
  clearTimeout(killing);
  if (pid !== undefined) {
    signalGroup(pid, 'SIGKILL');
    living.delete(pid);
  }
  child.stdout.destroy();
  child.stderr.destroy();
  return {
    code: isTimedOut ? 124 : code, isTimedOut, output, durationMs: performance.now() - startedMs,
  };
}
