/** What several methods of the store have in common. Each function is part of a transaction. */
import type { GroupId, TenantId, UserId } from '../../../base/ids.ts';
import {
  noSuchTenant, noSuchUser, tooManyTokens, userChanged, userExists,
} from '../../identity-errors.ts';
import { PAST_MEMBERSHIPS_PER_USER_MAX } from '../../identity-store.ts';
import type { AddTokenOptions } from '../../identity-store.ts';
import type { NewUserRecord, TokenKind, TokenRecord, UserRecord } from '../../records.ts';
import { tokenToRow, userToRow } from './identity-rows.ts';
import { IDENTITY_SQL } from './identity-statements.ts';
import type { Work } from './statement.ts';

const sql = IDENTITY_SQL;

export function* insertUser(opName: string, user: NewUserRecord): Work<UserRecord> {
  if ((yield* sql.findUser.one(user.id)) !== undefined) throw userExists(opName);
  yield* checkTenant(opName, user.tenant);
  const added = { ...user, rev: 1, groupsRev: 0, hasSecondFactor: false };
  yield* sql.addUser.run(userToRow(user, added));
  return added;
}

export function* checkTenant(opName: string, tenant: TenantId): Work<void> {
  if ((yield* sql.findTenant.one(tenant)) === undefined) throw noSuchTenant(opName);
}

/** Those that ended last are kept. */
export function* forgetOld(user: UserId): Work<void> {
  const newer = PAST_MEMBERSHIPS_PER_USER_MAX - 1;
  const oldest = yield* sql.findOldestKept.one({ user, newer });
  if (oldest !== undefined) yield* sql.forgetMemberships.run(user, oldest.left_at);
}

/** As forgetOld, for all members of a group, however many there are. */
export function* forgetOldOfAll(group: GroupId): Work<void> {
  const oldest = yield* sql.listOldestKept.all({ group, kept: PAST_MEMBERSHIPS_PER_USER_MAX });
  yield* sql.forgetMemberships.runMany(
    oldest.map(({ user_id: user, left_at: leftAt }) => [user, leftAt] as const));
}

export function* insertToken(
  opName: string, token: TokenRecord, { countMax, ifUserRev, whenFull }: AddTokenOptions,
): Work<void> {
  const user = yield* sql.findUser.one(token.user);
  if (user === undefined) throw noSuchUser(opName);
  if (ifUserRev !== undefined && user.rev !== ifUserRev) throw userChanged(opName);
  const others = yield* sql.listTokens.all(token.user, token.kind);
  const excessCount = others.length + 1 - countMax;
  if (excessCount > 0 && whenFull === 'refuse') throw tooManyTokens(opName, countMax);
  for (const { id } of others.slice(0, Math.max(0, excessCount))) {
    yield* removeToken(token.user, token.kind, id);
  }
  yield* sql.addToken.run(tokenToRow(token));
}

export function* removeToken(user: UserId, kind: TokenKind, id: string): Work<boolean> {
  if ((yield* sql.deleteToken.run(user, kind, id)) === 0) return false;
  yield* sql.raiseUserRev.run(user);
  return true;
}
