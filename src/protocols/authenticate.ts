/** Who makes this request? Clients say so by HTTP Basic with every request (RFC 7617). */
import { HoldfastError } from '../base/errors.ts';
import type { Caller, Identity } from '../identity/index.ts';
import type { Exchange } from '../platform/index.ts';

const BASIC = /^basic +([A-Za-z0-9+/_-]*={0,2}) *$/i;
/** Longer than any user name and password that could be right. */
const HEADER_CHARACTERS_MAX = 4096;

/**
 * Cookies do not count here: they are for the pages alone, which guard their forms against other
 * sites. A Basic header on the other hand is never added by a browser to a foreign site's request
 * of the kinds that change something, because those ask for leave first and are not given it.
 */
export class Authenticator {
  readonly #identity: Identity;
  /** Callers as they came last: most come again from where they were. */
  readonly #placed = new WeakMap<Caller, Caller>();

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** Answers at once, without a promise, what was verified a moment ago (see Identity). Errors are
   *  thrown or come by the promise.
   *  @throws unauthenticated: nothing shown, another scheme, or wrong; busy: too many failures. */
  authenticate(exchange: Exchange): Caller | Promise<Caller> {
    const { address, req: { headers: { authorization } } } = exchange;
    if (authorization === undefined) throw notSignedIn();
    const caller = this.#identity.authenticateShown(authorization, () => {
      const credentials = parseBasic(authorization);
      if (credentials === undefined) throw notSignedIn();
      return { ...credentials, address };
    });
    if (!(caller instanceof Promise)) return this.#at(address, caller);
    return caller.then((verified) => this.#at(address, verified));
  }

  #at(address: string, caller: Caller): Caller {
    const last = this.#placed.get(caller);
    if (last?.address === address) return last;
    const placed = { ...caller, address };
    this.#placed.set(caller, placed);
    return placed;
  }
}

/** undefined when there is no such header, or it is none of Basic's. */
export function parseBasic(
  header: string | undefined,
): { user: string; password: string } | undefined {
  if (header === undefined || header.length > HEADER_CHARACTERS_MAX) return undefined;
  const encoded = BASIC.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  // Our challenge asks for UTF-8; a few old clients send their system's encoding all the same.
  let text = bytes.toString('utf8');
  if (text.includes('\ufffd')) text = bytes.toString('latin1');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function notSignedIn(): HoldfastError {
  const message = 'Sign in with your user name and your password, or with an app password.';
  return new HoldfastError('unauthenticated', 'protocols/authenticate', message);
}
