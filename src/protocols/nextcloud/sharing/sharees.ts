/** Whom one can share with: found by the beginning of any word of a name, and people by that of
 *  their mail address too, which is told to nobody. */
import type { Caller, Identity } from '../../../identity/index.ts';
import { findMailAddress } from '../../../mail/index.ts';
import type { OcsValue } from '../ocs-envelope.ts';

/** People and groups that one search looks at; the rest is found by typing more of the name. */
const LOOKED_AT_MAX = 20_000;
const FOUND_MAX = 200;

interface Sharee {
  id: string;
  label: string;
  type: 0 | 1;
  /** As it is searched for. */
  email?: string | undefined;
}

interface SearchOptions {
  identity: Identity;
  caller: Caller;
  search: string;
  /** undefined: both. */
  types: ReadonlySet<string> | undefined;
  perPage: number;
  /** Links can be sent by mail. */
  canInvite: boolean;
}

const NOBODY: OcsValue = {
  users: [], groups: [], remotes: [], remote_groups: [], emails: [], circles: [], rooms: [],
  lookup: [],
};

export function noSharees(): OcsValue {
  return { exact: NOBODY, ...record(NOBODY), lookupEnabled: false };
}

export async function findSharees(options: SearchOptions): Promise<OcsValue> {
  const { identity, caller, types, perPage } = options;
  const search = options.search.trim().toLowerCase();
  const limit = Math.min(FOUND_MAX, Math.max(1, perPage));
  const users = types?.has('0') === false ? [] : await collect(async function* () {
    for await (const user of identity.users.list(caller.tenant)) {
      if (user.disabled || user.id === caller.user) continue;
      const email = user.email?.toLowerCase();
      yield { id: user.id, label: user.displayName, type: 0 as const, email };
    }
  }, { search, limit });
  const groups = types?.has('1') === false ? [] : await collect(async function* () {
    for await (const { id, displayName: label } of identity.groups.list(caller.tenant)) {
      yield { id, label, type: 1 as const };
    }
  }, { search, limit });
  const isExact = ({ id, label, email }: Sharee): boolean =>
    id === search || label.toLowerCase() === search || email === search;
  const isKnown = users.some(({ email }) => email === search);
  const shown = (list: Sharee[], exact: boolean): OcsValue =>
    list.filter((one) => isExact(one) === exact).map(answerOf);
  return {
    exact: {
      ...record(NOBODY), users: shown(users, true), groups: shown(groups, true),
      emails: isKnown ? [] : addressIn(options),
    },
    ...record(NOBODY), users: shown(users, false), groups: shown(groups, false),
    lookupEnabled: false,
  };
}

/** Somebody without an account is found by typing the whole address. */
function addressIn({ canInvite, types, search }: SearchOptions): OcsValue {
  const address = findMailAddress(search.trim());
  if (!canInvite || address === undefined || types?.has('4') === false) return [];
  return [{
    label: address, uuid: address, name: address, type: '', shareWithDisplayNameUnique: address,
    value: { shareType: 4, shareWith: address },
  }];
}

async function collect(
  all: () => AsyncGenerator<Sharee>, { search, limit }: { search: string; limit: number },
): Promise<Sharee[]> {
  const found: Sharee[] = [];
  let lookedAt = 0;
  for await (const one of all()) {
    lookedAt += 1;
    if (lookedAt > LOOKED_AT_MAX || found.length >= limit) break;
    const words = [one.id, one.label, ...one.label.split(/\s+/), one.email ?? ''];
    if (words.some((word) => word.toLowerCase().startsWith(search))) found.push(one);
  }
  return found;
}

function answerOf({ id, label, type }: Sharee): OcsValue {
  return {
    label, subline: '', icon: type === 0 ? 'icon-user' : 'icon-group',
    shareWithDisplayNameUnique: id, status: [], value: { shareType: type, shareWith: id },
  };
}

function record(value: OcsValue): Record<string, OcsValue> {
  return { ...value as Record<string, OcsValue> };
}
