/** Where changes can be followed. */
import type { HttpHandler, Route } from '../../platform/index.ts';
import { HoldfastError } from '../../base/errors.ts';
import { sendProblem } from '../rest/problem.ts';
import { changeSocketHandler } from './change-socket.ts';
import type { EventParts } from './event-parts.ts';
import { FollowedPages } from './followed-pages.ts';
import type { PagesParts } from './followed-pages.ts';
import { Gathering } from './gathering.ts';
import { pollHandler } from './poll.ts';
import { PUSH_PATH, pushSocketHandler } from './push-socket.ts';
import { streamHandler } from './stream.ts';

export const CHANGES_PATH = '/api/v1/changes';

export function eventRoutes(
  { feed, hub, clock, ...auth }: PagesParts & EventParts['auth'],
): Route[] {
  const pages = new FollowedPages({ feed, hub, clock });
  const parts: EventParts = { pages, hub, gathering: new Gathering(clock), clock, auth };
  const waits = true;
  return [
    { prefix: CHANGES_PATH, name: 'changes', waits, handler: pollHandler(parts) },
    {
      prefix: `${CHANGES_PATH}/stream`, name: 'changes-stream', waits,
      handler: streamHandler(parts),
    },
    {
      prefix: `${CHANGES_PATH}/socket`, name: 'changes-socket', handler: socketsOnly,
      upgrade: changeSocketHandler(parts),
    },
    {
      prefix: PUSH_PATH, name: 'push', handler: socketsOnly, upgrade: pushSocketHandler(parts),
    },
  ];
}

const socketsOnly: HttpHandler = async (exchange) => {
  const message = 'This address is for WebSockets alone.';
  sendProblem(exchange, new HoldfastError('invalid', 'events/socketsOnly', message, {
    code: 'websocket-only',
  }));
};
