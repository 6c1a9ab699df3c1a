/**
 * The listing of a folder, page by page, on one snapshot.
 *
 * A few pages are read ahead. So for all but big folders the snapshot has ended before the consumer
 * sees the first page: a slow consumer keeps no old pages alive in the write-ahead log; one that
 * walks a tree, listing folders within the listings of others, holds no chain of connections.
 */
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { LIST_PAGE_MAX } from '../../../metadata-store.ts';
import type { ListOptions } from '../../../metadata-store.ts';
import type { DeadProperty, FolderEntry } from '../../../records.ts';
import { nodeMissing, storeClosed } from '../../../refusals.ts';
import { explained } from '../faults.ts';
import { KIND_FOLDER, KIND_MOUNT, NO_PARENT, kindOf, toTarget } from '../rows.ts';
import type { NodeTuple } from '../rows.ts';
import type { ReadStatements } from './read-statements.ts';
import type { ListingReader, ReaderPool } from './reader-pool.ts';

const READ_AHEAD_PAGES = 4;

type MemberTuple = [
  ...node: NodeTuple, mark: number | null, sizeBytes: number | null, changedAt: number | null,
];

/** Spelled out, not composed of smaller functions: it runs for every entry of every listing. */
function toEntry(spaceId: SpaceId, row: MemberTuple): FolderEntry {
  const [id, parentId, canon, name, kind, sizeBytes, modifiedAt, createdAt, mark, contentRev,
    checksums, folderMark, folderBytes, changedAt] = row;
  const isFolder = kind === KIND_FOLDER;
  return {
    spaceId, id: id as NodeId,
    parentId: parentId === NO_PARENT ? undefined : parentId as NodeId,
    name: name ?? canon, kind: kindOf(kind),
    sizeBytes: isFolder ? folderBytes ?? 0 : sizeBytes,
    modifiedAt: isFolder ? changedAt ?? 0 : modifiedAt,
    createdAt, mark: isFolder ? folderMark ?? 0 : mark, contentRev, checksums,
  };
}

interface ListingRequest {
  spaceId: SpaceId;
  folderId: NodeId;
  withProperties: boolean;
  pageMax: number;
}

interface Page {
  entries: FolderEntry[];
  /** Canonical name of the last entry. */
  last: string;
}

export function readPage(
  reads: Pick<ReadStatements, 'listMembers' | 'listMembersMounts' | 'listMembersProperties'>,
  request: ListingRequest, after: string,
): Page {
  const { spaceId, folderId, withProperties, pageMax } = request;
  const rows = reads.listMembers.all(spaceId, folderId, after, pageMax) as MemberTuple[];
  const entries = rows.map((row) => toEntry(spaceId, row));
  const last = rows.at(-1)?.[2] ?? after;
  if (rows.some(([, , , , kind]) => kind === KIND_MOUNT)) {
    const found = reads.listMembersMounts.all(spaceId, folderId, after, last) as
      [number, number, number][];
    const targets = new Map(found.map(([id, ...target]) => [id, toTarget(target)]));
    for (const entry of entries) {
      const target = targets.get(entry.id);
      if (target !== undefined) entry.target = target;
    }
  }
  if (!withProperties) return { entries, last };
  const found = reads.listMembersProperties.all(spaceId, folderId, after, last) as
    [number, string, string, string][];
  const byNode = new Map<number, DeadProperty[]>();
  for (const [id, namespace, name, xml] of found) {
    const properties = byNode.get(id) ?? [];
    properties.push({ namespace, name, xml });
    byNode.set(id, properties);
  }
  for (const entry of entries) entry.properties = byNode.get(entry.id) ?? [];
  return { entries, last };
}

/** Lets the event loop turn: a long listing must not hold up other requests. */
function otherRequestsFirst(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A reader with an open snapshot, given back exactly once: by the listing's end, by its consumer
 *  stopping early, or by the signal, also while the consumer is busy elsewhere. */
class Snapshot {
  readonly #pool: ReaderPool;
  readonly #signal: AbortSignal | undefined;
  #reader: ListingReader | undefined;

  constructor(pool: ReaderPool, reader: ListingReader, signal: AbortSignal | undefined) {
    this.#pool = pool;
    this.#reader = reader;
    this.#signal = signal;
    signal?.addEventListener('abort', this.release, { once: true });
    reader.reads.begin.run();
  }

  get reader(): ListingReader {
    this.#signal?.throwIfAborted();
    if (this.#reader === undefined) throw storeClosed();
    return this.#reader;
  }

  readonly release = (): void => {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    this.#signal?.removeEventListener('abort', this.release);
    if (reader.connection.inTransaction) reader.reads.end.run();
    this.#pool.giveBack(reader);
  };
}

export async function* listFolder(
  pool: ReaderPool, spaceId: SpaceId, folderId: NodeId, options: ListOptions,
): AsyncGenerator<readonly FolderEntry[]> {
  const { signal, withProperties = false, pageMax = LIST_PAGE_MAX } = options;
  const request = { spaceId, folderId, withProperties, pageMax };
  const aheadMax = options.pageMax === undefined ? READ_AHEAD_PAGES : 1;
  const snapshot = new Snapshot(pool, await pool.take(signal), signal);
  try {
    const isThere = explained(() => snapshot.reader.tree.isLiveFolder(spaceId, folderId));
    if (!isThere) throw nodeMissing(folderId);
    const ahead: FolderEntry[][] = [];
    for (let after = options.after ?? '', isMore = true; isMore;) {
      const { entries, last } = explained(() => readPage(snapshot.reader.reads, request, after));
      isMore = entries.length === pageMax;
      after = last;
      if (entries.length > 0) ahead.push(entries);
      if (!isMore) snapshot.release();
      if (!isMore || ahead.length >= aheadMax) {
        for (const page of ahead.splice(0)) {
          signal?.throwIfAborted();
          yield page;
        }
      }
      if (isMore) await otherRequestsFirst();
    }
  } finally {
    snapshot.release();
  }
}
