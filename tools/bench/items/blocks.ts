/** The block store by itself: memory of its index, start with a million blocks, and scrubbing. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Block } from '../../../src/storage/index.ts';
import { LocalVolumeStore } from '../../../src/storage/backends/local/local-volume-store.ts';
import { systemClock } from '../../../src/platform/index.ts';
import type { Measurement } from '../measurement.ts';
import { runProgram } from '../servers/children.ts';
import { addUser, PASSWORD, runHoldfast, USER } from '../servers/holdfast.ts';
import { UsageWatch } from '../servers/process-tree.ts';
import { rateOf } from './item.ts';
import type { Item, Subject } from './item.ts';

const BLOCKS = 1_000_000;
const AT_ONCE = 4096;
const RESTARTS = 3;
const SCRUB_BYTES = 1024 ** 3;
const COMMAND_MAX_MS = 300_000;
const SCRUB_WAIT_MS = 120_000;

function openStore(root: string): Promise<LocalVolumeStore> {
  return LocalVolumeStore.open({
    root, witness: [], clock: systemClock, onFinding: (finding) => {
      throw new Error(`the store found ${finding.kind}`);
    },
  });
}

/** A million blocks of 64 bytes, each with content of its own. */
async function filledFolder({ settings }: Subject): Promise<{ root: string; bytesEach: number }> {
  const root = join(settings.scratchFolder, 'million-blocks');
  rmSync(root, { recursive: true, force: true });
  const store = await openStore(root);
  for (let number = 0; number < BLOCKS;) {
    const puts: Promise<void>[] = [];
    for (let one = 0; one < AT_ONCE && number < BLOCKS; one += 1, number += 1) {
      const bytes = Buffer.alloc(64);
      bytes.writeUInt32LE(number);
      puts.push(store.put(Block.of([bytes])));
    }
    await Promise.all(puts);
  }
  const bytesEach = store.indexMemoryBytes() / store.state().blockCount;
  await store.close();
  return { root, bytesEach };
}

let filled: { root: string; bytesEach: number } | undefined;

async function indexMemory(subject: Subject): Promise<Measurement> {
  filled = await filledFolder(subject);
  return { value: filled.bytesEach, unit: 'B' };
}

async function restart(subject: Subject): Promise<Measurement> {
  filled ??= await filledFolder(subject);
  const times: number[] = [];
  for (let round = 0; round < RESTARTS; round += 1) {
    const startedMs = performance.now();
    const store = await openStore(filled.root);
    times.push((performance.now() - startedMs) / 1000);
    if (store.state().blockCount !== BLOCKS) throw new Error('blocks are missing after a restart');
    await store.close();
  }
  times.sort((a, b) => a - b);
  return { value: times[1] ?? Number.NaN, unit: 's' };
}

interface Scrubbed {
  readonly readRate: number;
  readonly scrubRate: number;
  readonly calm: Measurement;
  readonly underScrub: Measurement;
}

let scrubbed: Scrubbed | undefined;

/** One server with 1 GiB: users alone, then users while it scrubs by itself; then, stopped, the
 *  disk read by dd and the scrubber as fast as it can, both past the cache. */
async function scrub({ settings, driver }: Subject): Promise<Scrubbed> {
  const { repository, scratchFolder } = settings;
  const folder = join(scratchFolder, 'scrub');
  rmSync(folder, { recursive: true, force: true });
  await addUser({ folder, repository });
  const { child, port } = await runHoldfast({ folder, repository });
  const credentials = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
  const target = {
    host: '127.0.0.1', port, root: `/remote.php/dav/files/${USER}/`,
    headers: `Authorization: Basic ${credentials}\r\n`,
  };
  const load = async (salt: number): Promise<Measurement> => {
    const watch = new UsageWatch(child.pid);
    const path = `load-${salt}/`;
    await driver.run<'call'>({ kind: 'call', target, method: 'MKCOL', path });
    const result = await driver.run<'put'>({
      kind: 'put', target, folder: `load-${salt}`, salt, sizeBytes: 100 * 1024, connectionCount: 8,
      timeLimitMs: 4000, countMax: 100_000,
    });
    const { p99Ms = Number.NaN, ...rest } = rateOf(result, watch.stop());
    return { ...rest, value: p99Ms, unit: 'ms', note: `${Math.round(rest.value)}/s` };
  };
  try {
    const big = { path: 'big', salt: 7, sizeBytes: SCRUB_BYTES };
    await driver.run<'upload'>({ kind: 'upload', target, ...big });
    const calm = await load(1);
    await waitForScrub(port);
    const underScrub = await load(2);
    await child.stop();
    const data = join(folder, 'data');
    return { calm, underScrub, ...(await rates(data, repository)) };
  } finally {
    await child.stop();
  }
}

async function waitForScrub(port: number): Promise<void> {
  const deadlineMs = performance.now() + SCRUB_WAIT_MS;
  for (let before = Number.NaN; ;) {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const line = /verify_checked_total\{[^}]*disk-scrubber[^}]*\} (\d+)/.exec(text)?.[1];
    if (Number(line) > before) return;
    before = Number(line ?? 0);
    if (performance.now() > deadlineMs) throw new Error('the server does not scrub');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function rates(data: string, repository: string) {
  const volumes = join(data, 'volumes');
  const names = readdirSync(volumes).filter((name) => name.endsWith('.hv'));
  let bytes = 0;
  let readMs = 0;
  for (const name of names) {
    const args = [`if=${join(volumes, name)}`, 'of=/dev/null', 'bs=4M', 'iflag=direct'];
    const startedMs = performance.now();
    const { output } = await runProgram('dd', args, { timeoutMs: COMMAND_MAX_MS });
    readMs += performance.now() - startedMs;
    bytes += Number(/(\d+) bytes/.exec(output)?.[1] ?? Number.NaN);
    await runProgram('dd', [`if=${join(volumes, name)}`, 'iflag=nocache', 'count=0'], {
      timeoutMs: COMMAND_MAX_MS,
    });
  }
  const args = ['verify', 'run', '--only', 'disk-scrubber', '--data', data];
  const { output, status } = await runProgram(join(repository, 'holdfast'), args, {
    timeoutMs: COMMAND_MAX_MS,
  });
  const [, checked, seconds] = /disk-scrubber: (\d+) bytes.*\(([\d.]+) s\)/.exec(output) ?? [];
  if (status !== 0 || checked === undefined) throw new Error(`verify run: ${output.slice(0, 300)}`);
  const scrubRate = Number(checked) / 1e6 / Number(seconds);
  return { readRate: bytes / 1e6 / (readMs / 1000), scrubRate };
}

async function scrubOnce(subject: Subject): Promise<Scrubbed> {
  scrubbed ??= await scrub(subject);
  return scrubbed;
}

const common = { group: 'blocks', isHoldfastOnly: true, roundsMax: 1 };

export const BLOCK_ITEMS: readonly Item[] = [
  { ...common, id: 'index-memory', title: 'index, memory of a block', run: indexMemory },
  { ...common, id: 'restart-1m', title: 'block store opens 1,000,000 blocks', run: restart },
  {
    ...common, id: 'disk-read', title: 'the disk, sequential read (dd, 4 MiB, direct)',
    run: async (subject) => ({ value: (await scrubOnce(subject)).readRate, unit: 'MB/s' }),
  },
  {
    ...common, id: 'scrub-rate', title: 'scrub of 1.4 GiB, as fast as it goes',
    run: async (subject) => ({ value: (await scrubOnce(subject)).scrubRate, unit: 'MB/s' }),
  },
  {
    ...common, id: 'calm-p99', title: 'PUT 100 KiB c8, p99',
    run: async (subject) => (await scrubOnce(subject)).calm,
  },
  {
    ...common, id: 'scrub-p99', title: 'PUT 100 KiB c8, p99 while the server scrubs',
    run: async (subject) => (await scrubOnce(subject)).underScrub,
  },
];
