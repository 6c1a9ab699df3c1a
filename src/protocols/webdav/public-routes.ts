/**
 * Public links by WebDAV: `/public.php/dav/files/TOKEN/` (the link's password, if it has one, by
 * HTTP Basic with any user name) and `/public.php/webdav/` (with the token as the user name). What
 * a visitor may do is decided in `files`, as for everybody; locks are for people with an account.
 */
import { HoldfastError } from '../../base/errors.ts';
import { isLinkCaller, leaveFile } from '../../files/index.ts';
import type { LinkCaller, Links } from '../../files/index.ts';
import type { Exchange, HttpHandler, Route } from '../../platform/index.ts';
import { parseBasic } from '../authenticate.ts';
import { sendDavError } from '../dav-error.ts';
import { decodeSegment, locate, PUBLIC_FILES_ROOT, PUBLIC_ROOT } from '../paths.ts';
import { bodySource } from '../request-body.ts';
import { copyHandler, moveHandler } from './copy-move.ts';
import type { DavHandler, DavParts, DavRequest } from './dav-request.ts';
import { sendEmpty } from './dav-request.ts';
import { deleteHandler } from './delete.ts';
import { answerNode, isUnchanged } from './get.ts';
import { mkcolHandler } from './mkcol.ts';
import { propfindHandler } from './propfind.ts';
import { proppatchHandler } from './proppatch.ts';
import { putHandler, sendWritten, uploadOptionsOf } from './put.ts';

export interface PublicDavParts extends DavParts {
  links: Links;
}

const ALLOW = 'OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH';

export function publicDavRoutes(parts: PublicDavParts): Route[] {
  const handler = publicHandler(parts);
  return [
    { prefix: PUBLIC_FILES_ROOT, name: 'dav-public', handler },
    { prefix: PUBLIC_ROOT, name: 'dav-public', handler },
    { prefix: PUBLIC_ROOT.slice(0, -1), name: 'dav-public', handler },
  ];
}

function publicHandler(parts: PublicDavParts): HttpHandler {
  const handlers = handlersOf(parts);
  return async (exchange) => {
    try {
      const { method = '' } = exchange.req;
      if (method === 'OPTIONS') {
        sendEmpty(exchange, 200, ['DAV', '1, 3', 'Allow', ALLOW, 'MS-Author-Via', 'DAV']);
        return;
      }
      const handler = handlers.get(method);
      if (handler === undefined) refuseMethod(exchange);
      const caller = await visitorOf(parts.links, exchange);
      const place = locate(exchange.path, caller);
      if (place === undefined) throw nothingThere();
      await handler({ exchange, caller, root: place.root, path: place.path });
    } catch (error) {
      sendDavError(exchange, error);
    }
  };
}

function handlersOf(parts: PublicDavParts): ReadonlyMap<string, DavHandler> {
  const get: DavHandler = (request) => answerGet(parts, request);
  return new Map<string, DavHandler>([
    ['GET', get],
    ['HEAD', get],
    ['PUT', putOrLeave(parts)],
    ['DELETE', deleteHandler(parts)],
    ['MKCOL', mkcolHandler(parts)],
    ['COPY', copyHandler(parts)],
    ['MOVE', moveHandler(parts)],
    ['PROPFIND', propfindHandler(parts)],
    ['PROPPATCH', proppatchHandler(parts)],
  ]);
}

async function visitorOf(links: Links, exchange: Exchange): Promise<LinkCaller> {
  const { address, path, req } = exchange;
  const credentials = parseBasic(req.headers.authorization);
  if (path.startsWith(PUBLIC_FILES_ROOT)) {
    const [raw = ''] = path.slice(PUBLIC_FILES_ROOT.length).split('/');
    return links.open({ token: decodeSegment(raw), password: credentials?.password, address });
  }
  if (credentials !== undefined) {
    return links.open({ token: credentials.user, password: credentials.password, address });
  }
  const message = 'Give the last part of the link as user name, and its password if it has one.';
  throw new HoldfastError('unauthenticated', 'webdav/public', message);
}

/** Bytes count as a download: see Links.countDownload. */
async function answerGet(
  { files, links, instanceId }: PublicDavParts, { exchange, caller, path }: DavRequest,
): Promise<void> {
  const { node, access } = await files.get(caller, path);
  // Not even a checksum: it would confirm a guess at the content.
  if (node.kind === 'file' && !access.download) throw keptBack();
  if (isUnchanged(exchange, node)) return;
  await answerNode(exchange, node, {
    instanceId,
    open: async (wanted) => {
      const content = await files.openNode(node);
      const { address } = exchange;
      if (isLinkCaller(caller)) await links.countDownload(caller, { node, wanted, address });
      return content;
    },
  });
}

/** Where files are only left, nothing is overwritten: a file takes a free name. */
function putOrLeave(parts: PublicDavParts): DavHandler {
  const put = putHandler(parts);
  const { files, instanceId } = parts;
  return async (request) => {
    const { exchange, caller, path } = request;
    if (!isLinkCaller(caller) || caller.terms.fileDrop !== true) return put(request);
    const options = uploadOptionsOf(exchange, {});
    const body = bodySource(exchange.req);
    sendWritten(exchange, await leaveFile(files, caller, { path, body, options }), instanceId);
  };
}

function refuseMethod({ res }: Exchange): never {
  res.setHeader('Allow', ALLOW);
  const message = 'This cannot be done through a link.';
  throw new HoldfastError('invalid', 'webdav/public', message, { code: 'method-unknown' });
}

function keptBack(): HoldfastError {
  const message = 'This can be seen here, and not downloaded.';
  return new HoldfastError('denied', 'webdav/public', message, { code: 'kept-back' });
}

function nothingThere(): HoldfastError {
  return new HoldfastError('not-found', 'webdav/public', 'There is nothing at this address.');
}
