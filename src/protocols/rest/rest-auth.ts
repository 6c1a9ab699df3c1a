/**
 * Who asks. By a token of the API, by name and password as other protocols, or by the cookie of the
 * pages; what changes something by cookie must come from a page of ours, and by a password, which a
 * browser may have kept, from no page of others.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { Exchange } from '../../platform/index.ts';
import { visitorOf } from '../pages/page-session.ts';
import type { DescribedOperation } from './operation.ts';
import { SCOPES } from './rest-parts.ts';
import type { Asking, RestParts } from './rest-parts.ts';

const BEARER = /^bearer +([A-Za-z0-9._~+/=-]{1,500}) *$/i;
const ALL_SCOPES: ReadonlySet<string> = new Set(SCOPES);
/** Else a stolen device of an administrator could make itself accounts that outlive it. */
const DEVICE_SCOPES: ReadonlySet<string> = new Set(SCOPES.filter((scope) => scope !== 'admin'));
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export type AuthParts = Pick<RestParts, 'authenticator' | 'identity'>;

/** undefined: nobody has signed in. @throws unauthenticated: what was shown is wrong; busy;
 *  denied: a cookie or a password, and a page of somebody else. */
export async function findAsking(
  parts: AuthParts, exchange: Exchange,
): Promise<Asking | undefined> {
  const { authorization } = exchange.req.headers;
  if (authorization !== undefined) return byHeader(parts, exchange, authorization);
  const visitor = await visitorOf(exchange, parts.identity);
  const { caller, sessionToken } = visitor;
  if (caller === undefined) return undefined;
  if (!SAFE.has(exchange.req.method ?? '')) checkOwnPage(exchange);
  return { caller, scopes: ALL_SCOPES, sessionToken };
}

async function byHeader(
  { authenticator, identity }: AuthParts, exchange: Exchange, authorization: string,
): Promise<Asking> {
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined) {
    if (!SAFE.has(exchange.req.method ?? '')) checkNoForeignPage(exchange);
    const caller = await authenticator.authenticate(exchange);
    const scopes = caller.credential === 'app-password' ? DEVICE_SCOPES : ALL_SCOPES;
    return { caller, scopes, sessionToken: undefined };
  }
  const caller = await identity.authenticateToken(token);
  const placed = { ...caller, address: exchange.address };
  return { caller: placed, scopes: new Set(caller.scopes), sessionToken: undefined };
}

/** A browser that has once asked for name and password adds them to requests of other sites too.
 *  Programs say nothing of pages. @throws denied: a page of somebody else sends this. */
export function checkNoForeignPage(exchange: Exchange): void {
  const { 'sec-fetch-site': site, origin: stated } = exchange.req.headers;
  // Without TLS browsers do not say which site it is, but they name the origin.
  const isForeign = (site !== undefined && site !== 'same-origin' && site !== 'none')
    || (stated !== undefined && hostOf(stated) !== hostOf(exchange.origin));
  if (isForeign) throw foreignPage();
}

/** Browsers add a cookie to requests of any site. What they say of where a request comes from no
 *  page can set. @throws denied: it comes from elsewhere, or nothing says where from. */
export function checkOwnPage({ req, origin }: Exchange): void {
  const { 'sec-fetch-site': site, origin: stated } = req.headers;
  const isOurs = site === undefined
    ? stated !== undefined && hostOf(stated) === hostOf(origin)
    : site === 'same-origin' && (stated === undefined || hostOf(stated) === hostOf(origin));
  if (!isOurs) throw foreignPage();
}

function foreignPage(): HoldfastError {
  const message = 'This request does not come from a page of this server. With a cookie or a '
    + 'password that a browser keeps only our own pages can change something; programs sign in '
    + 'with a token.';
  return new HoldfastError('denied', 'rest/checkOwnPage', message, { code: 'foreign-origin' });
}

/** A proxy that ends TLS may make the schemes differ, so hosts alone are compared. */
function hostOf(url: string): string {
  return url.slice(url.indexOf('//') + 2).toLowerCase().replace(/:(?:80|443)$/, '');
}

/** @throws unauthenticated: nobody; denied: what was shown is not good for this. */
export function checkScope(
  asking: Asking | undefined, { scope }: Pick<DescribedOperation, 'scope'>,
): void {
  if (scope === 'nobody') return;
  if (asking === undefined) throw signInFirst();
  if (scope === 'anybody') return;
  if (!asking.scopes.has(scope)) {
    const message = `This token or app password is not good for this: it lacks the scope ${scope}.`;
    throw new HoldfastError('denied', 'rest/checkScope', message, { code: 'scope' });
  }
  if (scope === 'admin' && !asking.caller.admin) {
    const message = 'Only administrators can do this.';
    throw new HoldfastError('denied', 'rest/checkScope', message, { code: 'administrators-only' });
  }
}

export function signInFirst(): HoldfastError {
  const message = 'Sign in first: with a token of the API, or with name and password.';
  return new HoldfastError('unauthenticated', 'rest/authenticate', message);
}
