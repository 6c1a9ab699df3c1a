/** What was deleted and can come back. */
import type { Trashed } from '../../files/index.ts';
import { EmptiedShape, TrashShape } from '../../wire/history.ts';
import { NodeShape } from '../../wire/node.ts';
import { LIST_LIMIT_DEFAULT, Paging } from '../../wire/shapes.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { lockTokensOf } from './node-deals.ts';
import type { NodeRequest } from './node-deals.ts';
import { NodeView, placeOf, textOfPath, timeText } from './node-view.ts';
import { ById, CHANGE_REFUSALS, withEtag } from './nodes.ts';
import type { RestApi } from './operation.ts';
import { PeopleNames } from './people-names.ts';
import type { RestParts } from './rest-parts.ts';
import { trashIdOf, trashPlaceOf } from './trash-id.ts';

const TAG = 'trash';
const LIST = 'trash';

export function trashResource(api: RestApi, parts: RestParts): void {
  const { trash } = parts;
  api.operation({
    id: 'listTrash', tag: TAG, method: 'GET', path: '/trash', scope: 'files:read',
    summary: 'The trash of the own space, newest first',
    query: Paging,
    success: { status: 200, description: 'One page.', schema: TrashShape },
    async answer({ caller, query: { cursor, limit = LIST_LIMIT_DEFAULT } }) {
      const before = cursor === undefined ? {}
        : { before: readCursor(LIST, cursor, ['number'])[0] };
      const { entries, next } = await trash.list(caller, { limit, ...before });
      const names = new PeopleNames(parts.identity);
      return {
        body: {
          items: await Promise.all(entries.map((entry) => shown(entry, names))),
          ...(next !== undefined && { nextCursor: makeCursor(LIST, next) }),
        },
      };
    },
  });
  api.operation({
    id: 'restoreTrashed', tag: TAG, method: 'POST', path: '/trash/{id}/restore',
    scope: 'files:write',
    summary: 'Bring something back to where it was',
    description: 'Where that folder is gone, to the nearest one above it; a name that is taken '
      + 'gets the day added.',
    params: ById, refusals: CHANGE_REFUSALS,
    success: { status: 200, description: 'What came back.', schema: NodeShape },
    answer: async (request) => withEtag(
      await restoreTrashed(parts, request, request.params.id),
    ),
  });
  api.operation({
    id: 'dropTrashed', tag: TAG, method: 'DELETE', path: '/trash/{id}', scope: 'files:write',
    summary: 'Remove one entry for good',
    params: ById,
    success: { status: 204, description: 'It is gone.' },
    async answer({ caller, params }) {
      await trash.drop(caller, trashPlaceOf(params.id));
      return {};
    },
  });
  api.operation({
    id: 'emptyTrash', tag: TAG, method: 'DELETE', path: '/trash', scope: 'files:write',
    summary: 'Remove all of it for good',
    success: { status: 200, description: 'How many entries that were.', schema: EmptiedShape },
    async answer({ caller, exchange: { signal } }) {
      return { body: { count: await trash.dropAll(caller, { signal }) } };
    },
  });
}

export async function restoreTrashed(
  parts: Pick<RestParts, 'files' | 'identity' | 'trash'>, { caller, exchange }: NodeRequest,
  id: string,
): Promise<Awaited<ReturnType<NodeView['one']>>> {
  const node = await parts.trash.restore(caller, trashPlaceOf(id), lockTokensOf(exchange));
  return new NodeView(parts, caller).one(await placeOf(parts, caller, String(node.id)));
}

async function shown(entry: Trashed, names: PeopleNames) {
  const { name, kind, from, deletedAt, deletedBy, sizeBytes } = entry;
  return {
    id: trashIdOf(entry), name, kind: kind === 'file' ? 'file' as const : 'folder' as const,
    ...(from !== undefined && { originalPath: textOfPath([...from, name]) }),
    deletedAt: timeText(deletedAt), deletedBy, sizeBytes,
    deletedByName: (await names.user(deletedBy)).displayName,
  };
}
