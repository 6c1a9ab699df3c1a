/**
 * Whether a code, or a recovery code, is right for a user.
 *
 * Codes have a throttle of their own. A right password must not forgive wrong codes, else whoever
 * has the password could guess without end; and it is only such people who get this far, so they
 * are slowed down more, whatever addresses they come from: with a delay of 15 minutes a guesser has
 * a chance of one in 3,000 a day.
 */
import type { UserId } from '../base/ids.ts';
import type { Clock } from '../platform/index.ts';
import { addressGroup } from './address.ts';
import type { IdentityConfig } from './config.ts';
import { secondFactorOff, secondFactorWrong } from './identity-errors.ts';
import type { SharedFailures } from './shared-failures.ts';
import { LoginThrottle } from './login-throttle.ts';
import { canonicalCode, stepAt, stepOfCode } from './one-time-codes.ts';
import type { SecondFactorRecord } from './records.ts';
import type { SecondFactorStore } from './second-factor-store.ts';
import type { SecretSeal } from './secret-seal.ts';
import { canonicalRecoveryCode, hashSecret } from './secrets.ts';

export interface ShownCode {
  user: UserId;
  /** A code or a recovery code, as typed. */
  code: string;
  /** The network address that the request came from, for counting failures. */
  address: string;
}

export interface CodeCheckParts {
  store: SecondFactorStore;
  clock: Clock;
  config: IdentityConfig;
  seal: SecretSeal;
  /** undefined: there is one server. */
  failures: SharedFailures | undefined;
}

export type CodeKind = 'code' | 'recovery-code';

const OP = 'identity/CodeCheck';

export class CodeCheck {
  readonly #parts: CodeCheckParts;
  readonly #throttle: LoginThrottle;

  constructor(parts: CodeCheckParts) {
    const { clock, config, failures } = parts;
    const { delayMaxMs } = config.throttlePair;
    this.#parts = parts;
    this.#throttle = new LoginThrottle(clock, {
      ...config, throttleUser: { ...config.throttleUser, delayMaxMs },
    }, failures && { failures, scope: 'code' });
  }

  /** Uses the code up. @throws unauthenticated `second-factor-wrong`; busy, with
   *  facts.retryAfterMs; conflict: no second factor is on. */
  async prove(shown: ShownCode): Promise<CodeKind> {
    const record = await this.#parts.store.findSecondFactor(shown.user);
    if (record?.isOn !== true) throw secondFactorOff(OP);
    return this.#counted(shown, async () => this.#use(record, shown.code));
  }

  /** The step of a code for what is still being set up; recovery codes are none. @throws as
   *  `prove`. */
  async proveDraft(record: SecondFactorRecord, shown: ShownCode): Promise<number> {
    return this.#counted(shown, async () => this.#stepOf(record, shown.code));
  }

  async #counted<T>(
    { user, code, address }: ShownCode, check: () => Promise<T | undefined>,
  ): Promise<T> {
    // By the step too: what is wrong now may be right in a minute.
    const key = hashSecret(`code ${stepAt(this.#parts.clock.now())} ${user} ${code}`);
    const attempt = this.#throttle.begin(addressGroup(address), user, key);
    let found: T | undefined;
    try {
      await attempt.admit();
      found = attempt.wrongAtRev === undefined ? await check() : undefined;
    } catch (error) {
      attempt.abandoned();
      throw error;
    }
    if (found === undefined) {
      await attempt.failed(0);
      throw secondFactorWrong(OP);
    }
    attempt.succeeded();
    return found;
  }

  async #use(record: SecondFactorRecord, typed: string): Promise<CodeKind | undefined> {
    const { store } = this.#parts;
    const { user } = record;
    const recovery = canonicalRecoveryCode(typed.trim());
    if (recovery !== undefined) {
      const left = await store.useRecoveryCode(user, hashSecret(recovery));
      return left === undefined ? undefined : 'recovery-code';
    }
    const step = this.#stepOf(record, typed);
    const isNew = step !== undefined && await store.useCodeStep(user, step);
    return isNew ? 'code' : undefined;
  }

  /** A secret that cannot be read any more makes every code wrong; recovery codes stay right. */
  #stepOf({ secret: sealed, user }: SecondFactorRecord, typed: string): number | undefined {
    const code = canonicalCode(typed);
    const secret = this.#parts.seal.open(sealed, user);
    if (code === undefined || secret === undefined) return undefined;
    return stepOfCode(secret, code, this.#parts.clock.now());
  }
}
