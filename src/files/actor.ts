import type { Caller } from '../identity/index.ts';
import type { Actor, Instant } from '../metadata/index.ts';

/** Whom the journal names for a change. */
export function actorOf(
  { user, device, address }: Caller, at: Instant, lockTokens: readonly string[] = [],
): Actor {
  return { user, device, at, lockTokens, ...(address !== undefined && { from: address }) };
}
