/** Second factors in DATA/identity.db. Each function is part of a transaction. */
import type { UserId } from '../../../base/ids.ts';
import { noSuchUser, secondFactorOn } from '../../identity-errors.ts';
import type { SecondFactorDraft, SecondFactorRecord } from '../../records.ts';
import type { TurnOnOptions } from '../../second-factor-store.ts';
import { secondFactorFromRow } from './identity-rows.ts';
import type { IdentityStatements } from './identity-statements.ts';

export function findSecondFactor(
  sql: IdentityStatements, user: UserId,
): SecondFactorRecord | undefined {
  const row = sql.findSecondFactor.get(user);
  return row && secondFactorFromRow(row, sql.countRecoveryCodes.get(user) ?? 0);
}

export function putDraft(
  sql: IdentityStatements, opName: string, { user, secret, createdAt }: SecondFactorDraft,
): void {
  if (sql.findUser.get(user) === undefined) throw noSuchUser(opName);
  if (sql.findSecondFactor.get(user)?.is_on === 1) throw secondFactorOn(opName);
  sql.deleteSecondFactor.run(user);
  sql.addSecondFactor.run({ user_id: user, secret, is_on: 0, last_step: 0, since: createdAt });
}

export function turnOn(sql: IdentityStatements, user: UserId, options: TurnOnOptions): boolean {
  const { secret, step, at, recoveryHashes, keepSession } = options;
  const draft = sql.findSecondFactor.get(user);
  if (draft?.is_on !== 0 || draft.secret !== secret) return false;
  sql.deleteSecondFactor.run(user);
  sql.addSecondFactor.run({ user_id: user, secret, is_on: 1, last_step: step, since: at });
  replaceRecoveryCodes(sql, user, recoveryHashes);
  sql.setSecondFactor.run(1, user);
  sql.deleteSessionsBut.run(user, keepSession ?? '');
  sql.deleteFlowsOf.run(user);
  return true;
}

export function turnOff(sql: IdentityStatements, user: UserId): boolean {
  const wasOn = sql.findSecondFactor.get(user)?.is_on === 1;
  sql.deleteSecondFactor.run(user);
  sql.deleteRecoveryCodes.run(user);
  if (wasOn) sql.setSecondFactor.run(0, user);
  return wasOn;
}

export function replaceRecoveryCodes(
  sql: IdentityStatements, user: UserId, hashes: readonly string[],
): void {
  sql.deleteRecoveryCodes.run(user);
  for (const hash of hashes) sql.addRecoveryCode.run(user, hash);
}
