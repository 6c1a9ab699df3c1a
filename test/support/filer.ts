/**
 * Filers as an operator runs them, each a process of its own, and a server that keeps copies on
 * them. Nothing here knows how they work inside.
 */
import { after, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run, runWell, RunningCommand } from './command.ts';
import type { Outcome } from './command.ts';
import { eventually, sleep } from './deadline.ts';
import { ownPort } from './ports.ts';
import { scratchFolder } from './scratch.ts';
import { PROGRAM, START_TIMEOUT_MS, TestServer } from './server.ts';
import type { ServerOptions } from './server.ts';

/** What a filer prints once it can be used. */
const READY = /This filer keeps volumes on (\d+) disk\(s\), at [\w.]+:(\d+):/;
const COMMAND_TIMEOUT_MS = 90_000;

export interface FilerOptions {
  /** The file that the cluster's machines know each other by. */
  readonly key: string;
  /** Made new when left out. */
  readonly data?: string;
  /** A disk elsewhere: empty, or one that was a filer's before. */
  readonly disk?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One filer. It listens in one place, however often it is started. */
export class TestFiler {
  readonly data: string;
  readonly #options: FilerOptions;
  #command: RunningCommand | undefined;
  #port = 0;

  private constructor(options: FilerOptions) {
    this.#options = options;
    this.data = options.data ?? scratchFolder('filer-data');
  }

  /** Not yet started: for a first start that is not meant to succeed. */
  static prepare(options: FilerOptions): TestFiler {
    return new TestFiler(options);
  }

  static async start(options: FilerOptions): Promise<TestFiler> {
    const filer = TestFiler.prepare(options);
    await filer.startAgain();
    return filer;
  }

  get port(): number {
    return this.#port;
  }

  /** Where servers reach it. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** The folder of its only disk. */
  get disk(): string {
    return this.#options.disk ?? join(this.data, 'disk');
  }

  get command(): RunningCommand {
    if (this.#command === undefined) throw new Error('The filer has not been started.');
    return this.#command;
  }

  async startAgain(): Promise<void> {
    this.#command = await this.#launch();
    const [, , port] = await this.#command.printed(READY, START_TIMEOUT_MS);
    this.#port = Number(port);
  }

  /** A start that must end by itself. */
  async failedStart(): Promise<Outcome> {
    this.#command = await this.#launch();
    return this.#command.end(START_TIMEOUT_MS);
  }

  /** SIGTERM, as service managers do it. */
  async stop(): Promise<Outcome> {
    process.kill(this.command.pid, 'SIGTERM');
    return this.command.end(60_000);
  }

  /** SIGKILL: no chance to tidy up. */
  async kill(): Promise<void> {
    this.command.kill('SIGKILL');
    await this.command.end(60_000);
  }

  /** It hangs: its connections stay, and nothing is answered. */
  pause(): void {
    this.command.kill('SIGSTOP');
  }

  resume(): void {
    this.command.kill('SIGCONT');
  }

  get isRunning(): boolean {
    const { child } = this.command;
    return child.exitCode === null && child.signalCode === null;
  }

  async #launch(): Promise<RunningCommand> {
    if (this.#port === 0) this.#port = await ownPort();
    const { key, disk, env = {} } = this.#options;
    const place = disk === undefined ? {}
      : { HOLDFAST_FILER_DISKS: disk, HOLDFAST_FILER_ADOPT_EMPTY: 'true' };
    return new RunningCommand(PROGRAM, [
      'serve', '--roles', 'filer', '--data', this.data, '--listen', '127.0.0.1:0',
      '--filer-listen', `127.0.0.1:${this.#port}`, '--cluster-key', key,
    ], { env: { HOME: this.data, ...place, ...env } });
  }
}

export interface ListedDisk {
  readonly id: string;
  readonly where: string;
  readonly state: string;
  readonly answers: boolean;
  readonly freeBytes?: number;
  readonly volumeCount: number;
  readonly neededCount: number;
}

export interface DiskListing {
  readonly single: boolean;
  readonly disks: readonly ListedDisk[];
  readonly repair: {
    readonly volumesWaiting: number;
    readonly doneBytes: number;
    readonly blocked: readonly { volumeId: number; reason: string }[];
  };
}

/** A server and what it keeps its copies on. */
export class TestCluster {
  readonly server: TestServer;
  readonly key: string;

  private constructor(server: TestServer, key: string) {
    this.server = server;
    this.key = key;
  }

  /** Starts the server and makes the key for its filers. */
  static async start(options: ServerOptions = {}): Promise<TestCluster> {
    const server = await TestServer.start(options);
    await runWell(PROGRAM, ['cluster', 'key', '--data', server.data]);
    return new TestCluster(server, join(server.data, 'cluster.key'));
  }

  /** `holdfast disk ...`, as it is typed on the machine of the server. */
  async disk(...args: readonly string[]): Promise<Outcome> {
    const all = ['disk', ...args, '--data', this.server.data];
    return run(PROGRAM, all, { timeoutMs: COMMAND_TIMEOUT_MS });
  }

  /** The same, when it must be done. */
  async diskWell(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.disk(...args);
    assert.equal(code, 0, `disk ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  async listing(): Promise<DiskListing> {
    return JSON.parse(await this.diskWell('list', '--json')) as DiskListing;
  }

  /** The disk that lies there now; fails when there is none. */
  async diskAt(where: string): Promise<ListedDisk> {
    const { disks } = await this.listing();
    const found = disks.find((disk) => disk.where.startsWith(where));
    assert.ok(found !== undefined, `no disk at ${where}: ${JSON.stringify(disks)}`);
    return found;
  }

  /** Asks until no volume waits and every disk answers. @returns how long it took, in ms. */
  async fullAgain(timeoutMs: number, silent: readonly string[] = []): Promise<number> {
    const startMs = performance.now();
    let last: DiskListing | undefined;
    try {
      await eventually(timeoutMs, 'all volumes have all their copies', async () => {
        last = await this.listing();
        const { disks, repair } = last;
        const allAnswer = disks.every(({ id, answers, state }) =>
          silent.includes(id) || (answers && state === 'active'));
        if (allAnswer && repair.volumesWaiting === 0) return true;
        await sleep(300);
        return false;
      });
    } catch (error) {
      throw new Error(JSON.stringify(last, undefined, 1), { cause: error });
    }
    return performance.now() - startMs;
  }
}

/** Names of volumes in the folder of a disk. */
export function volumesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^v\d+\.\d+\.hv$/.test(name)).sort();
}

export interface ClustersForTests {
  cluster(options?: ServerOptions): Promise<TestCluster>;
  filer(options: FilerOptions): Promise<TestFiler>;
  /** One that was started in another way. */
  owns(process: TestFiler | TestServer): void;
}

/** Clusters for the tests of the surrounding `describe`, stopped behind them. A failed test is
 *  followed by the ends of their logs. */
export function clustersForTests(): ClustersForTests {
  const started: (TestFiler | TestServer)[] = [];
  afterEach((test) => {
    if (!('passed' in test) || test.passed !== false) return;
    for (const { command } of started) process.stderr.write(`${command.tail(40)}\n`);
  });
  after(async () => {
    // The data is thrown away: nobody waits for a tidy end.
    for (const one of started) {
      one.command.kill('SIGCONT');
      if (one.isRunning) await one.kill();
    }
  });
  return {
    async cluster(options = {}) {
      const cluster = await TestCluster.start(options);
      started.push(cluster.server);
      return cluster;
    },
    async filer(options) {
      const filer = await TestFiler.start(options);
      started.push(filer);
      return filer;
    },
    owns(one) {
      started.push(one);
    },
  };
}
