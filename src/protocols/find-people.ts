/** Whom one can share with: found by the beginning of any word of a name, and people by that of
 *  their mail address too, which is told to nobody. */
import type { Caller, Identity } from '../identity/index.ts';

/** People and groups that one search looks at; the rest is found by typing more of the name. */
const LOOKED_AT_MAX = 20_000;
export const PEOPLE_FOUND_MAX = 200;

export interface FoundPerson {
  readonly kind: 'user' | 'group';
  readonly id: string;
  readonly displayName: string;
  /** As it is searched for: not to be shown. */
  readonly email: string | undefined;
}

export interface PeopleSearch {
  identity: Identity;
  caller: Caller;
  search: string;
  /** Most of each kind. */
  limit: number;
}

/** In the caller's tenant; without the caller. */
export async function findUsers(options: PeopleSearch): Promise<FoundPerson[]> {
  const { identity, caller } = options;
  return collect(async function* () {
    for await (const user of identity.users.list(caller.tenant)) {
      if (user.disabled || user.id === caller.user) continue;
      const { id, displayName } = user;
      yield { kind: 'user' as const, id, displayName, email: user.email?.toLowerCase() };
    }
  }, options);
}

export async function findGroups(options: PeopleSearch): Promise<FoundPerson[]> {
  const { identity, caller } = options;
  return collect(async function* () {
    for await (const { id, displayName } of identity.groups.list(caller.tenant)) {
      yield { kind: 'group' as const, id, displayName, email: undefined };
    }
  }, options);
}

async function collect(
  all: () => AsyncGenerator<FoundPerson>, { search: raw, limit: wanted }: PeopleSearch,
): Promise<FoundPerson[]> {
  const search = raw.trim().toLowerCase();
  const limit = Math.min(PEOPLE_FOUND_MAX, Math.max(1, wanted));
  const found: FoundPerson[] = [];
  let lookedAt = 0;
  for await (const one of all()) {
    lookedAt += 1;
    if (lookedAt > LOOKED_AT_MAX || found.length >= limit) break;
    const { id, displayName, email = '' } = one;
    const words = [id, displayName, ...displayName.split(/\s+/), email];
    if (words.some((word) => word.toLowerCase().startsWith(search))) found.push(one);
  }
  return found;
}
