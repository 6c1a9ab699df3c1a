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
type Page = ReturnType<typeof readPage>;

export interface ListingContext {
  tree: TreeReader;
  reads: PageStatements;
  /** What each of these reads asks first. */
  readonly firstQuestions: (...reads: readonly (() => unknown)[]) => readonly Question[];
  /** A snapshot of one's own, which `end` gives back, and what its first read has answered. */
  readonly begin: <T>(
    signal: AbortSignal | undefined, ...first: FirstRead<T>
  ) => Promise<{ snapshot: ListingSnapshot; answer: T }>;
}

/** `questions`: see ReplayedStatements.answer. */
export type FirstRead<T> = readonly [read: () => T, questions: readonly Question[]];

export interface ListingSnapshot {
  /** `questions`: see ReplayedStatements.answer. */
  answer<T>(read: () => T, questions?: readonly Question[]): Promise<T>;
  end(): void;
}

export async function* listFolder(
  { tree, reads, firstQuestions, begin }: ListingContext,
  spaceId: SpaceId, folderId: NodeId, options: ListOptions,
): AsyncGenerator<readonly FolderEntry[]> {
  const { signal, withProperties = false, pageMax = LIST_PAGE_MAX } = options;
  const request = { spaceId, folderId, withProperties, pageMax };
  const aheadMax = options.pageMax === undefined ? READ_AHEAD_PAGES : 1;
  const isThere = (): boolean => tree.isLiveFolder(spaceId, folderId);
  const first = (): Page => readPage(reads, request, options.after ?? '');
  // Both at once: most folders that are listed are there.
  const { snapshot, answer } = await begin(
    signal, () => (isThere() ? first() : undefined), firstQuestions(isThere, first));
  try {
    let page = answer;
    if (page === undefined) throw nodeMissing(folderId);
    const ahead: FolderEntry[][] = [];
    for (let isMore = true; isMore;) {
      const { entries, last }: Page = page;
      isMore = entries.length === pageMax;
      if (entries.length > 0) ahead.push(entries);
      if (!isMore) snapshot.end();
      if (!isMore || ahead.length >= aheadMax) {
        for (const some of ahead.splice(0)) {
          signal?.throwIfAborted();
          yield some;
        }
      }
      signal?.throwIfAborted();
      if (isMore) page = await snapshot.answer(() => readPage(reads, request, last));
    }
  } finally {
    snapshot.end();
  }
}
