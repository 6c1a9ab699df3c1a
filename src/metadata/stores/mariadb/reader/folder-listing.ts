/** The listing of a folder, page by page, on one snapshot. A few pages are read ahead, as on
 *  SQLite: so for all but big folders the snapshot has ended before the consumer sees the first
 *  page. */
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { LIST_PAGE_MAX } from '../../../metadata-store.ts';
import type { ListOptions } from '../../../metadata-store.ts';
import type { FolderEntry } from '../../../records.ts';
import { nodeMissing } from '../../../refusals.ts';
import { readPage } from '../../sqlite/reader/listing.ts';
import type { Question } from './replayed-statements.ts';
import type { TreeReader } from '../../sqlite/reader/tree-reader.ts';

const READ_AHEAD_PAGES = 4;

type PageStatements = Parameters<typeof readPage>[0];

export interface ListingContext {
  tree: TreeReader;
  reads: PageStatements;
  /** A snapshot of one's own, which `end` gives back. */
  readonly begin: (signal: AbortSignal | undefined) => Promise<ListingSnapshot>;
}

export interface ListingSnapshot {
  /** `questions`: see ReplayedStatements.answer. */
  answer<T>(read: () => T, questions?: readonly Question[]): Promise<T>;
  end(): void;
}

export async function* listFolder(
  { tree, reads, begin }: ListingContext, spaceId: SpaceId, folderId: NodeId, options: ListOptions,
): AsyncGenerator<readonly FolderEntry[]> {
  const { signal, withProperties = false, pageMax = LIST_PAGE_MAX } = options;
  const request = { spaceId, folderId, withProperties, pageMax };
  const aheadMax = options.pageMax === undefined ? READ_AHEAD_PAGES : 1;
  const snapshot = await begin(signal);
  try {
    const isThere = await snapshot.answer(() => tree.isLiveFolder(spaceId, folderId));
    if (!isThere) throw nodeMissing(folderId);
    const ahead: FolderEntry[][] = [];
    for (let after = options.after ?? '', isMore = true; isMore;) {
      signal?.throwIfAborted();
      const from = after;
      const page = await snapshot.answer(() => readPage(reads, request, from));
      isMore = page.entries.length === pageMax;
      after = page.last;
      if (page.entries.length > 0) ahead.push(page.entries);
      if (!isMore) snapshot.end();
      if (isMore && ahead.length < aheadMax) continue;
      for (const entries of ahead.splice(0)) {
        signal?.throwIfAborted();
        yield entries;
      }
    }
  } finally {
    snapshot.end();
  }
}
