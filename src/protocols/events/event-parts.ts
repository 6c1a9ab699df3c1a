/** What all ways to follow changes have in common: who asks, from where, and for how long. */
import { HoldfastError } from '../../base/errors.ts';
import { CURSOR_LENGTH_MAX } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { CHANGES_LIMIT_MAX, WAIT_SECONDS_MAX } from '../../wire/change-limits.ts';
import {
  checkNoForeignPage, checkOwnPage, checkScope, findAsking, signInFirst,
} from '../rest/rest-auth.ts';
import type { AuthParts } from '../rest/rest-auth.ts';
import { Following } from './following.ts';
import type { FollowParts } from './following.ts';

export interface EventParts extends FollowParts {
  auth: AuthParts;
}

/** Entries that one message may stem from: some ten kilobytes. */
export const MESSAGE_LIMIT = 100;
/** Between signs of life, which also ask again whether the caller may still follow. */
export const HEARTBEAT_MS = 25_000;
/** A reader that does not take a message for so long is dropped, and may ask now and then. */
export const SLOW_MS = 30_000;

const SCOPE = { scope: 'files:read' } as const;

/** @throws unauthenticated, denied, busy: as the API. `isSocket`: a page of another site can open a
 *  WebSocket with the visitor's cookie or kept password, so it must be ours. */
export async function callerOf(
  { auth }: EventParts, exchange: Exchange, isSocket = false,
): Promise<Caller> {
  const asking = await findAsking(auth, exchange);
  checkScope(asking, SCOPE);
  if (asking === undefined) throw signInFirst();
  if (isSocket && asking.sessionToken !== undefined) checkOwnPage(exchange);
  else if (isSocket && asking.caller.credential !== 'api-token') checkNoForeignPage(exchange);
  return asking.caller;
}

/** @throws as `callerOf`; busy: too many follow; invalid: the query. */
export async function follow(
  parts: EventParts, exchange: Exchange, isSocket = false,
): Promise<Following> {
  const findCaller = (): Promise<Caller> => callerOf(parts, exchange, isSocket);
  const caller = await findCaller();
  return new Following(parts, { caller, findCaller, cursor: cursorIn(exchange) });
}

/** A reader of a stream says by a header where it was cut off. */
function cursorIn({ req, query }: Exchange): string | undefined {
  const cursor = req.headers['last-event-id'] ?? query.get('cursor') ?? undefined;
  const text = Array.isArray(cursor) ? cursor[0] : cursor;
  return text === '' ? undefined : text?.slice(0, CURSOR_LENGTH_MAX + 1);
}

/** @throws invalid. */
export function numberIn(
  { query }: Exchange, name: 'wait' | 'limit', usual: number,
): number {
  const raw = query.get(name);
  if (raw === null) return usual;
  const max = name === 'wait' ? WAIT_SECONDS_MAX : CHANGES_LIMIT_MAX;
  const number = /^[0-9]{1,4}$/.test(raw) ? Number(raw) : NaN;
  if (number <= max && number >= (name === 'wait' ? 0 : 1)) return number;
  const message = `"${name}" must be a whole number up to ${max}.`;
  throw new HoldfastError('invalid', 'events/query', message, { code: 'query' });
}

/** Only what reads is served here. @throws invalid `method-unknown`. */
export function checkMethod({ req }: Exchange): void {
  if (req.method === 'GET') return;
  const message = 'Changes can only be read: ask with GET.';
  throw new HoldfastError('invalid', 'events/method', message, {
    code: 'method-unknown', facts: { allow: 'GET' },
  });
}
