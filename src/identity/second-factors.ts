import type { UserId } from '../base/ids.ts';
import type { Clock } from '../platform/index.ts';
import type { Authenticator, SignInNotice } from './authenticator.ts';
import type { Caller } from './caller.ts';
import type { CodeCheck, ShownCode } from './code-check.ts';
import type { IdentityConfig } from './config.ts';
import { secondFactorOff, secondFactorOn } from './identity-errors.ts';
import type { IdentityStore } from './identity-store.ts';
import { codeAddress, makeCodeSecret } from './one-time-codes.ts';
import type { SecretSeal } from './secret-seal.ts';
import { canonicalRecoveryCode, hashSecret, makeRecoveryCode } from './secrets.ts';

export const RECOVERY_CODES = 10;
const OP = 'identity/SecondFactors';

export interface SecondFactorState {
  readonly isOn: boolean;
  /** Milliseconds since 1970 UTC; undefined: it is off. */
  readonly since: number | undefined;
  readonly recoveryCodesLeft: number;
}

/** To be shown now and never again. */
export interface NewSecondFactor {
  /** In base32, for who types it into an app. */
  readonly secret: string;
  /** An otpauth: address, for a QR code. */
  readonly address: string;
}

/** Somebody proves again who they are. */
export interface PasswordProof {
  user: UserId;
  password: string;
  /** The network address that the request came from, for counting failures. */
  address: string;
}

export interface SecondFactorParts {
  store: IdentityStore;
  clock: Clock;
  config: IdentityConfig;
  seal: SecretSeal;
  codes: CodeCheck;
  authenticator: Authenticator;
  onNotice: (notice: SignInNotice) => void;
}

/**
 * Codes from an authenticator app, asked for besides the password. App passwords and API tokens are
 * not concerned: they were made by somebody who had signed in.
 *
 * Errors besides those listed: unauthenticated, a password or code is wrong; busy, with
 * facts.retryAfterMs, after too many; as IdentityStore.
 */
export class SecondFactors {
  readonly #parts: SecondFactorParts;

  constructor(parts: SecondFactorParts) {
    this.#parts = parts;
  }

  async stateOf(user: UserId): Promise<SecondFactorState> {
    const record = await this.#parts.store.findSecondFactor(user);
    if (record?.isOn !== true) return { isOn: false, since: undefined, recoveryCodesLeft: 0 };
    const { since, recoveryCodesLeft } = record;
    return { isOn: true, since, recoveryCodesLeft };
  }

  /** Makes a secret; nothing asks for codes yet. An earlier one that was not turned on is void.
   *  @throws conflict: it is on. */
  async begin(proof: PasswordProof, host: string): Promise<NewSecondFactor> {
    const { store, seal, clock, authenticator } = this.#parts;
    await authenticator.checkOwnPassword(proof);
    const { user } = proof;
    const { bytes, base32 } = makeCodeSecret();
    const secret = seal.seal(bytes, user);
    await store.putSecondFactorDraft({ user, secret, createdAt: clock.now() });
    return { secret: base32, address: codeAddress(bytes, { user, host }) };
  }

  /** From now on the password alone signs in nowhere. The caller's session stays, others end.
   *  Answers the recovery codes, this once. @throws conflict: it is on, or nothing was begun. */
  async turnOn(caller: Caller, shown: Omit<ShownCode, 'user'>): Promise<string[]> {
    const { store, clock, config, codes } = this.#parts;
    const { user } = caller;
    const draft = await store.findSecondFactor(user);
    if (draft?.isOn === true) throw secondFactorOn(OP);
    const at = clock.now();
    const isOver = draft === undefined || at - draft.since > config.secondFactorSetupMs;
    if (isOver) throw secondFactorOff(OP);
    const step = await codes.proveDraft(draft, { ...shown, user });
    const recovery = makeRecoveryCodes();
    const keepSession = caller.credential === 'session' ? caller.deviceId : undefined;
    const isDone = await store.turnOnSecondFactor(user, {
      secret: draft.secret, step, at, recoveryHashes: recovery.map(hashRecoveryCode), keepSession,
    });
    if (!isDone) throw secondFactorOff(OP);
    await this.#tell('second-factor-on', user, shown.address);
    return recovery;
  }

  /** Those made before are void. @throws conflict: it is not on. */
  async renewRecoveryCodes(proof: PasswordProof & ShownCode): Promise<string[]> {
    await this.#proveBoth(proof);
    const recovery = makeRecoveryCodes();
    const hashes = recovery.map(hashRecoveryCode);
    if (!await this.#parts.store.putRecoveryCodes(proof.user, hashes)) throw secondFactorOff(OP);
    await this.#tell('recovery-codes-made', proof.user, proof.address);
    return recovery;
  }

  /** @throws conflict: it is not on. */
  async turnOff(proof: PasswordProof & ShownCode): Promise<void> {
    await this.#proveBoth(proof);
    if (!await this.#parts.store.turnOffSecondFactor(proof.user)) throw secondFactorOff(OP);
    await this.#tell('second-factor-off', proof.user, proof.address);
  }

  /** For somebody who has lost phone and recovery codes: whether the caller may is decided above,
   *  and noted there. Answers whether it was on. */
  async turnOffFor(user: UserId): Promise<boolean> {
    return this.#parts.store.turnOffSecondFactor(user);
  }

  async #proveBoth(proof: PasswordProof & ShownCode): Promise<void> {
    const { authenticator, codes } = this.#parts;
    await authenticator.checkOwnPassword(proof);
    if (await codes.prove(proof) === 'code') return;
    await this.#tell('recovery-code-used', proof.user, proof.address);
  }

  async #tell(act: SignInNotice['act'], user: UserId, address: string): Promise<void> {
    const { store, onNotice } = this.#parts;
    const tenant = (await store.findUser(user))?.tenant;
    onNotice({ act, user, tenant, device: '', address });
  }
}

function makeRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, makeRecoveryCode);
}

function hashRecoveryCode(code: string): string {
  return hashSecret(canonicalRecoveryCode(code) ?? code);
}
