/** From a request to its handler: every root under which files are found, and every method. */
import type { HttpHandler, Route } from '../../platform/index.ts';
import { sendDavError } from '../dav-error.ts';
import { locate } from '../paths.ts';
import { copyHandler, moveHandler } from './copy-move.ts';
import type { DavHandler, DavParts } from './dav-request.ts';
import { deleteHandler } from './delete.ts';
import { getHandler } from './get.ts';
import { lockHandler } from './lock.ts';
import { mkcolHandler } from './mkcol.ts';
import { answerOptions, refuseMethod } from './options.ts';
import { parentHandler } from './parents.ts';
import { patchHandler } from './patch.ts';
import { propfindHandler } from './propfind.ts';
import { proppatchHandler } from './proppatch.ts';
import { putHandler } from './put.ts';
import { unlockHandler } from './unlock.ts';

/** Class 1, 2 and 3 of RFC 4918, under `/remote.php/dav/files/USER/` and two shorter addresses for
 *  the files of whoever signs in. They show the same resources, ETags and locks. */
export function davRoutes(parts: DavParts): Route[] {
  const handler = davHandler(parts);
  const parents = parentHandler(parts);
  return [
    { prefix: '/remote.php/dav/files/', name: 'dav-files', handler },
    { prefix: '/remote.php/webdav/', name: 'dav-webdav', handler },
    { prefix: '/remote.php/webdav', name: 'dav-webdav', handler },
    { prefix: '/dav/', name: 'dav-short', handler },
    { prefix: '/dav', name: 'dav-short', handler },
    { prefix: '/remote.php/dav/files', name: 'dav-parents', handler: parents },
  ];
}

function davHandler(parts: DavParts): HttpHandler {
  const { authenticator } = parts;
  const handlers = handlersOf(parts);
  const parents = parentHandler(parts);
  return async (exchange) => {
    try {
      const { method = '' } = exchange.req;
      if (method === 'OPTIONS') {
        answerOptions(exchange);
        return;
      }
      const known = authenticator.authenticate(exchange);
      // An await would cost every small request another turn of the microtask queue.
      const caller = known instanceof Promise ? await known : known;
      const handler = handlers.get(method) ?? refuseMethod(exchange);
      const place = locate(exchange.path, caller);
      if (place === undefined) {
        await parents(exchange);
        return;
      }
      await handler({ exchange, caller, root: place.root, path: place.path });
    } catch (error) {
      sendDavError(exchange, error);
    }
  };
}

function handlersOf(parts: DavParts): ReadonlyMap<string, DavHandler> {
  const get = getHandler(parts);
  return new Map<string, DavHandler>([
    ['GET', get],
    ['HEAD', get],
    ['PUT', putHandler(parts)],
    ['PATCH', patchHandler(parts)],
    ['DELETE', deleteHandler(parts)],
    ['MKCOL', mkcolHandler(parts)],
    ['COPY', copyHandler(parts)],
    ['MOVE', moveHandler(parts)],
    ['PROPFIND', propfindHandler(parts)],
    ['PROPPATCH', proppatchHandler(parts)],
    ['LOCK', lockHandler(parts)],
    ['UNLOCK', unlockHandler(parts)],
  ]);
}
