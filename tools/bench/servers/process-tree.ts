/** Memory and processor time of a process and all below it, from /proc. Linux only. */
import { readFileSync, readdirSync } from 'node:fs';

const PAGE_BYTES = 4096;
/** The kernel's USER_HZ, which is 100 on every common platform. */
const TICK_MS = 10;
const SAMPLE_MS = 25;
const PIDS_EVERY = 10;

interface Stat {
  readonly parent: number;
  readonly cpuMs: number;
}

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold anything; the fields are counted from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
    return { parent: fields[1] ?? 0, cpuMs: ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK_MS };
  } catch {
    return undefined; // It has ended meanwhile.
  }
}

function listPids(): number[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  } catch {
    return []; // No /proc here: nothing is measured, and the report says so.
  }
}

/** The process itself and all its descendants, the process first. */
export function pidsBelow(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of listPids()) {
    const parent = readStat(pid)?.parent ?? 0;
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

function rssBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0; // It has ended meanwhile.
  }
}

export interface Usage {
  /** The highest sum of resident memory seen; pages shared by processes count for each. */
  readonly peakRssBytes: number;
  readonly cpuMs: number;
}

/** Watches one or several process trees from its construction until `stop`, every 25 ms. */
export class UsageWatch {
  readonly #roots: readonly number[];
  readonly #timer: NodeJS.Timeout;
  readonly #cpuAtStartMs: number;
  #pids: number[] = [];
  #peakBytes = 0;
  #ticks = 0;

  constructor(...roots: readonly number[]) {
    this.#roots = roots;
    this.#sample();
    this.#cpuAtStartMs = this.#cpuMs();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  stop(): Usage {
    clearInterval(this.#timer);
    this.#sample();
    return { peakRssBytes: this.#peakBytes, cpuMs: this.#cpuMs() - this.#cpuAtStartMs };
  }

  #sample(): void {
    if (this.#ticks % PIDS_EVERY === 0) this.#pids = this.#roots.flatMap(pidsBelow);
    this.#ticks += 1;
    const bytes = this.#pids.reduce((sum, pid) => sum + rssBytes(pid), 0);
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
  }

  #cpuMs(): number {
    return this.#pids.reduce((sum, pid) => sum + (readStat(pid)?.cpuMs ?? 0), 0);
  }
}
