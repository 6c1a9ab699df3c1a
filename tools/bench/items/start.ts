/** From the start of the process to the first answered request: with nothing, and with much. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LoadDriver } from '../load/load-driver.ts';
import type { Target } from '../load/jobs.ts';
import type { Measurement } from '../measurement.ts';
import { median } from '../statistics.ts';
import { PASSWORD, USER, addUser, runHoldfast } from '../servers/holdfast.ts';
import { MissingServer } from '../servers/bench-server.ts';
import type { Item, Settings, Subject } from './item.ts';

const START_COUNT = 5;
const SEED_FILES = 1000;
/** 1,000 files, then nine times twice what there was before: 1,023,000 files in all. */
const DOUBLINGS = 9;
const FILL_MAX_MS = 120_000;

async function measureStarts(folder: string, repository: string): Promise<Measurement> {
  const times: number[] = [];
  for (let round = 0; round < START_COUNT; round += 1) {
    const { child, startMs } = await runHoldfast({ folder, repository });
    times.push(startMs);
    await child.stop();
  }
  const worst = Math.max(...times);
  return { value: median(times) / 1000, unit: 's', p50Ms: median(times), p99Ms: worst };
}

async function startEmpty({ settings }: Subject): Promise<Measurement> {
  const { repository } = settings;
  const folder = join(settings.scratchFolder, 'start-empty');
  rmSync(folder, { recursive: true, force: true });
  await addUser({ folder, repository });
  return measureStarts(folder, repository);
}

async function make(
  driver: LoadDriver, target: Target, folder: { path: string; copyOf?: string },
): Promise<void> {
  const { host, port, root } = target;
  const { path, copyOf } = folder;
  const headers = { Destination: `http://${host}:${port}${root}${path}` };
  const request = copyOf === undefined
    ? { method: 'MKCOL', path } : { method: 'COPY', path: copyOf, headers };
  const { statuses } = await driver.run<'call'>({ kind: 'call', target, ...request });
  if (statuses[0] !== 201) throw new Error(`${request.method} answered ${statuses[0]}`);
}

/** Each level holds two copies of the level before, so 20 requests make a million nodes. */
async function plant(driver: LoadDriver, target: Target): Promise<void> {
  await make(driver, target, { path: 'level-0/' });
  const cell = { target, folder: 'level-0', sizeBytes: 64, connectionCount: 8, salt: 1 };
  const limits = { timeLimitMs: FILL_MAX_MS, countMax: SEED_FILES };
  const filled = await driver.run<'put'>({ kind: 'put', ...cell, ...limits });
  if (filled.count !== SEED_FILES) throw new Error(`the seed failed: ${filled.errors[0]}`);
  for (let level = 1; level <= DOUBLINGS; level += 1) {
    await make(driver, target, { path: `level-${level}/` });
    for (const half of ['a', 'b']) {
      const copyOf = `level-${level - 1}/`;
      await make(driver, target, { path: `level-${level}/${half}/`, copyOf });
    }
  }
}

/** The tree is kept between runs of the bench; a mark tells that it is whole. */
async function plantedFolder(settings: Settings): Promise<string> {
  const { cacheFolder, isQuick, repository } = settings;
  const folder = join(cacheFolder, 'million-nodes');
  const mark = join(folder, 'whole');
  if (existsSync(mark)) return folder;
  if (isQuick) throw new MissingServer('no planted tree yet; a run without --quick makes it');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await addUser({ folder, repository });
  const { child, port } = await runHoldfast({ folder, repository });
  const driver = new LoadDriver();
  try {
    const credentials = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
    await plant(driver, {
      host: '127.0.0.1',
      port,
      root: `/remote.php/dav/files/${USER}/`,
      headers: `Authorization: Basic ${credentials}\r\n`,
    });
  } finally {
    driver.close();
    await child.stop();
  }
  writeFileSync(mark, '');
  return folder;
}

async function startMillion({ settings }: Subject): Promise<Measurement> {
  return measureStarts(await plantedFolder(settings), settings.repository);
}

export const START_ITEMS: readonly Item[] = [
  {
    id: 'start-empty', title: 'start to first answer, empty data folder', group: 'start',
    isHoldfastOnly: true, roundsMax: 1, run: startEmpty,
  },
  {
    id: 'start-1m', title: 'start to first answer, 1,000,000 nodes', group: 'start',
    isHoldfastOnly: true, roundsMax: 1, run: startMillion,
  },
];
