/** What is in a folder, page by page, and new folders. */
import { HoldfastError } from '../../base/errors.ts';
import type { SeenEntry } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import { ChildrenQuery, ChildrenShape, NewFolder, NodeShape } from '../../wire/node.ts';
import { LIST_LIMIT_DEFAULT } from '../../wire/shapes.ts';
import type { Static } from 'typebox';
import { makeCursor, readCursor } from './cursor.ts';
import { NodeChanges, checkFolder } from './node-changes.ts';
import { NodeView, placeOf } from './node-view.ts';
import type { Placed } from './node-view.ts';
import { ById, CHANGE_REFUSALS, TAG, withEtag } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

/** Entries of a folder that is listed in another order than that of the store. */
export const SORTED_ENTRIES_MAX = 50_000;

interface Page {
  entries: readonly SeenEntry[];
  nextCursor?: string;
}

type Query = Static<typeof ChildrenQuery>;

export function childrenResource(api: RestApi, parts: RestParts): void {
  const changes = new NodeChanges(parts);
  api.operation({
    id: 'listChildren', tag: TAG, method: 'GET', path: '/nodes/{id}/children',
    scope: 'files:read',
    summary: 'What is in a folder',
    description: 'Each page is of one moment, all of them together are not: what is added or '
      + 'renamed meanwhile may be missing. By name the cost is that of one page, however large '
      + 'the folder.',
    params: ById, query: ChildrenQuery, refusals: [409, 413],
    success: { status: 200, description: 'One page.', schema: ChildrenShape },
    async answer({ caller, params, query, exchange }) {
      const folder = await placeOf(parts, caller, params.id);
      checkFolder(folder.node);
      const { signal } = exchange;
      const { entries, nextCursor } = await pageOf(parts, { caller, folder, query, signal });
      const view = new NodeView(parts, caller);
      return {
        body: {
          folder: await view.one(folder),
          items: await view.members(folder, entries),
          ...(nextCursor !== undefined && { nextCursor }),
        },
      };
    },
  });
  api.operation({
    id: 'makeFolder', tag: TAG, method: 'POST', path: '/nodes/{id}/children',
    scope: 'files:write',
    summary: 'A new folder in a folder',
    params: ById, body: NewFolder, refusals: CHANGE_REFUSALS,
    success: { status: 201, description: 'The new folder.', schema: NodeShape },
    answer: async (request) => withEtag(
      await changes.makeFolder(request, request.params.id, request.body),
    ),
  });
}

interface Listing {
  caller: Caller;
  folder: Placed;
  query: Query;
  signal: AbortSignal;
}

function pageOf(parts: RestParts, listing: Listing): Promise<Page> {
  const { sort = 'name', order = 'asc' } = listing.query;
  return sort === 'name' && order === 'asc' ? byName(parts, listing) : sorted(parts, listing);
}

/** From behind the last name of the page before. */
async function byName(
  { files }: RestParts, { caller, folder, query, signal }: Listing,
): Promise<Page> {
  const { cursor, limit = LIST_LIMIT_DEFAULT } = query;
  const list = `children-${folder.node.id}`;
  const after = cursor === undefined ? {}
    : { afterName: readCursor(list, cursor, ['string'])[0] };
  const { pages } = await files.list(caller, folder.path, {
    withProperties: true, signal, pageMax: Math.min(limit + 1, 500), ...after,
  });
  const entries: SeenEntry[] = [];
  for await (const page of pages) {
    entries.push(...page);
    if (entries.length > limit) break;
  }
  if (entries.length <= limit) return { entries };
  const shown = entries.slice(0, limit);
  return { entries: shown, nextCursor: makeCursor(list, shown.at(-1)?.name ?? '') };
}

/** Reads all entries, as the store has no such order, and shows those behind the last one of the
 *  page before. */
async function sorted(
  { files }: RestParts, { caller, folder, query, signal }: Listing,
): Promise<Page> {
  const { cursor, limit = LIST_LIMIT_DEFAULT, sort = 'name', order = 'asc' } = query;
  const list = `children-${folder.node.id}-${sort}-${order}`;
  const [value, lastId] = cursor === undefined ? []
    : readCursor(list, cursor, [sort === 'name' ? 'string' : 'number', 'number']);
  const { pages } = await files.list(caller, folder.path, { withProperties: true, signal });
  const direction = order === 'asc' ? 1 : -1;
  const compare = (a: SortKey, b: SortKey): number => direction * (
    (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) || a.id - b.id);
  const entries: SeenEntry[] = [];
  for await (const page of pages) {
    entries.push(...page);
    if (entries.length > SORTED_ENTRIES_MAX) throw tooManyToSort();
  }
  const last = value === undefined || lastId === undefined ? undefined : { value, id: lastId };
  const keyed = entries.map((entry) => ({ entry, key: sortKeyOf(entry, sort) }))
    .filter(({ key }) => last === undefined || compare(key, last) > 0)
    .toSorted((a, b) => compare(a.key, b.key));
  const shown = keyed.slice(0, limit);
  const end = shown.at(-1)?.key;
  return {
    entries: shown.map(({ entry }) => entry),
    ...(keyed.length > limit && end !== undefined && {
      nextCursor: makeCursor(list, end.value, end.id),
    }),
  };
}

interface SortKey {
  value: string | number;
  id: number;
}

function sortKeyOf(entry: SeenEntry, sort: 'name' | 'modified' | 'size'): SortKey {
  const value = sort === 'name' ? entry.name : sort === 'size' ? entry.sizeBytes
    : entry.modifiedAt;
  return { value, id: entry.id };
}

function tooManyToSort(): HoldfastError {
  const message = `A folder with more than ${SORTED_ENTRIES_MAX} entries is listed by name only, `
    + 'in ascending order.';
  return new HoldfastError('too-large', 'rest/listChildren', message, { code: 'sort-too-large' });
}

