/**
 * Locks by a file's id: `apps/files_lock/lock/FILEID`, PUT to lock and DELETE to unlock, as web
 * and mobile clients ask. The same locks as those of LOCK with `X-User-Lock`, and the same
 * statuses: 423 when somebody else holds the file, 412 when there was no lock to end.
 *
 * An administrator ends every lock of the own tenant in this way, also at what only others see.
 */
import { HoldfastError } from '../../base/errors.ts';
import { parseUserId } from '../../base/ids.ts';
import type { NodeId } from '../../base/ids.ts';
import type { FileLock, FileService } from '../../files/index.ts';
import type { Caller, Identity } from '../../identity/index.ts';
import { lockedAt, lockKindOf, newLockToken } from '../../metadata/index.ts';
import type { LockRecord } from '../../metadata/index.ts';
import type { Exchange, Random } from '../../platform/index.ts';
import { DEFAULT_LOCK_SECONDS, kindOfLock } from '../webdav/user-lock.ts';
import { escapeText } from '../xml-text.ts';
import type { OcsAnswer, OcsValue } from './ocs-envelope.ts';
import { parametersOf } from './sharing/share-request.ts';

export const LOCK_API = 'apps/files_lock/lock/';

export interface LockRouteParts {
  files: FileService;
  identity: Identity;
  now: () => number;
  random: Random;
  lockTimeoutSeconds?: number;
}

interface LockRequest {
  exchange: Exchange;
  caller: Caller;
  method: string;
}

/** `route` is what follows LOCK_API. undefined: there is nothing at this address. */
export async function answerLock(
  parts: LockRouteParts, route: string, request: LockRequest,
): Promise<OcsAnswer | undefined> {
  // Some clients send the id with what makes it unique among servers.
  const id = /^0*([1-9]\d{0,14})(?:[a-z][a-z0-9]*)?$/.exec(route)?.[1];
  if (id === undefined) return undefined;
  const fileId = Number(id) as NodeId;
  switch (request.method) {
    case 'PUT': return lock(parts, fileId, request);
    case 'DELETE': return unlock(parts, fileId, request);
    default: return { status: 405, message: 'This address does not take that method.' };
  }
}

async function lock(
  parts: LockRouteParts, fileId: NodeId, { exchange, caller }: LockRequest,
): Promise<OcsAnswer> {
  const { files, now, random, lockTimeoutSeconds = DEFAULT_LOCK_SECONDS } = parts;
  const kind = kindOfLock((await parametersOf(exchange)).get('lockType'));
  const place = await files.findById(caller, fileId);
  if (place === undefined) throw notHere();
  const held = await files.locks.lockFile(caller, place.path, {
    token: newLockToken(kind, now(), random.bytes(10)),
    ownerXml: escapeText(caller.displayName), expiresAt: now() + lockTimeoutSeconds * 1000,
  });
  return answerOf(parts, held);
}

async function unlock(
  parts: LockRouteParts, fileId: NodeId, { exchange, caller }: LockRequest,
): Promise<OcsAnswer> {
  const { files } = parts;
  kindOfLock((await parametersOf(exchange)).get('lockType'));
  const place = await files.findById(caller, fileId);
  if (place === undefined) {
    if (!caller.admin) throw notHere();
    const count = await files.locks.breakAll(caller, fileId);
    return count === 0 ? notLocked() : { status: 200, data: [] };
  }
  const held = await files.locks.unlockFile(caller, place.path);
  return held === undefined ? notLocked() : answerOf(parts, held);
}

async function answerOf(parts: LockRouteParts, held: FileLock): Promise<OcsAnswer> {
  const data = held.lock === undefined ? [] : await lockAnswer(parts, held.lock);
  if (!held.isRefused) return { status: 200, data };
  return { status: 423, data, message: 'Somebody else has locked this file.' };
}

async function lockAnswer(
  { identity, now }: LockRouteParts, { token, holder, nodeId, expiresAt }: LockRecord,
): Promise<OcsValue> {
  const holderName = (await identity.users.find(parseUserId(holder)))?.displayName ?? holder;
  return {
    fileId: Number(nodeId), userId: holder, displayName: holderName,
    token: token.replace(/^opaquelocktoken:/, ''),
    type: lockKindOf(token) === 'person' ? 0 : 2,
    creation: Math.floor((lockedAt(token) ?? now()) / 1000),
    eta: Math.max(0, Math.ceil((expiresAt - now()) / 1000)),
  };
}

function notLocked(): OcsAnswer {
  return { status: 412, message: 'This file is not locked.' };
}

function notHere(): HoldfastError {
  const message = 'There is no such file for you.';
  return new HoldfastError('not-found', 'nextcloud/locks', message);
}
