/** Following what changes, as the document tells it. `events` serves these addresses by itself:
 *  their answers wait, and a WebSocket is no answer at all. */
import { ChangesQuery, ChangesShape, FollowQuery } from '../../wire/changes.ts';
import type { DescribedOperation, RestApi } from './operation.ts';

const COMMON = { tag: 'changes', method: 'GET', scope: 'files:read' } as const;
const REFUSALS = [405];

export const CHANGE_OPERATIONS: readonly DescribedOperation[] = [
  {
    ...COMMON, id: 'listChanges', path: '/changes', query: ChangesQuery, refusals: REFUSALS,
    summary: 'What has changed since a cursor, as soon as there is something',
    description: 'Over all that whoever asks can see, without gaps; what permission makes appear '
      + 'or disappear comes as additions and removals. Too many at once: 503, '
      + 'too-many-listeners.',
    success: { status: 200, description: 'One page, or a reset.', schema: ChangesShape },
  },
  {
    ...COMMON, id: 'streamChanges', path: '/changes/stream', query: FollowQuery,
    refusals: REFUSALS,
    summary: 'The same pages as server-sent events',
    description: 'Events changes and reset hold a page each, their ids are cursors. bye says why '
      + 'it ends: slow, ending, access-ended or failed. For EventSource of browsers.',
    headers: { 'Last-Event-ID': 'A cursor, in place of the query\'s.' },
    success: { status: 200, description: 'A stream.', mediaType: 'text/event-stream' },
  },
  {
    ...COMMON, id: 'openChangeSocket', path: '/changes/socket', query: FollowQuery,
    summary: 'The same pages as messages of a WebSocket',
    description: 'Each message is a page as text. 1013 closes it for whoever reads too slowly, '
      + '1001 when the server ends, 1008 when access has ended. With the cookie only from our '
      + 'own pages.',
    success: { status: 101, description: 'A WebSocket.' },
  },
];

export function changesResource(api: RestApi): void {
  for (const operation of CHANGE_OPERATIONS) api.announce(operation);
}
