/**
 * Who looks at a page, and whether a form is really theirs.
 *
 * A session's token lives in a cookie that scripts and other sites cannot read. Every form carries
 * a token made from that cookie, which only a page of this server can know; before anybody has
 * signed in, a cookie that means nothing else takes the session's place, so that no other site can
 * sign a visitor in under a name of its own choosing.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { Caller, Identity } from '../../identity/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { readBounded } from '../request-body.ts';
import { FORM_TOKEN_FIELD } from './layout.ts';

const FORM_BYTES_MAX = 16 * 1024;
const GUEST_BYTES = 24;
const TOKEN = /^[A-Za-z0-9_-]{20,100}$/;

type CookieKind = 'session' | 'guest';

/** Whoever looks at a page. */
export interface Visitor {
  /** undefined: nobody has signed in. */
  caller: Caller | undefined;
  /** Goes into every form of the page. */
  formToken: string;
  /** Cookies that must go out with the page. */
  headers: Readonly<Record<string, readonly string[]>>;
  sessionToken: string | undefined;
}

export type SignedIn = Visitor & { caller: Caller; sessionToken: string };

export function isSignedIn(visitor: Visitor): visitor is SignedIn {
  return visitor.caller !== undefined;
}

export async function visitorOf(exchange: Exchange, identity: Identity): Promise<Visitor> {
  const sessionToken = cookieIn(exchange, 'session');
  const caller = sessionToken === undefined ? undefined
    : await callerOf(identity, sessionToken, exchange);
  if (caller !== undefined && sessionToken !== undefined) {
    return { caller, sessionToken, formToken: formTokenOf(sessionToken), headers: {} };
  }
  const known = cookieIn(exchange, 'guest');
  const guest = known ?? randomBytes(GUEST_BYTES).toString('base64url');
  const headers: Record<string, readonly string[]> = {};
  if (known === undefined) headers['Set-Cookie'] = [cookieText(exchange, 'guest', guest)];
  return { caller: undefined, sessionToken: undefined, formToken: formTokenOf(guest), headers };
}

async function callerOf(
  identity: Identity, token: string, { address }: Exchange,
): Promise<Caller | undefined> {
  try {
    return { ...await identity.authenticateSession(token), address };
  } catch (error) {
    if (isKind(error, 'unauthenticated')) return undefined;
    throw error;
  }
}

/** Of a form that is read as it comes. @throws denied: it comes from elsewhere, or from a page that
 *  is out of date. */
export function checkFormToken(exchange: Exchange, visitor: Visitor, shown: string): void {
  if (!comesFromHere(exchange) || !isSame(shown, visitor.formToken)) throw foreignForm();
}

/** The form that a visitor has sent. @throws denied: it comes from elsewhere, or from a page that
 *  is out of date; too-large; invalid: no form. */
export async function readForm(exchange: Exchange, visitor: Visitor): Promise<URLSearchParams> {
  const { req } = exchange;
  if (!comesFromHere(exchange)) throw foreignForm();
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(req.headers['content-type'] ?? '')) {
    const message = 'This page only understands its own forms.';
    throw new HoldfastError('invalid', 'pages/readForm', message);
  }
  const form = new URLSearchParams((await readBounded(req, FORM_BYTES_MAX)).toString('utf8'));
  if (!isSame(form.get(FORM_TOKEN_FIELD) ?? '', visitor.formToken)) throw foreignForm();
  return form;
}

/**
 * What the browser itself says of where a form comes from, in headers that a page cannot set.
 * Browsers leave `Sec-Fetch-Site` out when there is no TLS, and say `Origin: null` because our
 * pages hide their address; then the form's token decides alone.
 */
function comesFromHere({ req, origin }: Exchange): boolean {
  const { 'sec-fetch-site': site, origin: stated } = req.headers;
  if (site !== undefined && site !== 'same-origin') return false;
  if (stated === undefined || stated === 'null') return true;
  // A proxy that ends TLS may make the schemes differ, so hosts alone are compared.
  return hostOf(stated) === hostOf(origin);
}

function hostOf(url: string): string {
  return url.slice(url.indexOf('//') + 2).toLowerCase().replace(/:(?:80|443)$/, '');
}

function foreignForm(): HoldfastError {
  const message = 'This form was open for too long, or it does not come from this server. Go back, '
    + 'load the page again, and try once more.';
  return new HoldfastError('denied', 'pages/readForm', message, { code: 'form-token' });
}

/** Begins, or ends, a session in the visitor's browser. */
export function sessionCookie(exchange: Exchange, token: string | undefined): string {
  return cookieText(exchange, 'session', token);
}

function formTokenOf(secret: string): string {
  return hash('sha256', `form token of ${secret}`, 'base64url');
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** With TLS the name has a prefix that only this very host can set, over TLS, for all paths. */
function cookieName({ origin }: Exchange, kind: CookieKind): string {
  return `${origin.startsWith('https:') ? '__Host-' : ''}holdfast-${kind}`;
}

function cookieText(exchange: Exchange, kind: CookieKind, value: string | undefined): string {
  const secure = exchange.origin.startsWith('https:') ? '; Secure' : '';
  const kept = kind === 'session' ? `; Max-Age=${KEPT_SECONDS}` : '';
  const end = value === undefined ? '; Max-Age=0' : kept;
  const name = cookieName(exchange, kind);
  return `${name}=${value ?? ''}; Path=/; HttpOnly; SameSite=Lax${secure}${end}`;
}

/** The session itself ends when the server says so; this only makes the browser forget in time. */
const KEPT_SECONDS = 14 * 24 * 60 * 60;

function cookieIn(exchange: Exchange, kind: CookieKind): string | undefined {
  const start = `${cookieName(exchange, kind)}=`;
  for (const pair of (exchange.req.headers.cookie ?? '').split(';')) {
    const text = pair.trim();
    if (!text.startsWith(start)) continue;
    const value = text.slice(start.length);
    if (TOKEN.test(value)) return value;
  }
  return undefined;
}
