/**
 * From the path of a URL to names and back.
 *
 * A path is decoded once, here; everything further in works with names. `+` is a plus. What a name
 * cannot hold (a slash, also as %2F, a NUL, `..`) is refused, so no path leads out of the tree.
 */
import { HoldfastError } from '../base/errors.ts';
import { parsePath } from '../base/names.ts';
import type { Name } from '../base/names.ts';
import type { LinkCaller } from '../files/index.ts';
import type { Caller } from '../identity/index.ts';
import type { Exchange } from '../platform/index.ts';

const PLAIN = /^[A-Za-z0-9._~-]*$/;
 
const BEYOND_ASCII = /[^\0-\x7f]/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Slashes at the ends and doubled ones do not count. @throws invalid. */
export function decodePath(raw: string): Name[] {
  const names: string[] = [];
  for (const segment of raw.split('/')) {
    if (segment !== '') names.push(decodeSegment(segment));
  }
  return parsePath(names);
}

/** @throws invalid: bad percent-encoding, not UTF-8, or the beginning of a query or fragment. */
export function decodeSegment(raw: string): string {
  if (PLAIN.test(raw)) return raw;
  if (raw.includes('#') || raw.includes('?')) refusePath();
  try {
    // Node hands over bytes beyond ASCII, which some clients leave unescaped, one per character.
    const text = BEYOND_ASCII.test(raw) ? UTF8.decode(Buffer.from(raw, 'latin1')) : raw;
    return decodeURIComponent(text);
  } catch (cause) {
    return refusePath(cause);
  }
}

function refusePath(cause?: unknown): never {
  const message = 'The address is not well-formed: it must be percent-encoded UTF-8.';
  throw new HoldfastError('invalid', 'protocols/decodePath', message, { code: 'path', cause });
}

export function encodeName(name: string): string {
  return PLAIN.test(name) ? name : encodeURIComponent(name);
}

/** Joined by slashes, with none at the ends. Holds nothing that XML would have to escape, but
 *  for the apostrophe, which is harmless between tags. */
export function encodePath(names: readonly string[]): string {
  return names.length === 1 ? encodeName(names[0] ?? '') : names.map(encodeName).join('/');
}

/** A place where a user's files are found. Answers name them under the root of the request. */
export interface DavRoot {
  /** Percent-encoded, with a slash at both ends. */
  prefix: string;
}

export interface DavPlace {
  root: DavRoot;
  path: Name[];
}

const FILES_ROOT = '/remote.php/dav/files/';
/** They lead to the files of whoever signs in. */
const OWN_ROOTS: readonly DavRoot[] = [{ prefix: '/remote.php/webdav/' }, { prefix: '/dav/' }];

/** Roots of what public links lead to; behind the first stands the link's token. */
export const PUBLIC_FILES_ROOT = '/public.php/dav/files/';
export const PUBLIC_ROOT = '/public.php/webdav/';

/** Whose files are looked for. */
export type Located = Pick<Caller, 'user'> | LinkCaller;

/** Where a raw path leads; undefined when it is under no root of files, or none of a link's for who
 *  comes by one. @throws invalid; denied: the files of another user. */
export function locate(raw: string, caller: Located): DavPlace | undefined {
  if ('link' in caller) return locateLink(raw, caller);
  if (raw.startsWith(FILES_ROOT)) return locateUser(raw, caller);
  for (const root of OWN_ROOTS) {
    const { prefix } = root;
    if (raw.startsWith(prefix)) return { root, path: decodePath(raw.slice(prefix.length)) };
    if (raw.length === prefix.length - 1 && prefix.startsWith(raw)) return { root, path: [] };
  }
  return undefined;
}

function locateLink(raw: string, { terms }: LinkCaller): DavPlace | undefined {
  for (const prefix of [`${PUBLIC_FILES_ROOT}${terms.token ?? ''}/`, PUBLIC_ROOT]) {
    const root = { prefix };
    if (raw.startsWith(prefix)) return { root, path: decodePath(raw.slice(prefix.length)) };
    if (`${raw}/` === prefix) return { root, path: [] };
  }
  return undefined;
}

function locateUser(raw: string, caller: Pick<Caller, 'user'>): DavPlace | undefined {
  const slash = raw.indexOf('/', FILES_ROOT.length);
  const segment = slash < 0 ? raw.slice(FILES_ROOT.length) : raw.slice(FILES_ROOT.length, slash);
  if (segment === '') return undefined;
  const user = segment === caller.user ? segment : decodeSegment(segment);
  // User ids are lower-case; people type them as they like.
  if (user !== caller.user && user.toLowerCase() !== caller.user) {
    const message = 'These files belong to somebody else.';
    throw new HoldfastError('denied', 'protocols/locate', message, { code: 'other-user' });
  }
  const root = { prefix: `${FILES_ROOT}${encodeName(user)}/` };
  return { root, path: slash < 0 ? [] : decodePath(raw.slice(slash)) };
}

const ABSOLUTE_URL = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)([^?#]*)/i;

/** The raw path of a header's reference: an absolute path, or a full URL of this very server.
 *  undefined: of another server, or no reference at all. */
export function ownPathOf(
  reference: string, exchange: Pick<Exchange, 'origin'>,
): string | undefined {
  if (reference.startsWith('/') && !reference.startsWith('//')) return reference;
  const [, host, path] = ABSOLUTE_URL.exec(reference) ?? [];
  if (host === undefined) return undefined;
  // A proxy that ends TLS makes the schemes differ, so hosts alone are compared.
  const own = hostOf(exchange.origin.slice(exchange.origin.indexOf('//') + 2));
  return hostOf(host) === own ? path || '/' : undefined;
}

function hostOf(authority: string): string {
  return authority.slice(authority.lastIndexOf('@') + 1).toLowerCase().replace(/:(?:80|443)$/, '');
}

/** The target of COPY and MOVE (RFC 4918, section 10.3), under any of the roots.
 *  @throws invalid: none, or malformed; denied: another user's, or no place for files; invalid
 *  `other-server`. */
export function parseDestination(
  exchange: Pick<Exchange, 'req' | 'origin'>, caller: Located,
): Name[] {
  const { destination } = exchange.req.headers;
  const op = 'protocols/parseDestination';
  if (typeof destination !== 'string' || destination === '') {
    throw new HoldfastError('invalid', op, 'The request names no destination.');
  }
  const raw = ownPathOf(destination, exchange);
  if (raw === undefined) {
    const message = 'The destination must be on this server, given as a path or as a full address.';
    throw new HoldfastError('invalid', op, message, { code: 'other-server' });
  }
  const place = locate(raw, caller);
  if (place !== undefined) return place.path;
  throw new HoldfastError('denied', op, 'The destination must be inside your files.');
}
