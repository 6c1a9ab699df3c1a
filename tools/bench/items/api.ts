/** The same work by the API that other items do by WebDAV: a large listing, and uploads. */
import type { Measurement } from '../measurement.ts';
import { median, percentile } from '../statistics.ts';
import { fullFolder } from './folders.ts';
import { rateOf, usageOf } from './item.ts';
import type { Item, Subject } from './item.ts';

const ROOT = '/api/v1/';
const PAGE_ENTRIES = 1_000;
const LIST_COUNT = 5;
const BYTES_MAX = 1024 ** 3;
const COUNT_MAX = 200_000;

interface Cell {
  readonly id: string;
  readonly title: string;
  readonly sizeBytes: number;
  readonly connectionCount: number;
}

const CELLS: readonly Cell[] = [
  { id: '1k', title: '1 KiB c32', sizeBytes: 1024, connectionCount: 32 },
  { id: '4m', title: '4 MiB c4', sizeBytes: 4 * 1024 * 1024, connectionCount: 4 },
];

interface Page {
  readonly items: readonly unknown[];
  readonly nextCursor?: string;
}

async function ask<T>({ server: { target } }: Subject, path: string): Promise<T> {
  const { host, port, headers } = target;
  const lines = headers.split('\r\n').filter((line) => line !== '');
  const answer = await fetch(`http://${host}:${port}${ROOT}${path}`, {
    headers: Object.fromEntries(lines.map((line) => line.split(': ', 2) as [string, string])),
  });
  if (!answer.ok) throw new Error(`GET answered ${answer.status}`);
  return await answer.json() as T;
}

async function idOf(subject: Subject, path: string): Promise<string> {
  const query = new URLSearchParams({ path: `/${path}` });
  return (await ask<{ id: string }>(subject, `nodes/by-path?${query}`)).id;
}

/** All pages of a folder, one after the other; what the folder is does not change meanwhile, so
 *  each page has the same address every time. */
async function list(subject: Subject): Promise<Measurement> {
  const fileCount = subject.settings.folderFiles;
  const id = await idOf(subject, await fullFolder(subject, fileCount));
  const pages: string[] = [];
  let entries = 0;
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const query = new URLSearchParams({
      limit: String(PAGE_ENTRIES), ...(cursor !== '' && { cursor }),
    });
    const path = `nodes/${id}/children?${query}`;
    const page: Page = await ask<Page>(subject, path);
    pages.push(path);
    entries += page.items.length;
    cursor = page.nextCursor;
  }
  if (entries !== fileCount) throw new Error(`${entries} of ${fileCount} entries`);
  const target = { ...subject.server.target, root: ROOT };
  const { result, usage } = await subject.watch(async () => {
    const times = new Array<number>(LIST_COUNT).fill(0);
    for (const path of pages) {
      const called = await subject.driver.run<'call'>({
        kind: 'call', target, method: 'GET', path, count: LIST_COUNT,
      });
      if (called.statuses.some((status) => status !== 200)) throw new Error('a listing failed');
      for (const [round, timeMs] of called.times.entries()) {
        times[round] = (times[round] ?? 0) + timeMs;
      }
    }
    return times;
  });
  const value = median(result);
  const p99Ms = percentile(result.toSorted((a, b) => a - b), 0.99);
  return { ...usageOf(usage, LIST_COUNT), value, unit: 'ms', p50Ms: value, p99Ms };
}

async function put(subject: Subject, cell: Cell, way: 'whole' | 'tus'): Promise<Measurement> {
  const folder = subject.freshName(`api-${way}-${cell.id}`);
  await subject.makeFolder(folder);
  const parentId = await idOf(subject, folder);
  const job = {
    target: { ...subject.server.target, root: ROOT }, salt: subject.freshSalt(),
    sizeBytes: cell.sizeBytes, connectionCount: cell.connectionCount,
    timeLimitMs: subject.settings.secs * 1000,
    countMax: Math.min(COUNT_MAX, Math.floor(BYTES_MAX / cell.sizeBytes)),
  };
  const { result, usage } = await subject.watch(() => (way === 'tus'
    ? subject.driver.run<'tus'>({ kind: 'tus', ...job, parentId })
    : subject.driver.run<'put'>({
      kind: 'put', ...job, folder: `nodes/${parentId}/children`, suffix: '/content',
    })));
  await subject.deleteFolder(folder);
  return rateOf(result, usage);
}

export const API_ITEMS: readonly Item[] = [
  {
    id: 'api-list', title: 'API: list 10,000 entries, in pages of 1,000', group: 'api',
    isHoldfastOnly: true, run: list,
  },
  ...CELLS.flatMap((cell) => (['whole', 'tus'] as const).map((way) => ({
    id: `api-${way}-${cell.id}`,
    title: way === 'tus' ? `API: tus ${cell.title}` : `API: PUT ${cell.title}`,
    group: 'api', isHoldfastOnly: true,
    run: (subject: Subject) => put(subject, cell, way),
  }))),
];
