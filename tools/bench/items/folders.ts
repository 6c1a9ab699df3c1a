/** Listing, moving and deleting a folder with many files, and the same with few. */
import type { Measurement } from '../measurement.ts';
import { median, percentile } from '../statistics.ts';
import { checkCell, usageOf } from './item.ts';
import type { Item, Subject } from './item.ts';

const FILL_BYTES = 64;
const FILL_CONNECTIONS = 8;
const FILL_MAX_MS = 180_000;
const LIST_COUNT = 5;
const MOVE_COUNT = 7;
const SMALL_FILES = 100;
const SMALL_DELETES = 5;

const FIVE_PROPERTIES =
  '<?xml version="1.0"?><d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/>' +
  '<d:getlastmodified/><d:getcontentlength/><d:getetag/><d:getcontenttype/></d:prop></d:propfind>';

/** What a desktop client asks for when it lists a folder. */
const FIFTEEN_PROPERTIES =
  '<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" ' +
  'xmlns:nc="http://nextcloud.org/ns"><d:prop><d:resourcetype/><d:getlastmodified/>' +
  '<d:getcontentlength/><d:getetag/><d:quota-available-bytes/><d:quota-used-bytes/><oc:size/>' +
  '<oc:id/><oc:fileid/><oc:downloadURL/><oc:dDC/><oc:permissions/><oc:checksums/>' +
  '<nc:is-encrypted/><oc:share-types/></d:prop></d:propfind>';

/** The path of a folder with so many files; it is filled at the first call. */
export async function fullFolder(subject: Subject, fileCount: number): Promise<string> {
  const known = subject.fullFolders.get(fileCount);
  if (known !== undefined) return known;
  const folder = subject.freshName(`full-${fileCount}`);
  await subject.makeFolder(folder);
  checkCell(await subject.driver.run<'put'>({
    kind: 'put',
    target: subject.server.target,
    folder,
    sizeBytes: FILL_BYTES,
    connectionCount: FILL_CONNECTIONS,
    timeLimitMs: FILL_MAX_MS,
    countMax: fileCount,
    salt: subject.freshSalt(),
  }));
  subject.fullFolders.set(fileCount, folder);
  return folder;
}

async function list(subject: Subject, body: string): Promise<Measurement> {
  const fileCount = subject.settings.folderFiles;
  const folder = await fullFolder(subject, fileCount);
  const job = {
    method: 'PROPFIND',
    path: `${folder}/`,
    headers: { Depth: '1', 'Content-Type': 'application/xml' },
    body,
  };
  // Once to check the answer, which also warms every cache alike; then timed.
  const counted = await subject.call({ ...job, countPattern: '</[a-zA-Z0-9]*:?response>' });
  if (counted.statuses[0] !== 207 || counted.matchCount !== fileCount + 1) {
    const { statuses: [status], matchCount } = counted;
    throw new Error(`${status} with ${matchCount} of ${fileCount + 1} entries`);
  }
  const { result, usage } = await subject.watch(() => subject.call({ ...job, count: LIST_COUNT }));
  if (result.statuses.some((status) => status !== 207)) throw new Error('a listing failed');
  const sizes = result.bodyBytes;
  if (sizes.some((bytes) => Math.abs(bytes - (sizes[0] ?? 0)) > fileCount)) {
    throw new Error('the listings differ in length');
  }
  return timesOf(result.times, usageOf(usage, LIST_COUNT));
}

function timesOf(times: readonly number[], extra: Partial<Measurement>): Measurement {
  const sorted = times.toSorted((a, b) => a - b);
  const value = median(times);
  return { ...extra, value, unit: 'ms', p50Ms: value, p99Ms: percentile(sorted, 0.99) };
}

async function move(subject: Subject, fileCount: number): Promise<Measurement> {
  await fullFolder(subject, fileCount);
  const { result, usage } = await subject.watch(async () => {
    const times: number[] = [];
    for (let round = 0; round < MOVE_COUNT; round += 1) {
      const from = await fullFolder(subject, fileCount);
      const to = subject.freshName(`moved-${fileCount}`);
      const job = { method: 'MOVE', path: `${from}/`, headers: subject.to(to) };
      times.push(await subject.expect([201, 204], job));
      subject.fullFolders.set(fileCount, to);
    }
    return times;
  });
  return timesOf(result, usageOf(usage, MOVE_COUNT));
}

async function remove(subject: Subject, fileCount: number, count: number): Promise<Measurement> {
  const full = await fullFolder(subject, fileCount);
  const copies: string[] = [];
  for (let round = 0; round < count; round += 1) {
    const copy = subject.freshName(`copy-${fileCount}`);
    await subject.copyFolder(full, copy);
    copies.push(copy);
  }
  const { result, usage } = await subject.watch(async () => {
    const times: number[] = [];
    for (const copy of copies) times.push(await subject.deleteFolder(copy));
    return times;
  });
  return timesOf(result, usageOf(usage, count));
}

export const FOLDER_ITEMS: readonly Item[] = [
  {
    id: 'list-15', title: 'PROPFIND 10,000 entries, 15 properties', group: 'list',
    peerItem: 'list-5', isHoldfastOnly: true, run: (subject) => list(subject, FIFTEEN_PROPERTIES),
  },
  {
    id: 'list-5', title: 'PROPFIND 10,000 entries, 5 properties', group: 'list',
    run: (subject) => list(subject, FIVE_PROPERTIES),
  },
  {
    id: 'move-10k', title: 'MOVE folder of 10,000 files', group: 'folder',
    run: (subject) => move(subject, subject.settings.folderFiles),
  },
  {
    id: 'move-100', title: 'MOVE folder of 100 files', group: 'folder',
    run: (subject) => move(subject, SMALL_FILES),
  },
  {
    id: 'delete-10k', title: 'DELETE folder of 10,000 files', group: 'folder',
    run: (subject) => remove(subject, subject.settings.folderFiles, 1),
  },
  {
    id: 'delete-100', title: 'DELETE folder of 100 files', group: 'folder',
    run: (subject) => remove(subject, SMALL_FILES, SMALL_DELETES),
  },
];
