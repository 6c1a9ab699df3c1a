/** `npm run bench`: see README.md here. */
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { BenchRun } from './bench-run.ts';
import { API_ITEMS } from './items/api.ts';
import { BLOCK_ITEMS } from './items/blocks.ts';
import { COPIES_ITEMS } from './items/copies.ts';
import { CLIENT_ITEMS } from './items/desktop-client.ts';
import { EVENT_ITEMS } from './items/events.ts';
import { FOLDER_ITEMS } from './items/folders.ts';
import { INSTALL_ITEMS } from './items/install.ts';
import type { Item, Settings } from './items/item.ts';
import { MEMORY_ITEMS } from './items/memory.ts';
import { NODE_ITEMS } from './items/nodes.ts';
import { RATE_ITEMS, STREAM_BYTES, STREAM_ITEMS } from './items/rates.ts';
import { START_ITEMS } from './items/start.ts';
import { PAGE_ITEMS } from './items/web-page.ts';
import { USAGE, parseOptions } from './options.ts';
import type { BenchOptions } from './options.ts';
import { formatReport, jsonRows } from './report.ts';
import type { ReportInput } from './report.ts';
import { killAll, stopAll } from './servers/children.ts';
import { REPOSITORY } from './servers/holdfast.ts';

const GIB = 1024 ** 3;
/** Above this, somebody else is at work. */
const LOAD_MAX = 0.7;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function chooseItems(options: BenchOptions): Item[] {
  // They start a MariaDB server, which not every machine has.
  const needsMariadb = options.only.length > 0 || options.servers.includes('mariadb');
  const all = [
    ...RATE_ITEMS, ...STREAM_ITEMS, ...FOLDER_ITEMS, ...CLIENT_ITEMS, ...START_ITEMS,
    ...COPIES_ITEMS, ...BLOCK_ITEMS, ...API_ITEMS, ...EVENT_ITEMS, ...PAGE_ITEMS,
    ...(options.isInstall ? INSTALL_ITEMS : []), ...(needsMariadb ? NODE_ITEMS : []),
  ];
  if (options.only.length === 0) return all;
  const isChosen = ({ id, group }: { id: string; group: string }): boolean =>
    options.only.includes(id) || options.only.includes(group);
  const forMemory = MEMORY_ITEMS.filter(isChosen).flatMap(({ from }) => from);
  return all.filter((item) => isChosen(item) || forMemory.includes(item.id));
}

function makeSettings(options: BenchOptions): Settings {
  const cacheFolder = options.scratchParent ?? join(REPOSITORY, 'test-artefacts', 'bench');
  mkdirSync(cacheFolder, { recursive: true });
  const scratchFolder = mkdtempSync(join(cacheFolder, 'run-'));
  chmodSync(scratchFolder, 0o755); // Apache's own user has to reach its files.
  return {
    secs: options.secs,
    streamBytes: options.isQuick ? STREAM_BYTES / 4 : STREAM_BYTES,
    folderFiles: 10_000,
    clientFiles: 2000,
    clientBigBytes: 200_000_000,
    repository: options.checkout ?? REPOSITORY,
    cacheFolder,
    scratchFolder,
    isQuick: options.isQuick,
  };
}

function describeMachine(loadAtStart: number): string {
  const memoryGiB = (totalmem() / GIB).toFixed(0);
  return `${availableParallelism()} cores (${cpus()[0]?.model ?? arch()}), ${memoryGiB} GiB, ` +
    `${platform()} ${release()}, load average ${loadAtStart.toFixed(1)} before`;
}

/** Other work takes its share of disk and processor from some cells and not from others. */
function warnOfLoad(loadAtStart: number): void {
  if (loadAtStart <= LOAD_MAX) return;
  print(`NOT AN IDLE MACHINE: the load average was ${loadAtStart.toFixed(1)} before the first `
    + 'cell. '
    + 'Judge no bar by this run; cpu us/op suffers least.');
}

interface Finished {
  readonly run: BenchRun;
  readonly options: BenchOptions;
  readonly items: readonly Item[];
  readonly elapsedSecs: number;
  readonly loadAtStart: number;
}

function report({ run, options, items, elapsedSecs, loadAtStart }: Finished): void {
  const memory = MEMORY_ITEMS.filter(({ id }) => run.results.has(id));
  const input: ReportInput = {
    items: [...items, ...memory],
    servers: options.servers,
    results: run.results,
    syncs: run.syncs,
  };
  print('');
  print(formatReport(input));
  print('');
  const machine = describeMachine(loadAtStart);
  print(`machine: ${machine}`);
  print(`servers: ${[...run.versions.values()].join(', ')}`);
  print(`load client: ${run.ceiling}`);
  print(`${options.rounds} interleaved rounds, ${options.secs} s per cell, ` +
    `${elapsedSecs.toFixed(0)} s in all; in brackets the figure of every round`);
  warnOfLoad(loadAtStart);
  if (options.jsonFile === undefined) return;
  const head = { machine, loadAtStart, servers: [...run.versions], ceiling: run.ceiling };
  const settings = { rounds: options.rounds, secs: options.secs, isQuick: options.isQuick };
  const all = { ...head, settings, syncs: [...run.syncs], rows: jsonRows(input) };
  writeFileSync(options.jsonFile, `${JSON.stringify(all, undefined, 1)}\n`);
}

async function bench(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  const items = chooseItems(options);
  const settings = makeSettings(options);
  const leave = (): void => {
    killAll();
    rmSync(settings.scratchFolder, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
  process.on('exit', killAll);
  const startedMs = performance.now();
  const loadAtStart = loadavg()[0] ?? 0;
  warnOfLoad(loadAtStart);
  const run = new BenchRun({ options, settings, items, print });
  try {
    await run.run();
  } finally {
    await stopAll();
    if (!options.isProfile) rmSync(settings.scratchFolder, { recursive: true, force: true });
  }
  const elapsedSecs = (performance.now() - startedMs) / 1000;
  report({ run, options, items, elapsedSecs, loadAtStart });
  const isFailed = [...run.results.values()].some((row) => row.get('holdfast')?.kind === 'failed');
  if (isFailed) process.exitCode = 1;
}

const args = process.argv.slice(2);
if (args.includes('--help')) {
  print(USAGE);
} else {
  try {
    await bench(args);
  } catch (error) {
    appendFileSync(process.stderr.fd, `${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}
