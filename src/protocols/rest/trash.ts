/** What was deleted and can come back. */
import { HoldfastError } from '../../base/errors.ts';
import { parseSpaceId } from '../../base/ids.ts';
import type { SpaceId } from '../../base/ids.ts';
import type { Trashed } from '../../files/index.ts';
import { EmptiedShape, TrashQuery, TrashShape, TrashSpaceQuery } from '../../wire/history.ts';
import { NodeShape } from '../../wire/node.ts';
import { LIST_LIMIT_DEFAULT } from '../../wire/shapes.ts';
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
const SPACE_ID = /^[1-9][0-9]{0,15}$/;

export function trashResource(api: RestApi, parts: RestParts): void {
  const { trash } = parts;
  api.operation({
    id: 'listTrash', tag: TAG, method: 'GET', path: '/trash', scope: 'files:read',
    summary: 'The trash of the own space or of another one, newest first',
    query: TrashQuery,
    success: { status: 200, description: 'One page.', schema: TrashShape },
    async answer({ caller, query: { cursor, limit = LIST_LIMIT_DEFAULT, spaceId } }) {
      const list = spaceId === undefined ? LIST : `${LIST}-${spaceId}`;
      const before = cursor === undefined ? {}
        : { before: readCursor(list, cursor, ['number'])[0] };
      const page = await trash.list(caller, { limit, ...spaceOf(spaceId), ...before });
      const { entries, next, isOwner } = page;
      const names = new PeopleNames(parts.identity);
      return {
        body: {
          items: await Promise.all(entries.map((entry) => shown(entry, names))),
          ...(next !== undefined && { nextCursor: makeCursor(list, next) }),
          mayDrop: isOwner,
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
    summary: 'Remove all of it for good, where whoever asks may',
    query: TrashSpaceQuery,
    success: { status: 200, description: 'How many entries that were.', schema: EmptiedShape },
    async answer({ caller, query: { spaceId }, exchange: { signal } }) {
      return { body: { count: await trash.dropAll(caller, { signal, ...spaceOf(spaceId) }) } };
    },
  });
}

/** @throws not-found: also for what can be no such id. */
function spaceOf(text: string | undefined): { spaceId?: SpaceId } {
  if (text === undefined) return {};
  const number = SPACE_ID.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return { spaceId: parseSpaceId(number) };
  const message = 'There is no such space for you.';
  throw new HoldfastError('not-found', 'rest/trash', message, { code: 'space-missing' });
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
