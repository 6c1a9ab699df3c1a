/**
 * Passwords of public links: hashed as those of people, guarded against guessing as those are.
 *
 * A link has no user, so its failures are counted under the link instead of a user's name. Whoever
 * opens a folder by link asks for its password with every request; what was right a moment ago is
 * remembered, under a key that tells nothing of the password.
 */
import { hash, randomBytes } from 'node:crypto';
import { HoldfastError } from '../base/errors.ts';
import type { Clock } from '../platform/index.ts';
import { addressGroup } from './address.ts';
import type { IdentityConfig } from './config.ts';
import { LoginThrottle } from './login-throttle.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { SharedFailures } from './shared-failures.ts';
import { isPossiblePassword } from './password-policy.ts';

export interface LinkKnock {
  /** Names the link; no secret. undefined: what was asked for is no link at all. */
  link: string | undefined;
  password: string;
  /** The network address that the request came from, for counting failures. */
  address: string;
}

/** Stands for every link that there is not. */
const NO_LINK = '-';
const OP = 'identity/LinkPasswords';

export class LinkPasswords {
  readonly #clock: Clock;
  readonly #config: IdentityConfig;
  readonly #hasher: PasswordHasher;
  readonly #throttle: LoginThrottle;
  readonly #key = randomBytes(32).toString('hex');
  /** What was right, and until when that is remembered. Bounded by `verifiedCountMax`. */
  readonly #right = new Map<string, number>();

  /** `failures` is left out where there is one server. */
  constructor(
    clock: Clock, config: IdentityConfig,
    { hasher, failures }: { hasher: PasswordHasher; failures: SharedFailures | undefined },
  ) {
    this.#clock = clock;
    this.#config = config;
    this.#hasher = hasher;
    this.#throttle = new LoginThrottle(clock, config, failures && { failures, scope: 'link' });
  }

  /** A PHC string to keep. @throws invalid: empty or too long; busy. */
  async hash(password: string): Promise<string> {
    if (password === '' || !isPossiblePassword(password)) {
      const message = 'This cannot be a password of a link: it is empty or too long.';
      throw new HoldfastError('invalid', `${OP}.hash`, message, { code: 'link-password' });
    }
    return this.#hasher.hash(password);
  }

  /** Counts a request for a link that is not there. @throws busy, with facts.retryAfterMs. */
  noteMissing({ password, address }: Omit<LinkKnock, 'link'>): void {
    const key = this.#keyOf(NO_LINK, password);
    void this.#throttle.begin(addressGroup(address), NO_LINK, key, password).failed(0);
  }

  /** Answers whether the password is right. @throws busy, with facts.retryAfterMs: too many
   *  failures, or too many sign-ins at once. */
  async verify(phc: string, { link = NO_LINK, password, address }: LinkKnock): Promise<boolean> {
    const key = this.#keyOf(phc, password);
    if ((this.#right.get(key) ?? 0) > this.#clock.monotonic()) return true;
    const attempt = this.#throttle.begin(addressGroup(address), `link ${link}`, key, password);
    if (attempt.wrongAtRev !== undefined) return false;
    let isRight: boolean;
    try {
      [isRight] = await Promise.all([
        isPossiblePassword(password) && this.#hasher.verify(password, phc), attempt.admit(),
      ]);
    } catch (error) {
      attempt.abandoned();
      throw error;
    }
    if (!isRight) {
      await attempt.failed(0);
      return false;
    }
    attempt.succeeded();
    this.#remember(key);
    return true;
  }

  #keyOf(phc: string, password: string): string {
    return hash('sha256', `${this.#key}${phc.length} ${phc} ${password}`, 'latin1');
  }

  #remember(key: string): void {
    this.#right.delete(key);
    this.#right.set(key, this.#clock.monotonic() + this.#config.verifiedMs);
    if (this.#right.size <= this.#config.verifiedCountMax) return;
    for (const oldest of this.#right.keys()) {
      this.#right.delete(oldest);
      break;
    }
  }
}
