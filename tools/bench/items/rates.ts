/** PUT and GET of files of three sizes, closed loop. */
import type { CellResult } from '../load/jobs.ts';
import type { Measurement } from '../measurement.ts';
import { checkCell, rateOf } from './item.ts';
import type { Item, Subject } from './item.ts';
import type { Usage } from '../servers/process-tree.ts';

interface Cell {
  readonly id: string;
  readonly title: string;
  readonly sizeBytes: number;
  readonly connectionCount: number;
}

const BYTES_MAX = 1024 ** 3;
/** What the titles of the stream items say; a quick run sends less, and says so. */
export const STREAM_BYTES: number = 1024 ** 3;
const COUNT_MAX = 200_000;
const CELLS: readonly Cell[] = [
  { id: '1k', title: '1 KiB c32', sizeBytes: 1024, connectionCount: 32 },
  { id: '100k', title: '100 KiB c8', sizeBytes: 100 * 1024, connectionCount: 8 },
  { id: '4m', title: '4 MiB c4', sizeBytes: 4 * 1024 * 1024, connectionCount: 4 },
];

async function put(subject: Subject, cell: Cell): Promise<Measurement> {
  const folder = subject.freshName(`put-${cell.id}`);
  const salt = subject.freshSalt();
  await subject.makeFolder(folder);
  const { result, usage } = await subject.watch(() => subject.driver.run<'put'>({
    kind: 'put',
    target: subject.server.target,
    folder,
    salt,
    sizeBytes: cell.sizeBytes,
    connectionCount: cell.connectionCount,
    timeLimitMs: subject.settings.secs * 1000,
    countMax: Math.min(COUNT_MAX, Math.floor(BYTES_MAX / cell.sizeBytes)),
  }));
  const before = subject.filesBySize.get(cell.sizeBytes);
  subject.filesBySize.set(cell.sizeBytes, { folder, count: result.count, salt });
  if (before !== undefined) await subject.deleteFolder(before.folder);
  return rateOf(result, usage);
}

async function get(subject: Subject, cell: Cell): Promise<Measurement> {
  if (!subject.filesBySize.has(cell.sizeBytes)) await put(subject, cell);
  const files = subject.filesBySize.get(cell.sizeBytes);
  if (files === undefined || files.count === 0) throw new Error('there are no files to get');
  const job = {
    kind: 'get',
    target: subject.server.target,
    folder: files.folder,
    salt: files.salt,
    fileCount: files.count,
    sizeBytes: cell.sizeBytes,
    connectionCount: cell.connectionCount,
    timeLimitMs: subject.settings.secs * 1000,
  } as const;
  await subject.driver.run<'get'>(job); // Warm caches for everybody: only the second run counts.
  const { result, usage } = await subject.watch(() => subject.driver.run<'get'>(job));
  return rateOf(result, usage);
}

export const RATE_ITEMS: readonly Item[] = [
  ...CELLS.map((cell) => ({
    id: `put-${cell.id}`,
    title: `PUT ${cell.title}`,
    group: 'put',
    run: (subject: Subject) => put(subject, cell),
  })),
  ...CELLS.map((cell) => ({
    id: `get-${cell.id}`,
    title: `GET ${cell.title}`,
    group: 'get',
    run: (subject: Subject) => get(subject, cell),
  })),
];

async function upload(subject: Subject): Promise<Measurement> {
  const path = subject.freshName('stream');
  const stream = { path, salt: subject.freshSalt(), sizeBytes: subject.settings.streamBytes };
  const job = { kind: 'upload', target: subject.server.target, ...stream } as const;
  const { result, usage } = await subject.watch(() => subject.driver.run<'upload'>(job));
  checkCell(result);
  if (subject.stream !== undefined) {
    await subject.expect([200, 204], { method: 'DELETE', path: subject.stream.path });
  }
  subject.stream = stream;
  return streamed(stream.sizeBytes, result, usage);
}

async function download(subject: Subject): Promise<Measurement> {
  if (subject.stream === undefined) await upload(subject);
  const { stream } = subject;
  if (stream === undefined) throw new Error('there is no large file to get');
  const job = { kind: 'download', target: subject.server.target, ...stream } as const;
  await subject.driver.run<'download'>(job); // Warm caches for everybody.
  const { result, usage } = await subject.watch(() => subject.driver.run<'download'>(job));
  return streamed(stream.sizeBytes, result, usage);
}

function streamed(sizeBytes: number, result: CellResult, usage: Usage): Measurement {
  const value = sizeBytes / 1e6 / (result.elapsedMs / 1000);
  const isFull = sizeBytes === STREAM_BYTES;
  const note = isFull ? {} : { note: `only ${sizeBytes / 1024 ** 2} MiB`, isPartial: true };
  return { ...rateOf(result, usage), ...note, value, unit: 'MB/s' };
}

export const STREAM_ITEMS: readonly Item[] = [
  { id: 'up-1g', title: '1 GiB up, one stream', group: 'stream', run: upload },
  { id: 'down-1g', title: '1 GiB down, one stream', group: 'stream', run: download },
];
