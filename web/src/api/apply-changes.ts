/**
 * Puts what others have changed into the lists that are loaded, all that came together in one step.
 *
 * A change tells of one node, not of what that does to folders above it: sizes, times, marks of
 * sharing. What is on the screen and may be otherwise is asked for one by one a moment later, or as
 * a whole when it is much.
 */
import type { QueryKey } from '@tanstack/react-query';
import { isConflictCopy } from '../../../src/wire/conflict-copy.ts';
import { api } from './client.ts';
import { orderBy } from './entry-order.ts';
import { Problem, isStatus } from './http.ts';
import { patchChanged, reloadListing } from './listings.ts';
import type { ListingData } from './listings.ts';
import type { LiveChange, LiveNode } from './live.ts';
import { queryClient } from './query-client.ts';
import type { FileNode, Sort } from './shapes.ts';
import { Store } from './store.ts';

/** Gathered for so long before anything is asked for. */
export const ASK_AFTER_MS = 1_000;
/** Entries that are asked for one by one; with more, the list is. */
const ASKED_MAX = 20;
/** A longer list begins anew. */
const PAGES_KEPT_MAX = 3;

/** Lists and figures that any change may alter. Those that nobody looks at are asked for when
 *  somebody does. */
const DERIVED = ['session', 'trash', 'versions', 'access', 'shares', 'time'] as const;

/** How often changes have come: for lists that are too long to be asked for again each time. */
export const changesCome = new Store(0);

/** Whether a conflict copy came or went, so that the inbox is another. */
let isInboxDue = false;

let asked = new Set<string>();
/** Lists that were on their way when something changed. They are asked for again when they have
 *  come: sooner, they never would, where changes are many. */
const overtaken = new Set<QueryKey>();
let timer: ReturnType<typeof setTimeout> | undefined;

interface Change extends LiveChange {
  readonly id: string;
  readonly parentId: string | undefined;
}

export function applyChanges(changes: readonly LiveChange[] | 'reset'): void {
  if (changes === 'reset') {
    loadAnew();
    return;
  }
  // The last word about a key counts.
  const byKey = new Map<string, Change>();
  for (const change of changes) {
    byKey.delete(change.key);
    byKey.set(change.key, {
      ...change, id: lastOf(change.key), parentId: change.parentKey && lastOf(change.parentKey),
    });
  }
  const latest = [...byKey.values()];
  const queries = queryClient.getQueryCache().findAll({ queryKey: ['children'] });
  for (const { queryKey, state } of queries) {
    const data = state.data as ListingData | undefined;
    const [, folderId, field, order] = queryKey as [string, string, Sort['field'], Sort['order']];
    // An answer under way may be older than the change.
    if (state.fetchStatus === 'fetching') overtaken.add(queryKey);
    if (data === undefined) continue;
    const changed = withChanges(data, latest, { folderId, sort: { field, order } });
    if (changed !== data) queryClient.setQueryData(queryKey, changed);
  }
  patchNodes(latest);
  for (const change of latest) if (isOtherBelow(change)) loadBelow(change);
  isInboxDue ||= latest.some(({ path = '', oldPath = '' }) => {
    return [path, oldPath].some((text) => isConflictCopy(text.slice(text.lastIndexOf('/') + 1)));
  });
  askLater();
}

/** What is below it was not told one by one, or has other paths now. */
function isOtherBelow({ kind, isWhole, node }: Change): boolean {
  return node?.kind === 'folder' && kind !== 'removed' && (isWhole || kind === 'moved');
}

function loadBelow({ id, path, oldPath }: Change): void {
  const isBelow = (text: string | undefined): boolean => {
    return [path, oldPath].some((top) => {
      return top !== undefined && (text === top || text?.startsWith(`${top}/`) === true);
    });
  };
  const lists = queryClient.getQueryCache().findAll({ queryKey: ['children'] });
  for (const { queryKey, state } of lists) {
    const { pages: [first] } = (state.data as ListingData | undefined) ?? { pages: [] };
    if (queryKey[1] !== id && !isBelow(first?.folder.path)) continue;
    queryClient.setQueryData<ListingData>(queryKey, shortened);
    void queryClient.invalidateQueries({ queryKey });
  }
  void queryClient.invalidateQueries({
    queryKey: ['node'], predicate: ({ queryKey }) => isBelow(String(queryKey[1])),
  });
}

/** The key of something below a mount begins with that of the mount. */
function lastOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function patchNodes(changes: readonly Change[]): void {
  const byId = new Map(changes.map((change) => [change.id, change]));
  for (const { queryKey, state } of queryClient.getQueryCache().findAll({ queryKey: ['node'] })) {
    const node = state.data as FileNode | undefined;
    const change = byId.get(node?.id ?? '');
    if (node === undefined || change === undefined) continue;
    if (change.kind === 'changed' && change.node !== undefined) {
      queryClient.setQueryData(queryKey, merged(node, change.node));
    } else void queryClient.invalidateQueries({ queryKey });
  }
}

interface Place {
  readonly folderId: string;
  readonly sort: Sort;
}

function withChanges(
  data: ListingData, changes: readonly Change[], { folderId, sort }: Place,
): ListingData {
  const folder = data.pages[0]?.folder;
  const here = new Map<string, Change>();
  const touched = new Map<string, Change>();
  const above = new Set<string>();
  for (const change of changes) {
    if (change.kind !== 'removed' && change.parentId === folderId) here.set(change.id, change);
    touched.set(change.id, change);
    for (const path of [change.path, change.oldPath]) {
      const name = folder && path && nameOnTheWay(folder.path, path);
      if (name !== undefined && name !== '') above.add(name);
    }
  }
  const known = new Set<string>();
  let isOther = false;
  const pages = data.pages.map((page) => {
    const items: FileNode[] = [];
    let isPageOther = false;
    for (const item of page.items) {
      const change = touched.get(item.id);
      if (change === undefined) {
        items.push(item);
        if (item.kind === 'folder' && above.has(item.name)) asked.add(item.id);
        continue;
      }
      known.add(item.id);
      isPageOther = true;
      const now = here.get(item.id)?.node;
      if (now === undefined) continue;
      items.push(merged(item, now));
      if (item.kind === 'folder' || isSameContent(item, now)) asked.add(item.id);
    }
    isOther ||= isPageOther;
    return isPageOther ? { ...page, items } : page;
  });
  const added = [...here.values()].filter(({ id }) => !known.has(id));
  for (const change of added) isOther = insert(pages, change, sort) || isOther;
  const own = folder && touched.get(folder.id)?.node;
  const first = pages[0];
  if (own !== undefined && first !== undefined) {
    pages[0] = { ...first, folder: merged(first.folder, own) };
    isOther = true;
  }
  return isOther ? { ...data, pages } : data;
}

/** Of the folder in `from` on the way to `path`, the name; undefined when it is not below it. */
function nameOnTheWay(from: string, path: string): string | undefined {
  const start = from === '/' ? '/' : `${from}/`;
  if (!path.startsWith(start)) return undefined;
  const end = path.indexOf('/', start.length);
  return end < 0 ? undefined : path.slice(start.length, end);
}

/** Then something was changed that a change does not tell: sharing, marks. */
function isSameContent(before: FileNode, after: LiveNode): boolean {
  return before.name === after.name && before.etag === after.etag;
}

/** Where it comes, if that part of the list is loaded already. */
function insert(pages: ListingData['pages'], change: Change, sort: Sort): boolean {
  const { node } = change;
  if (node === undefined) return false;
  const added = newNode(node, change);
  const compare = orderBy(sort);
  const at = pages.findIndex(({ items }) => {
    const last = items.at(-1);
    return last !== undefined && compare(added, last) < 0;
  });
  const isComplete = pages.at(-1)?.nextCursor === undefined;
  const pageAt = at < 0 && isComplete ? pages.length - 1 : at;
  const page = pages[pageAt];
  if (page === undefined) return false;
  const next = page.items.findIndex((item) => compare(added, item) < 0);
  const items = page.items.toSpliced(next < 0 ? page.items.length : next, 0, added);
  pages[pageAt] = { ...page, items };
  if (added.kind === 'folder') asked.add(added.id);
  return true;
}

function merged(before: FileNode, now: LiveNode): FileNode {
  const { parentId: _, ...rest } = now;
  // Whether the own is given to others is not told.
  return { ...before, ...rest, isShared: now.isShared || (!now.isMount && before.isShared) };
}

/** What a change does not tell of a folder is asked for right after. */
function newNode(node: LiveNode, { parentId, at }: Change): FileNode {
  return {
    spaceId: '', sizeBytes: 0, modifiedAt: at ?? new Date().toISOString(), etag: '',
    isFavorite: false, ...node, ...(parentId !== undefined && { parentId }),
  };
}

function askLater(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    void askNow();
  }, ASK_AFTER_MS);
}

async function askNow(): Promise<void> {
  const ids = [...asked];
  asked = new Set();
  for (const queryKey of overtaken) {
    if (queryClient.getQueryState(queryKey)?.fetchStatus === 'fetching') continue;
    overtaken.delete(queryKey);
    void queryClient.invalidateQueries({ queryKey, exact: true });
  }
  if (overtaken.size > 0) askLater();
  changesCome.set(changesCome.value + 1);
  if (isInboxDue) void queryClient.invalidateQueries({ queryKey: ['inbox'] });
  isInboxDue = false;
  for (const key of DERIVED) void queryClient.invalidateQueries({ queryKey: [key] });
  if (ids.length > ASKED_MAX) {
    await reloadListing();
    return;
  }
  for (const id of ids) {
    try {
      patchChanged(await api.getNode({ id }));
    } catch (error) {
      // Gone again, which a later change tells; or the server is away, and all is loaded anew then.
      if (error instanceof Problem && !isStatus(error, 404)) void reloadListing();
    }
  }
}

/** Where the past cannot be followed, everything on the screen is asked for again. */
function loadAnew(): void {
  asked = new Set();
  overtaken.clear();
  queryClient.setQueriesData<ListingData>({ queryKey: ['children'] }, shortened);
  changesCome.set(changesCome.value + 1);
  void queryClient.invalidateQueries();
}

/** To ask again for a hundred thousand entries would take as many requests as it did. */
function shortened(data: ListingData | undefined): ListingData | undefined {
  if (data === undefined || data.pages.length <= PAGES_KEPT_MAX) return data;
  return {
    pages: data.pages.slice(0, PAGES_KEPT_MAX),
    pageParams: data.pageParams.slice(0, PAGES_KEPT_MAX),
  };
}
