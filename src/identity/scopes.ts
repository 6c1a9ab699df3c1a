/** What an API token may be used for. That it is used for nothing else is seen to in one place:
 *  where the public API has found out which operation a request asks for. */
import { HoldfastError } from '../base/errors.ts';

/** Each stands alone: `files:write` does not let anybody read. */
export const SCOPES = ['files:read', 'files:write', 'sharing', 'account', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(raw: string): raw is Scope {
  return SCOPES.some((scope) => scope === raw);
}

/** Each once, in the order of SCOPES. @throws invalid: none, or one that there is not. */
export function parseScopes(raw: readonly string[]): Scope[] {
  if (raw.length > 0 && raw.every(isScope)) return SCOPES.filter((scope) => raw.includes(scope));
  const message = `A token needs one or more of these scopes: ${SCOPES.join(', ')}.`;
  throw new HoldfastError('invalid', 'identity/parseScopes', message, { code: 'scopes' });
}
