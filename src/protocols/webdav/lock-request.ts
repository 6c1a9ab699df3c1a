/** What a LOCK asks for (RFC 4918, sections 9.10 and 14.11). */
import { HoldfastError } from '../../base/errors.ts';
import { contentXml } from './xml-fragment.ts';
import { davChildren, elementsOf, isDav, readXml } from './xml-reader.ts';

export interface LockRequest {
  scope: 'exclusive' | 'shared';
  ownerXml: string;
}

/** What a client says about itself. */
const OWNER_CHARACTERS_MAX = 8 * 1024;

/** @throws invalid; too-large. */
export function parseLockInfo(body: Uint8Array): LockRequest {
  const root = readXml(body);
  if (!isDav(root, 'lockinfo')) refuse();
  const scopes = davChildren(root, 'lockscope').flatMap(elementsOf);
  const types = davChildren(root, 'locktype').flatMap(elementsOf);
  const isShared = scopes.some((one) => isDav(one, 'shared'));
  if (!isShared && !scopes.some((one) => isDav(one, 'exclusive'))) refuse();
  if (!types.some((one) => isDav(one, 'write'))) refuse();
  const [owner] = davChildren(root, 'owner');
  const ownerXml = owner === undefined ? '' : contentXml(owner, [root]);
  if (ownerXml.length > OWNER_CHARACTERS_MAX) {
    throw new HoldfastError('too-large', 'webdav/parseLockInfo', 'The lock owner is too long.');
  }
  return { scope: isShared ? 'shared' : 'exclusive', ownerXml };
}

const DEFAULT_MS = 60 * 60 * 1000;
/** A client that is gone must not keep others out for longer. */
export const LOCK_MS_MAX = 24 * 60 * 60 * 1000;
const WISHES_MAX = 10;

/** How long a lock is wanted (RFC 4918, section 10.7); the first wish that we know counts. */
export function lockMsOf(header: string | undefined, defaultMs = DEFAULT_MS): number {
  for (const wish of (header ?? '').split(',', WISHES_MAX)) {
    const text = wish.trim();
    if (/^infinite$/i.test(text)) return LOCK_MS_MAX;
    const seconds = /^second-([0-9]{1,12})$/i.exec(text)?.[1];
    if (seconds !== undefined) return Math.min(Math.max(1, Number(seconds)) * 1000, LOCK_MS_MAX);
  }
  return defaultMs;
}

/** From `<token>`. @throws invalid. */
export function parseLockToken(header: string | undefined): string {
  const token = /^\s*<([^<>\s]{1,256})>\s*$/.exec(header ?? '')?.[1];
  if (token !== undefined) return token;
  const message = 'The request must name a lock by its token, between angle brackets.';
  throw new HoldfastError('invalid', 'webdav/parseLockToken', message, { code: 'lock-token' });
}

function refuse(): never {
  const message = 'A LOCK holds an element lockinfo that asks for an exclusive or shared lock.';
  throw new HoldfastError('invalid', 'webdav/parseLockInfo', message, { code: 'xml' });
}
