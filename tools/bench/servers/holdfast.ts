/** Holdfast as a user starts it: the installed program, a data folder of its own, and one user. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, runProgram } from './children.ts';
import { MissingServer } from './bench-server.ts';
import type { BenchServer } from './bench-server.ts';

export const REPOSITORY: string = fileURLToPath(new URL('../../../', import.meta.url));
const ADDRESS = /https?:\/\/(?:127\.0\.0\.1|localhost):(\d+)/;
const START_MAX_MS = 60_000;
export const USER = 'bench';
export const PASSWORD = 'correct-horse-battery-staple-7';

export interface RunOptions {
  readonly folder: string;
  /** The checkout that holds the program. */
  readonly repository: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningHoldfast {
  readonly child: Child;
  readonly port: number;
  /** From the start of the process to the first answered request. */
  readonly startMs: number;
}

/** Makes the data folder and its user, without starting the server. */
export async function addUser({ folder, repository, env }: RunOptions): Promise<void> {
  const program = join(repository, 'holdfast');
  if (!existsSync(program)) throw new MissingServer('./holdfast is not there');
  mkdirSync(folder, { recursive: true });
  const args = ['user', 'add', USER, '--password-stdin', '--data', join(folder, 'data')];
  const added = await runProgram(program, args, {
    input: `${PASSWORD}\n`, timeoutMs: 60_000, ...(env !== undefined && { env }),
  });
  if (added.status !== 0) throw new Error(`user add failed: ${added.output.slice(0, 2000)}`);
}

/** Starts the server and waits until it has answered a request in earnest (200). */
export async function runHoldfast(options: RunOptions): Promise<RunningHoldfast> {
  const { folder, repository, env } = options;
  const startedMs = performance.now();
  const child = new Child({
    command: join(repository, 'holdfast'),
    args: ['serve', '--data', join(folder, 'data'), '--listen', '127.0.0.1:0'],
    logFile: join(folder, 'output.log'),
    ...(env !== undefined && { env }),
  });
  const [, port] = await child.waitForOutput(ADDRESS, START_MAX_MS);
  const statusUrl = `http://127.0.0.1:${port}/status.php`;
  while (!(await isAnswering(statusUrl))) {
    if (!child.isRunning) throw new Error(`the server ended: ${child.output.slice(-400)}`);
    if (performance.now() - startedMs > START_MAX_MS) throw new Error('no answer in a minute');
    await sleep(5);
  }
  return { child, port: Number(port), startMs: performance.now() - startedMs };
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { headers: { connection: 'close' } });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false; // Refused: it does not listen yet. The caller has a deadline.
  }
}

export async function startHoldfast(
  options: RunOptions,
): Promise<BenchServer & { readonly child: Child }> {
  await addUser(options);
  const { child, port } = await runHoldfast(options);
  const credentials = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
  const asked = await runProgram(join(options.repository, 'holdfast'), ['version']);
  return {
    name: 'holdfast',
    version: `holdfast ${/\d+\.\d+\.\d+/.exec(asked.output)?.[0] ?? 'of this checkout'}`,
    target: {
      host: '127.0.0.1',
      port,
      root: `/remote.php/dav/files/${USER}/`,
      headers: `Authorization: Basic ${credentials}\r\n`,
    },
    pid: child.pid,
    child,
    stop: () => child.stop(),
  };
}
