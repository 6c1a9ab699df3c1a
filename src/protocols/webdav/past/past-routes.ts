/**
 * The past as a read-only WebDAV tree: `/remote.php/dav/as-of/MOMENT/USER/`, MOMENT an instant in
 * UTC or `rev-N`. Any client can mount it, browse it and copy out of it; what would change
 * something is refused.
 *
 * What is past does not change. So ETags are stable, and nothing has to be asked twice.
 */
import { HoldfastError } from '../../../base/errors.ts';
import type { PastFound, PastView, TimeService } from '../../../files/index.ts';
import { parseWhen } from '../../../files/index.ts';
import type { Caller } from '../../../identity/index.ts';
import type { Exchange, HttpHandler, Route } from '../../../platform/index.ts';
import { sendDavError } from '../../dav-error.ts';
import { decodePath, decodeSegment, encodeName } from '../../paths.ts';
import type { DavPlace } from '../../paths.ts';
import { preconditionsOf } from '../conditions.ts';
import type { DavParts } from '../dav-request.ts';
import { sendEmpty } from '../dav-request.ts';
import { answerNode, isUnchanged } from '../get.ts';
import { answerPastPropfind } from './past-propfind.ts';

const PREFIX = '/remote.php/dav/as-of/';
const ALLOW = 'OPTIONS, GET, HEAD, PROPFIND';

export interface PastParts extends Pick<DavParts, 'authenticator' | 'instanceId'> {
  time: TimeService;
}

export interface PastRequest {
  exchange: Exchange;
  caller: Caller;
  place: DavPlace;
  view: PastView;
  found: PastFound;
}

export function pastRoutes(parts: PastParts): Route[] {
  return [{ prefix: PREFIX, name: 'dav-past', handler: pastHandler(parts) }];
}

function pastHandler(parts: PastParts): HttpHandler {
  const { authenticator, time, instanceId } = parts;
  return async (exchange) => {
    try {
      const { method = '' } = exchange.req;
      if (method === 'OPTIONS') {
        sendEmpty(exchange, 200, ['DAV', '1, 3', 'Allow', ALLOW, 'Accept-Ranges', 'bytes']);
        return;
      }
      const caller = await authenticator.authenticate(exchange);
      if (!ALLOW.split(', ').includes(method)) refuseChange(exchange);
      const { moment, place } = locatePast(exchange.path, caller);
      const view = await time.open(caller, parseWhen(moment));
      const found = await view.get(place.path);
      const request = { exchange, caller, place, view, found };
      if (method === 'PROPFIND') {
        await answerPastPropfind(parts, request);
        return;
      }
      const { node } = found;
      preconditionsOf(mustHold(exchange))?.(node);
      if (isUnchanged(exchange, node)) return;
      await answerNode(exchange, node, { instanceId, open: () => time.openNode(node) });
    } catch (error) {
      sendDavError(exchange, error);
    }
  };
}

/** If-None-Match and If-Modified-Since only spare a transfer: see `isUnchanged`. */
function mustHold({ req }: Exchange): Exchange['req']['headers'] {
  const { 'if-none-match': _, ...headers } = req.headers;
  return headers;
}

/** @throws invalid; denied: another user's; not-found: the address is too short. */
function locatePast(
  raw: string, caller: Pick<Caller, 'user'>,
): { moment: string; place: DavPlace } {
  const [moment = '', user = '', ...rest] = raw.slice(PREFIX.length).split('/');
  if (moment === '' || user === '') {
    const message = 'The address names a moment and a user, like '
      + `${PREFIX}2026-11-20T10:00:00Z/USER/.`;
    throw new HoldfastError('not-found', 'webdav/past', message);
  }
  const named = decodeSegment(user);
  if (named.toLowerCase() !== caller.user) {
    const message = 'These files belong to somebody else.';
    throw new HoldfastError('denied', 'webdav/past', message, { code: 'other-user' });
  }
  // Named again as the client has named it: some compare addresses letter by letter.
  const prefix = `${PREFIX}${moment}/${encodeName(named)}/`;
  const place = { root: { prefix }, path: decodePath(rest.join('/')) };
  return { moment: decodeSegment(moment), place };
}

function refuseChange({ res }: Exchange): never {
  res.setHeader('Allow', ALLOW);
  const message = 'The past can be read and copied, not changed. Restore it to change it.';
  throw new HoldfastError('denied', 'webdav/past', message, { code: 'read-only' });
}
