/**
 * Finds out whether a server syncs file data to disk before it answers, by tracing its system calls
 * while a few files are put. Without this a rate says little: not to sync is the easy way to be
 * fast. A count of zero is only believed when the trace also shows the files being made.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadDriver } from '../load/load-driver.ts';
import type { BenchServer } from './bench-server.ts';
import { Child, findProgram } from './children.ts';
import { pidsBelow } from './process-tree.ts';

const CALLS = 'fsync,fdatasync,sync_file_range,syncfs,msync,openat,rename,renameat,renameat2';
const PUT_COUNT = 5;

/** What a trace file says. Pure. */
export function readTrace(trace: string): { syncs: number; hasControl: boolean } {
  let syncs = 0;
  let hasControl = false;
  for (const line of trace.split('\n')) {
    // A call that another thread interrupts is written twice: `<unfinished ...>` and `resumed>`.
    if (/\b(fsync|fdatasync|sync_file_range|syncfs|msync)\(/.test(line)) syncs += 1;
    if (/\bopenat\(.*\bO_(D?SYNC)\b/.test(line)) syncs += 1;
    if (/\bopenat\(.*\bO_CREAT\b/.test(line) || /\brename(at2?)?\(/.test(line)) hasControl = true;
  }
  return { syncs, hasControl };
}

export interface SyncTraceOptions {
  readonly server: BenchServer;
  readonly driver: LoadDriver;
  /** Where the trace is written. */
  readonly folder: string;
}

/** For the report: `yes (7 syncs for 5 PUT)`, `no (0 …)` or `not traced (why)`. */
export async function traceSyncs({ server, driver, folder }: SyncTraceOptions): Promise<string> {
  const strace = findProgram('strace');
  if (strace === undefined) return 'not traced (no strace)';
  const file = join(folder, `${server.name}.strace`);
  const attach = pidsBelow(server.pid).flatMap((pid) => ['-p', String(pid)]);
  const child = new Child({
    command: strace,
    args: ['-f', '-qq', '-o', file, '-e', `trace=${CALLS}`, ...attach],
    logFile: join(folder, 'strace.log'),
  });
  try {
    await sleep(1500); // It says nothing when it is attached; the control below shows that it was.
    if (!child.isRunning) return 'not traced (strace was refused)';
    const cell = { target: server.target, sizeBytes: 1024, connectionCount: 1, salt: 0 };
    const job = { ...cell, folder: 'bench', timeLimitMs: 20_000, countMax: PUT_COUNT } as const;
    const put = await driver.run<'put'>({ ...job, kind: 'put' });
    if (put.count !== PUT_COUNT) return `not traced (${put.errors[0] ?? 'PUT failed'})`;
  } finally {
    await child.stop();
  }
  if (!existsSync(file)) return 'not traced (no trace)';
  const { syncs, hasControl } = readTrace(readFileSync(file, 'latin1'));
  if (syncs > 0) return `yes (${syncs} for ${PUT_COUNT} PUT)`;
  return hasControl ? `no (0 for ${PUT_COUNT} PUT)` : 'not traced (saw no file being made)';
}
