/** Lists of folders that are on the screen or were lately. What is changed here is changed in them
 *  at once, without asking for 100,000 entries again. */
import type { InfiniteData, QueryKey } from '@tanstack/react-query';
import { queryClient } from './query-client.ts';
import type { FileNode, Listing, Sort } from './shapes.ts';

export type ListingData = InfiniteData<Listing, string | undefined>;

export function listingKey(folderId: string, sort: Sort): QueryKey {
  return ['children', folderId, sort.field, sort.order];
}

/** Those with more pages are not loaded again as a whole: it would take as many requests. */
const PAGES_RELOADED_MAX = 3;

/** A new node, or one that moved here. */
export function patchAdded(node: FileNode): void {
  if (node.parentId === undefined) return;
  change(['children', node.parentId], (items, isLast) => {
    const others = items.filter(({ id }) => id !== node.id);
    if (others.length < items.length) return items.map((one) => (one.id === node.id ? node : one));
    return isLast ? [...others, node] : others;
  });
}

export function patchChanged(node: FileNode): void {
  change(['children'], (items) => {
    const at = items.findIndex(({ id }) => id === node.id);
    return at < 0 ? items : items.with(at, { ...items[at], ...node });
  });
  queryClient.setQueriesData<FileNode>({ queryKey: ['node'] }, (old) => {
    return old?.id === node.id ? { ...old, ...node } : old;
  });
}

export function patchRemoved(ids: readonly string[]): void {
  const gone = new Set(ids);
  change(['children'], (items) => {
    const left = items.filter(({ id }) => !gone.has(id));
    return left.length === items.length ? items : left;
  });
}

type Edit = (items: FileNode[], isLast: boolean) => FileNode[];

function change(queryKey: QueryKey, edit: Edit): void {
  queryClient.setQueriesData<ListingData>({ queryKey }, (data) => {
    if (data === undefined || !('pages' in data)) return data;
    const last = data.pages.length - 1;
    const pages = data.pages.map((page, at) => {
      const items = edit(page.items, at === last);
      return items === page.items ? page : { ...page, items };
    });
    return { ...data, pages };
  });
}

/** Asks for the folder's list again, unless it is very long. */
export async function reloadListing(folderId?: string): Promise<void> {
  const queryKey = folderId === undefined ? ['children'] : ['children', folderId];
  await queryClient.invalidateQueries({
    queryKey,
    predicate: ({ state }) => {
      const data = state.data as ListingData | undefined;
      return (data?.pages.length ?? 0) <= PAGES_RELOADED_MAX;
    },
  });
}
