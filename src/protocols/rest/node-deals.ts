/**
 * Changes of nodes that are named by id. The file service works with paths; between looking up
 * where a node is and changing it, somebody may put another one there. So the node's id is pinned
 * into the change, and the look-up is done again when it was not the same any more.
 */
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { Deal } from '../../files/index.ts';
import type { Asking } from './rest-parts.ts';
import { Effects } from '../../platform/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { preconditionsOf } from '../webdav/conditions.ts';
import { placeOf } from './node-view.ts';
import type { NodeParts, Placed } from './node-view.ts';

const TRIES_MAX = 5;
const LOCK_TOKEN = /^<?(?:opaquelocktoken:)?([0-9a-f-]{36})>?$/i;

export interface NodeRequest extends Pick<Asking, 'caller'> {
  readonly exchange: Exchange;
}

/** Tokens that the request shows, as RFC 4918, section 10.5, writes them; several with commas. */
export function lockTokensOf({ req }: Exchange): string[] {
  const raw = req.headers['lock-token'];
  if (raw === undefined) return [];
  return String(raw).split(',').flatMap((one) => {
    const id = LOCK_TOKEN.exec(one.trim())?.[1];
    return id === undefined ? [] : [`opaquelocktoken:${id.toLowerCase()}`];
  });
}

/** What a change brings along that is about no node that is there already. */
export function dealOfRequest({ exchange }: NodeRequest): Deal {
  return { lockTokens: lockTokensOf(exchange), signal: exchange.signal };
}

/**
 * Does something to the node with this id, wherever it is by then.
 * @throws not-found; precondition: the request's own conditions; as `act`.
 */
export async function changeNode<T>(
  parts: NodeParts, request: NodeRequest,
  { id, act, isLater = false }: {
    id: string; act: (place: Placed, deal: Deal) => Promise<T>;
    /** The request's conditions were judged by a change before, which made another ETag. */
    isLater?: boolean;
  },
): Promise<T> {
  const { exchange, caller } = request;
  const wanted = isLater ? undefined : preconditionsOf(exchange.req.headers);
  for (let tries = 1; ; tries += 1) {
    const place = await placeOf(parts, caller, id);
    wanted?.(place.node);
    const condition: Deal['condition'] = (current) => {
      if (current?.id !== place.node.id) throw movedAway();
      wanted?.(current);
    };
    const effects = new Effects();
    try {
      return await effects.watch(() => act(place, { ...dealOfRequest(request), condition }));
    } catch (error) {
      const isRace = isKind(error, 'precondition') || isKind(error, 'not-found');
      // What was done is not done again: a copy would be there twice.
      if (!isRace || effects.isSeen || tries >= TRIES_MAX) throw error;
    }
  }
}

function movedAway(): HoldfastError {
  const message = 'It was moved at the same moment. Try again.';
  return new HoldfastError('precondition', 'rest/changeNode', message, { code: 'changed' });
}
