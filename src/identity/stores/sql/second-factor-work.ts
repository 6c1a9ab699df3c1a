/** Second factors. Each function is part of a transaction. */
import type { UserId } from '../../../base/ids.ts';
import { noSuchUser, secondFactorOn } from '../../identity-errors.ts';
import type { SecondFactorDraft, SecondFactorRecord } from '../../records.ts';
import type { TurnOnOptions } from '../../second-factor-store.ts';
import { secondFactorFromRow } from './identity-rows.ts';
import { IDENTITY_SQL } from './identity-statements.ts';
import type { Work } from './statement.ts';

const sql = IDENTITY_SQL;

export function* findSecondFactor(user: UserId): Work<SecondFactorRecord | undefined> {
  const row = yield* sql.findSecondFactor.one(user);
  return row && secondFactorFromRow(row);
}

export function* putDraft(
  opName: string, { user, secret, createdAt }: SecondFactorDraft,
): Work<void> {
  if ((yield* sql.findUser.one(user)) === undefined) throw noSuchUser(opName);
  if ((yield* sql.findSecondFactor.one(user))?.is_on === 1) throw secondFactorOn(opName);
  yield* sql.deleteSecondFactor.run(user);
  yield* sql.addSecondFactor.run({
    user_id: user, secret, is_on: 0, last_step: 0, since: createdAt,
  });
}

export function* turnOn(user: UserId, options: TurnOnOptions): Work<boolean> {
  const { secret, step, at, recoveryHashes, keepSession } = options;
  const draft = yield* sql.findSecondFactor.one(user);
  if (draft?.is_on !== 0 || draft.secret !== secret) return false;
  yield* sql.deleteSecondFactor.run(user);
  yield* sql.addSecondFactor.run({
    user_id: user, secret, is_on: 1, last_step: step, since: at,
  });
  yield* replaceRecoveryCodes(user, recoveryHashes);
  yield* sql.setSecondFactor.run(1, user);
  yield* sql.deleteSessionsBut.run(user, keepSession ?? '');
  yield* sql.deleteFlowsOf.run(user);
  return true;
}

export function* turnOff(user: UserId): Work<boolean> {
  const wasOn = (yield* sql.findSecondFactor.one(user))?.is_on === 1;
  yield* sql.deleteSecondFactor.run(user);
  yield* sql.deleteRecoveryCodes.run(user);
  if (wasOn) yield* sql.setSecondFactor.run(0, user);
  return wasOn;
}

export function* useRecoveryCode(user: UserId, hash: string): Work<number | undefined> {
  if ((yield* sql.findSecondFactor.one(user))?.is_on !== 1) return undefined;
  if ((yield* sql.deleteRecoveryCode.run(user, hash)) === 0) return undefined;
  return yield* sql.countRecoveryCodes.one(user);
}

export function* putRecoveryCodes(user: UserId, hashes: readonly string[]): Work<boolean> {
  if ((yield* sql.findSecondFactor.one(user))?.is_on !== 1) return false;
  yield* replaceRecoveryCodes(user, hashes);
  return true;
}

function* replaceRecoveryCodes(user: UserId, hashes: readonly string[]): Work<void> {
  yield* sql.deleteRecoveryCodes.run(user);
  yield* sql.addRecoveryCode.runMany(hashes.map((hash) => [user, hash] as const));
}
