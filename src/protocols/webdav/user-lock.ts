/**
 * Locks that name a file and no token: LOCK and UNLOCK with the header `X-User-Lock` and without a
 * body, as sync clients send them. Type 0 locks for a person, all of whose programs may go on; type
 * 2 for the one program, which shows the token with its changes. The answer says in any case who
 * holds the file and until when, so that a client can tell its user.
 */
import { HoldfastError } from '../../base/errors.ts';
import { etagOf } from '../../files/index.ts';
import type { FileLock } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import { lockedAt, lockKindOf, newLockToken } from '../../metadata/index.ts';
import type { LockKind, LockRecord } from '../../metadata/index.ts';
import { escapeText } from '../xml-text.ts';
import { dealOf } from './conditions.ts';
import { sendXml } from './dav-request.ts';
import type { DavHandler, DavParts, DavRequest } from './dav-request.ts';
import { lockMsOf } from './lock-request.ts';

export const DEFAULT_LOCK_SECONDS = 30 * 60;

/** Answers 200, or 423 with the lock that is in the way. */
export function userLockHandler(parts: DavParts): DavHandler {
  const { files, now, random, lockTimeoutSeconds = DEFAULT_LOCK_SECONDS } = parts;
  return async (request) => {
    const { exchange, caller, path } = request;
    const { headers } = exchange.req;
    const kind = kindOfLock(headers['x-user-lock-type']);
    const deal = await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path });
    const wantedMs = lockMsOf(headers['timeout']?.toString(), lockTimeoutSeconds * 1000);
    const held = await files.locks.lockFile(caller, path, {
      token: newLockToken(kind, now(), random.bytes(10)),
      ownerXml: escapeText(caller.displayName), expiresAt: now() + wantedMs,
    }, deal);
    await sendState(parts, request, held);
  };
}

/** Answers 200, 412 when there was no lock, or 423 with the lock of somebody else. */
export function userUnlockHandler(parts: DavParts): DavHandler {
  return async (request) => {
    const { exchange, caller, path } = request;
    kindOfLock(exchange.req.headers['x-user-lock-type']);
    const held = await parts.files.locks.unlockFile(caller, path);
    await sendState(parts, request, held);
  };
}

/** `held` undefined: there was no lock to end. */
async function sendState(
  { files }: DavParts, { exchange, caller, path }: DavRequest, held: FileLock | undefined,
): Promise<void> {
  const { node } = await files.get(caller, path);
  const status = held === undefined ? 412 : held.isRefused ? 423 : 200;
  const headers = status === 200 && held?.lock !== undefined
    ? ['Lock-Token', `<${held.lock.token}>`] : [];
  const texts = lockTexts(held?.lock, caller);
  const properties = LOCK_PROPERTIES.map((name) => `<nc:${name}>${texts[name]}</nc:${name}>`);
  sendXml(exchange, status, '<?xml version="1.0" encoding="utf-8"?>\n'
    + '<d:prop xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">'
    + `${properties.join('')}<d:getetag>${etagOf(node)}</d:getetag></d:prop>\n`, headers);
}

/** From the number that a client sends. @throws invalid: a type that no client can ask for. */
export function kindOfLock(raw: string | string[] | undefined): LockKind {
  const type = raw === undefined ? '0' : String(raw).trim();
  if (type === '0') return 'person';
  if (type === '2') return 'token';
  const message = 'The type of a lock is 0 for a person or 2 for a program.';
  throw new HoldfastError('invalid', 'webdav/userLock', message, { code: 'lock-type' });
}

/** Names of the properties, in the order in which they are answered. */
export const LOCK_PROPERTIES = [
  'lock', 'lock-owner-type', 'lock-owner', 'lock-owner-displayname', 'lock-owner-editor',
  'lock-time', 'lock-timeout', 'lock-token',
] as const;

export type LockProperty = (typeof LOCK_PROPERTIES)[number];

const UNLOCKED: Readonly<Record<LockProperty, string>> = {
  lock: '0', 'lock-owner-type': '', 'lock-owner': '', 'lock-owner-displayname': '',
  'lock-owner-editor': '', 'lock-time': '', 'lock-timeout': '', 'lock-token': '',
};

/** As XML. Times are in seconds; `lock-timeout` counts from `lock-time`. Clients put the prefix
 *  before the token themselves when they show it. */
export function lockTexts(
  lock: LockRecord | undefined, caller: Caller,
): Readonly<Record<LockProperty, string>> {
  if (lock === undefined) return UNLOCKED;
  const { token, holder, expiresAt, ownerXml } = lock;
  const kind = lockKindOf(token);
  const seconds = Math.ceil(expiresAt / 1000);
  const since = Math.min(seconds, Math.floor((lockedAt(token) ?? expiresAt) / 1000));
  // What a program says of its owner is its own word; of a person's lock it is ours.
  const name = holder === caller.user ? escapeText(caller.displayName)
    : kind === 'person' ? ownerXml : escapeText(holder);
  return {
    lock: '1',
    'lock-owner-type': kind === 'person' ? '0' : '2',
    'lock-owner': escapeText(holder),
    'lock-owner-displayname': name,
    'lock-owner-editor': '',
    'lock-time': String(since),
    'lock-timeout': String(seconds - since),
    'lock-token': escapeText(token.replace(/^opaquelocktoken:/, '')),
  };
}
