/** One run of the bench: starts the servers, measures item by item in rounds, keeps the results. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Item, Settings } from './items/item.ts';
import { Subject, rateOf } from './items/item.ts';
import { MEMORY_ITEMS, memoryPeak } from './items/memory.ts';
import { LoadDriver } from './load/load-driver.ts';
import type { Measurement, Outcome } from './measurement.ts';
import type { BenchOptions } from './options.ts';
import { INSPECT_ADDRESS, INSPECT_ENV, InspectorProfiler } from './profile/inspector-profiler.ts';
import { roundOrder } from './rounds.ts';
import { formatNumber } from './report.ts';
import { startApache } from './servers/apache.ts';
import { MissingServer } from './servers/bench-server.ts';
import type { BenchServer, ServerName, StartOptions } from './servers/bench-server.ts';
import { startHoldfast } from './servers/holdfast.ts';
import { startOnMariadb } from './servers/holdfast-on-mariadb.ts';
import { startNginx } from './servers/nginx.ts';
import { startRclone } from './servers/rclone.ts';
import { traceSyncs } from './servers/sync-trace.ts';
import { medianBy } from './statistics.ts';

const REASON_MAX = 120;

type Starter = (options: StartOptions) => Promise<BenchServer>;

const PEERS: Readonly<Record<Exclude<ServerName, 'holdfast'>, Starter>> = {
  mariadb: startOnMariadb, nginx: startNginx, apache: startApache, rclone: startRclone,
};

export interface BenchRunOptions {
  readonly options: BenchOptions;
  readonly settings: Settings;
  readonly items: readonly Item[];
  readonly print: (text: string) => void;
}

export class BenchRun {
  readonly results = new Map<string, Map<ServerName, Outcome>>();
  readonly syncs = new Map<ServerName, string>();
  readonly versions = new Map<ServerName, string>();
  /** What the load client itself can do, in words. */
  ceiling = 'not checked: nginx takes no part';
  readonly #options: BenchOptions;
  readonly #settings: Settings;
  readonly #items: readonly Item[];
  readonly #print: (text: string) => void;
  readonly #driver = new LoadDriver();
  readonly #subjects = new Map<ServerName, Subject>();
  readonly #absent = new Map<ServerName, Outcome>();
  #profiler: InspectorProfiler | undefined;

  constructor({ options, settings, items, print }: BenchRunOptions) {
    this.#options = options;
    this.#settings = settings;
    this.#items = items;
    this.#print = print;
  }

  async run(): Promise<void> {
    try {
      for (const name of this.#options.servers) await this.#start(name);
      if (this.#options.isTrace) await this.#trace();
      await this.#measureCeiling();
      for (const item of this.#items) await this.#measure(item);
      this.#deriveMemory();
    } finally {
      this.#profiler?.close();
      this.#driver.close();
    }
  }

  async #start(name: ServerName): Promise<void> {
    const folder = join(this.#settings.scratchFolder, name);
    mkdirSync(folder, { recursive: true });
    try {
      const server = name === 'holdfast'
        ? await this.#startHoldfast(folder)
        : await PEERS[name]({ folder, repository: this.#settings.repository });
      this.versions.set(name, server.version);
      const subject = new Subject({
        server,
        driver: this.#driver,
        settings: this.#settings,
        ...(name === 'holdfast' && this.#profiler !== undefined && { profiler: this.#profiler }),
      });
      await subject.makeFolder('bench');
      this.#subjects.set(name, subject);
    } catch (error) {
      this.#absent.set(name, outcomeOf(error));
      this.versions.set(name, `${name}: ${reasonOf(error)}`);
    }
    this.#print(`started: ${this.versions.get(name)}`);
  }

  async #startHoldfast(folder: string): Promise<BenchServer> {
    const { isProfile } = this.#options;
    const server = await startHoldfast({
      folder,
      repository: this.#settings.repository,
      ...(isProfile && { env: INSPECT_ENV }),
    });
    if (isProfile) {
      const [, url = ''] = await server.child.waitForOutput(INSPECT_ADDRESS, 5000);
      const target = this.#settings.scratchFolder;
      this.#profiler = await InspectorProfiler.open(url, target, this.#print);
    }
    return server;
  }

  async #trace(): Promise<void> {
    const folder = this.#settings.scratchFolder;
    for (const [name, { server }] of this.#subjects) {
      this.syncs.set(name, await traceSyncs({ server, driver: this.#driver, folder }));
      this.#print(`syncs to disk: ${name}: ${this.syncs.get(name)}`);
    }
  }

  /** nginx serving small files is the cheapest server here: what the client reaches against it
   *  bounds what it can show of any other. */
  async #measureCeiling(): Promise<void> {
    const subject = this.#subjects.get('nginx');
    if (subject === undefined) return;
    const folder = subject.freshName('ceiling');
    await subject.makeFolder(folder);
    const cell = { target: subject.server.target, folder, sizeBytes: 1024, salt: 1 };
    const load = { ...cell, connectionCount: 32, timeLimitMs: 1000 };
    await this.#driver.run<'put'>({ kind: 'put', ...load, countMax: 1000 });
    const { result, usage } = await subject.watch(
      () => this.#driver.run<'get'>({ kind: 'get', ...load, fileCount: 1000 }),
    );
    const { value, driverCpuUs = Number.NaN, driverBusy = 0 } = rateOf(result, usage);
    this.ceiling = `${formatNumber(value)} GET/s of 1 KiB from nginx with 32 connections; ` +
      `${formatNumber(driverCpuUs)} us of processor time per request, so at most ` +
      `${formatNumber(1e6 / driverCpuUs)}/s on a core of its own ` +
      `(it was busy for ${formatNumber(driverBusy * 100)} % of the time)`;
    this.#print(`load client: ${this.ceiling}`);
  }

  async #measure(item: Item): Promise<void> {
    const names = this.#options.servers
      .filter((name) => name === 'holdfast' || item.isHoldfastOnly !== true);
    const row = new Map<ServerName, Outcome>();
    for (const name of names) {
      const absent = this.#absent.get(name);
      if (absent !== undefined) row.set(name, absent);
    }
    const seen = new Map<ServerName, Measurement[]>();
    const rounds = Math.min(item.roundsMax ?? this.#options.rounds, this.#options.rounds);
    for (let round = 0; round < rounds; round += 1) {
      for (const name of roundOrder(names, round)) {
        const subject = this.#subjects.get(name);
        if (subject === undefined || row.has(name)) continue;
        try {
          if (this.#profiler !== undefined) this.#profiler.title = item.id;
          seen.set(name, [...(seen.get(name) ?? []), await item.run(subject)]);
        } catch (error) {
          row.set(name, outcomeOf(error));
        }
      }
    }
    for (const [name, all] of seen) {
      const median = medianBy(all, ({ value }) => value);
      if (!row.has(name) && median !== undefined) row.set(name, { kind: 'measured', median, all });
    }
    this.results.set(item.id, row);
    this.#print(`${item.title}: ${[...row].map(describeOutcome).join(', ')}`);
  }

  #deriveMemory(): void {
    for (const { id, from } of MEMORY_ITEMS) {
      const row = new Map<ServerName, Outcome>();
      for (const name of this.#options.servers) {
        const outcomes = from.flatMap((item) => this.results.get(item)?.get(name) ?? []);
        const peak = memoryPeak(outcomes);
        if (peak !== undefined) row.set(name, peak);
      }
      if (row.size > 0) this.results.set(id, row);
    }
  }
}

function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n');
  // A program that fails prints a stack; the line that names the error says more than the last.
  const telling = lines.find((line) => /\b\w*Error\b/.test(line)) ?? lines[0] ?? '';
  return telling.trim().slice(0, REASON_MAX);
}

function outcomeOf(error: unknown): Outcome {
  const kind = error instanceof MissingServer ? 'missing' : 'failed';
  return { kind, reason: reasonOf(error) };
}

function describeOutcome([name, outcome]: [ServerName, Outcome]): string {
  if (outcome.kind !== 'measured') return `${name} ${outcome.kind} (${outcome.reason})`;
  return `${name} ${formatNumber(outcome.median.value)} ${outcome.median.unit}`;
}
