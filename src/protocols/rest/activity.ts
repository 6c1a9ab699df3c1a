/** What happened lately, newest first. */
import { parseSpaceId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import { ACTIVITY_SPACES_MAX } from '../../files/index.ts';
import type { ActivityPlace, SeenAct } from '../../files/index.ts';
import { ActsQuery, ActsShape } from '../../wire/history.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { placeOf, textOfPath, timeText } from './node-view.ts';
import type { RestApi } from './operation.ts';
import { PeopleNames } from './people-names.ts';
import type { RestParts } from './rest-parts.ts';

const LIMIT_DEFAULT = 50;

export function activityResource(api: RestApi, parts: RestParts): void {
  const { activity } = parts;
  api.operation({
    id: 'listActivity', tag: 'past', method: 'GET', path: '/activity', scope: 'files:read',
    summary: 'What happened lately that whoever asks can see now, newest first',
    description: 'In the own space, and in all that others share since it came into the own tree. '
      + 'A page may be short, or even empty, and not be the last.',
    query: ActsQuery,
    success: { status: 200, description: 'One page.', schema: ActsShape },
    async answer({ caller, query, exchange: { signal } }) {
      const { cursor, limit = LIMIT_DEFAULT, nodeId, only } = query;
      const list = `activity-${nodeId ?? ''}-${only ?? ''}`;
      const node = nodeId === undefined ? undefined : (await placeOf(parts, caller, nodeId)).node;
      const { acts, next } = await activity.page(caller, {
        limit, signal, onlyConflictCopies: only === 'conflict-copies',
        from: cursor === undefined ? undefined
          : placesOf(readCursor(list, cursor, ['string'])[0]),
        below: node && { spaceId: node.spaceId, nodeId: node.id },
      });
      const names = new PeopleNames(parts.identity);
      return {
        body: {
          items: await Promise.all(acts.map((act) => shown(act, names))),
          ...(next !== undefined && { nextCursor: makeCursor(list, textOf(next)) }),
        },
      };
    },
  });
}

async function shown(act: SeenAct, names: PeopleNames) {
  const { id, at, by, kind, nodeKind, nodeId, isThere, name, path, oldPath, count } = act;
  // Visitors of a link are nobody in particular.
  const isPerson = by !== '' && !by.startsWith('@');
  return {
    id, at: timeText(at), change: kind, kind: nodeKind, name,
    ...(isPerson && { by, byName: (await names.user(by)).displayName }),
    ...(isThere && { nodeId: String(nodeId) }),
    ...(path !== undefined && { path: textOfPath(path) }),
    ...(oldPath !== undefined && { oldPath: textOfPath(oldPath) }),
    ...(count !== undefined && { count }),
  };
}

const RADIX = 36;

/** Short: there may be fifty of them. */
function textOf(places: readonly ActivityPlace[]): string {
  return places.map(({ spaceId, rev, at }) => {
    return [spaceId, rev, at].map((number) => number.toString(RADIX)).join('.');
  }).join(' ');
}

/** @throws invalid `cursor`. */
function placesOf(text: string): ActivityPlace[] {
  const places = text.split(' ').map((place) => {
    const [space = NaN, rev = NaN, at = NaN, ...more] = place.split('.')
      .map((part) => (/^-?[0-9a-z]{1,11}$/.test(part) ? parseInt(part, RADIX) : NaN));
    const isRight = [space, rev, at].every(Number.isSafeInteger) && more.length === 0
      && space > 0 && rev >= 0;
    if (!isRight) throw badCursor();
    return { spaceId: parseSpaceId(space), rev, at };
  });
  if (places.length > ACTIVITY_SPACES_MAX) throw badCursor();
  return places;
}

function badCursor(): HoldfastError {
  const message = 'This cursor is not one of this list. Begin again without one.';
  return new HoldfastError('invalid', 'rest/placesOf', message, { code: 'cursor' });
}
