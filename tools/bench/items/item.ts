import { randomInt } from 'node:crypto';
import type { CellResult, CallJob, CallResult } from '../load/jobs.ts';
import type { LoadDriver } from '../load/load-driver.ts';
import type { Measurement } from '../measurement.ts';
import { runProgram } from '../servers/children.ts';
import type { BenchServer } from '../servers/bench-server.ts';
import { UsageWatch } from '../servers/process-tree.ts';
import type { Usage } from '../servers/process-tree.ts';

/** How much is measured; `--quick` and `--secs` change it. */
export interface Settings {
  readonly secs: number;
  readonly streamBytes: number;
  readonly folderFiles: number;
  readonly clientFiles: number;
  readonly clientBigBytes: number;
  /** A quick run does not plant the large tree; it only uses one that is there. */
  readonly isQuick: boolean;
  /** The checkout of Holdfast that is measured. */
  readonly repository: string;
  /** A folder that outlives the bench: the tree of a million nodes is kept there. */
  readonly cacheFolder: string;
  /** Scratch of this run, on the disk that is measured. */
  readonly scratchFolder: string;
}

/** Called around what is measured, to profile it. */
export interface Profiler {
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Bench {
  readonly server: BenchServer;
  readonly driver: LoadDriver;
  readonly settings: Settings;
  readonly profiler?: Profiler;
}

/** One server under measurement, with what earlier items have left on it. */
export class Subject {
  readonly server: BenchServer;
  readonly driver: LoadDriver;
  readonly settings: Settings;
  readonly #profiler: Profiler | undefined;
  /** Files that a PUT cell left for the GET cells, by size. */
  readonly filesBySize = new Map<number, { folder: string; count: number; salt: number }>();
  /** Folders with many files, by their number; the value is the path where it is now. */
  readonly fullFolders = new Map<number, string>();
  /** The large file that the upload left for the download. */
  stream: { path: string; salt: number; sizeBytes: number } | undefined;
  #nextName = 0;

  constructor({ server, driver, settings, profiler }: Bench) {
    this.server = server;
    this.driver = driver;
    this.settings = settings;
    this.#profiler = profiler;
  }

  freshName(prefix: string): string {
    this.#nextName += 1;
    return `bench/${prefix}-${this.#nextName}`;
  }

  freshSalt(): number {
    return randomInt(2 ** 32 - 1);
  }

  async call(job: Omit<CallJob, 'kind' | 'target'>): Promise<CallResult> {
    return this.driver.run<'call'>({ kind: 'call', target: this.server.target, ...job });
  }

  /** @throws Error: the answer has none of the statuses. */
  async expect(
    statuses: readonly number[], job: Omit<CallJob, 'kind' | 'target'>,
  ): Promise<number> {
    const { statuses: answered, times } = await this.call(job);
    const wrong = answered.find((status) => !statuses.includes(status));
    if (wrong !== undefined) throw new Error(`${job.method} answered ${wrong}`);
    return times[0] ?? Number.NaN;
  }

  makeFolder(path: string): Promise<number> {
    return this.expect([201], { method: 'MKCOL', path: `${path}/` });
  }

  deleteFolder(path: string): Promise<number> {
    return this.expect([200, 204], { method: 'DELETE', path: `${path}/` });
  }

  copyFolder(from: string, to: string): Promise<number> {
    return this.expect([201, 204], { method: 'COPY', path: `${from}/`, headers: this.to(to) });
  }

  to(path: string): Record<string, string> {
    const { host, port, root } = this.server.target;
    return { Destination: `http://${host}:${port}${root}${path}/`, Overwrite: 'F' };
  }

  /** Measures memory and processor time of the server while `work` runs, on a settled disk. */
  async watch<T>(work: () => Promise<T>): Promise<{ result: T; usage: Usage }> {
    await runProgram('sync', []); // Else this server pays for what the one before left unwritten.
    await this.#profiler?.start();
    const { pid, helperPids = [] } = this.server;
    const watch = new UsageWatch(pid, ...helperPids);
    try {
      const result = await work();
      return { result, usage: watch.stop() };
    } finally {
      watch.stop();
      await this.#profiler?.stop();
    }
  }
}

export interface Item {
  readonly id: string;
  readonly title: string;
  /** What `--only` names, besides the id. */
  readonly group: string;
  /** Items that no peer can do, or that make no sense with them. */
  readonly isHoldfastOnly?: boolean;
  /** The item whose peers this one is compared with, when it is not itself. */
  readonly peerItem?: string;
  /** Measured no more often than this, however many rounds are asked for. */
  readonly roundsMax?: number;
  readonly run: (subject: Subject) => Promise<Measurement>;
}

const MIB = 1024 * 1024;

export function usageOf(usage: Usage, count: number): Partial<Measurement> {
  if (usage.peakRssBytes === 0) return {}; // No /proc on this system.
  return {
    peakRssMiB: usage.peakRssBytes / MIB,
    serverCpuUs: (usage.cpuMs * 1000) / Math.max(1, count),
  };
}

/** @throws Error: any request of the cell was not answered as it should be. */
export function checkCell(cell: CellResult): void {
  if (cell.errorCount > 0) throw new Error(`${cell.errorCount} errors, first: ${cell.errors[0]}`);
  if (cell.count === 0) throw new Error('no request was answered in time');
}

export function rateOf(cell: CellResult, usage: Usage): Measurement {
  checkCell(cell);
  return {
    value: cell.count / (cell.elapsedMs / 1000),
    unit: '/s',
    p50Ms: cell.p50Ms,
    p99Ms: cell.p99Ms,
    driverCpuUs: (cell.driverCpuMs * 1000) / cell.count,
    driverBusy: cell.driverCpuMs / cell.elapsedMs,
    ...usageOf(usage, cell.count),
    ...(cell.reconnectCount > 0 && { note: `${cell.reconnectCount} reconnects` }),
  };
}
