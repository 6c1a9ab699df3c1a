/** How many mails one user may send: an hour's worth, filled up again little by little. Kept in
 *  memory: a restart forgives. */
import { HoldfastError } from '../base/errors.ts';
import type { Clock } from '../platform/index.ts';

const HOUR_MS = 60 * 60 * 1000;
/** Users remembered; above it whoever is nearly full again is forgotten. */
const USERS_MAX = 10_000;

export class SendLimit {
  readonly #clock: Clock;
  readonly #perHour: number;
  /** When somebody's allowance is whole again. The least lately used come first. */
  readonly #wholeAt = new Map<string, number>();

  constructor(clock: Clock, perHour: number) {
    this.#clock = clock;
    this.#perHour = perHour;
  }

  /** Counts one mail. @throws busy `mail-limit`, with facts.retryAfterMs. */
  take(user: string): void {
    const now = this.#clock.monotonic();
    const oneMs = HOUR_MS / this.#perHour;
    const wholeAt = Math.max(now, this.#wholeAt.get(user) ?? 0) + oneMs;
    const lateMs = wholeAt - now - HOUR_MS;
    if (lateMs > 0) {
      const message = 'You have sent many invitations in a short time. Try again in a while.';
      const facts = { retryAfterMs: Math.ceil(lateMs) };
      throw new HoldfastError('busy', 'mail/limit', message, { code: 'mail-limit', facts });
    }
    this.#wholeAt.delete(user);
    this.#wholeAt.set(user, wholeAt);
    const [oldest] = this.#wholeAt.keys();
    if (this.#wholeAt.size > USERS_MAX && oldest !== undefined) this.#wholeAt.delete(oldest);
  }
}
