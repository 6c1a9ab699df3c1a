import type { UserId } from '../base/ids.ts';
import type { SecondFactorDraft, SecondFactorRecord } from './records.ts';

/** The part of an IdentityStore that keeps second factors. What holds for all of it holds here. */
export interface SecondFactorStore {
  /** One that is being set up too. */
  findSecondFactor(user: UserId): Promise<SecondFactorRecord | undefined>;

  /** Begins setting one up; an earlier draft is forgotten.
   *  @throws not-found: no such user; conflict `second-factor-on`. */
  putSecondFactorDraft(draft: SecondFactorDraft): Promise<void>;

  /** Turns the draft on, raises the user's `rev`, and deletes the user's sessions but one, and the
   *  flows the user has granted. Answers false, and changes nothing, when the draft is another one,
   *  or there is none. */
  turnOnSecondFactor(user: UserId, options: TurnOnOptions): Promise<boolean>;

  /** Uses up the code of a step: answers false when it or a later one was used before, or the
   *  second factor is not on. */
  useCodeStep(user: UserId, step: number): Promise<boolean>;

  /** Uses up a recovery code: answers how many are left; undefined when there is no such one. */
  useRecoveryCode(user: UserId, hash: string): Promise<number | undefined>;

  /** Replaces all recovery codes. Answers false when the second factor is not on. */
  putRecoveryCodes(user: UserId, hashes: readonly string[]): Promise<boolean>;

  /** Forgets it and its recovery codes, a draft too, and raises the user's `rev`. Answers whether
   *  it was on. */
  turnOffSecondFactor(user: UserId): Promise<boolean>;
}

export interface TurnOnOptions {
  /** Sealed, as in the draft that is meant. */
  secret: string;
  /** Of the code by which it is turned on: used up. */
  step: number;
  at: number;
  recoveryHashes: readonly string[];
  /** The id of the session that stays. */
  keepSession: string | undefined;
}
