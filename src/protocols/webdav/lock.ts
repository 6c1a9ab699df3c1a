/** LOCK (RFC 4918, section 9.10): a new lock, or, without a body, more time for one. */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { newLockToken } from '../../metadata/index.ts';
import type { LockRecord } from '../../metadata/index.ts';
import { readBounded } from '../request-body.ts';
import { dealOf } from './conditions.ts';
import type { DavHandler, DavParts, DavRequest } from './dav-request.ts';
import { hrefOf, sendXml } from './dav-request.ts';
import { depthOf } from './depth.ts';
import { lockMsOf, parseLockInfo } from './lock-request.ts';
import { LockView } from './lock-view.ts';
import { XML_BYTES_MAX } from './propfind.ts';
import { userLockHandler } from './user-lock.ts';

export function lockHandler(parts: DavParts): DavHandler {
  const lockForUser = userLockHandler(parts);
  return async (request) => {
    const { req } = request.exchange;
    const body = await readBounded(req, XML_BYTES_MAX);
    if (body.length > 0) return takeLock(parts, request, body);
    // Without a body too, but no wish for more time: see user-lock.ts.
    if (req.headers['x-user-lock'] !== undefined) return lockForUser(request);
    return refreshLock(parts, request);
  };
}

async function takeLock(parts: DavParts, request: DavRequest, body: Buffer): Promise<void> {
  const { files, now, random } = parts;
  const { exchange, caller, path } = request;
  const { headers } = exchange.req;
  const { scope, ownerXml } = parseLockInfo(body);
  const depth = depthOf(headers);
  if (depth === '1') {
    throw new HoldfastError('invalid', 'webdav/lock', 'A lock has a depth of 0 or infinity.');
  }
  const deal = await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path });
  const expiresAt = now() + lockMsOf(headers['timeout']?.toString());
  const token = newLockToken('token', now(), random.bytes(10));
  const isNew = (await files.find(caller, path)) === undefined;
  try {
    const { lock, created } = await files.lock(
      caller, path, { token, scope, depth, ownerXml, expiresAt }, deal,
    );
    await sendLock(parts, request, { lock, status: created ? 201 : 200 });
  } catch (error) {
    // Where a file had to be made first, it may be the folder above that is locked.
    throw isKind(error, 'locked') && !isNew ? conflicting(error) : error;
  }
}

/** The If header names the lock (RFC 4918, section 9.10.2). */
async function refreshLock(parts: DavParts, request: DavRequest): Promise<void> {
  const { files, now } = parts;
  const { exchange, caller, path } = request;
  const { headers } = exchange.req;
  if (headers['if'] === undefined) {
    const message = 'A LOCK without a body renews a lock, and names it in the If header.';
    throw new HoldfastError('invalid', 'webdav/lock', message, { code: 'lock-token' });
  }
  const { lockTokens = [] } = await dealOf({
    files, exchange, caller, requestPath: path, judgedPath: path,
  });
  const locks = await files.listLocks(caller, path);
  const named = locks.find(({ token }) => lockTokens.includes(token));
  if (named === undefined) throw staleToken();
  const expiresAt = now() + lockMsOf(headers['timeout']?.toString());
  const lock = await files.refreshLock(caller, path, named.token, expiresAt);
  await sendLock(parts, request, { lock, status: 200 });
}

async function sendLock(
  { files, now }: DavParts, request: DavRequest,
  { lock, status }: { lock: LockRecord; status: 200 | 201 },
): Promise<void> {
  const { exchange, caller, path } = request;
  const found = await files.get(caller, path);
  const { node } = found;
  const view = await LockView.open(files, request, { found, members: 'none', at: now() });
  const xml = '<?xml version="1.0" encoding="utf-8"?>\n<d:prop xmlns:d="DAV:"><d:lockdiscovery>'
    + `${view.xmlOf(node)}</d:lockdiscovery></d:prop>\n`;
  const headers = ['Lock-Token', `<${lock.token}>`];
  if (status === 201) headers.push('Location', hrefOf(request.root, path, node.kind));
  sendXml(exchange, status, xml, headers);
}

function conflicting(cause: HoldfastError): HoldfastError {
  return new HoldfastError('locked', cause.op, cause.message, { code: 'lock-conflict', cause });
}

function staleToken(): HoldfastError {
  const message = 'There is no such lock here, or it has expired. Lock it again.';
  return new HoldfastError('precondition', 'webdav/lock', message, { code: 'lock-token-stale' });
}
