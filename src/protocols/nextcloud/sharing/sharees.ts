/** Whom one can share with, as the client protocol wants to hear it. */
import type { Caller, Identity } from '../../../identity/index.ts';
import { findMailAddress } from '../../../mail/index.ts';
import { findGroups, findUsers } from '../../find-people.ts';
import type { FoundPerson } from '../../find-people.ts';
import type { OcsValue } from '../ocs-envelope.ts';

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
  const { types, perPage: limit } = options;
  const search = options.search.trim().toLowerCase();
  const users = types?.has('0') === false ? [] : await findUsers({ ...options, limit });
  const groups = types?.has('1') === false ? [] : await findGroups({ ...options, limit });
  const isExact = ({ id, displayName, email }: FoundPerson): boolean =>
    id === search || displayName.toLowerCase() === search || email === search;
  const isKnown = users.some(({ email }) => email === search);
  const shown = (list: FoundPerson[], exact: boolean): OcsValue =>
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

function answerOf({ id, displayName, kind }: FoundPerson): OcsValue {
  const isUser = kind === 'user';
  return {
    label: displayName, subline: '', icon: isUser ? 'icon-user' : 'icon-group',
    shareWithDisplayNameUnique: id, status: [],
    value: { shareType: isUser ? 0 : 1, shareWith: id },
  };
}

function record(value: OcsValue): Record<string, OcsValue> {
  return { ...value as Record<string, OcsValue> };
}
