/**
 * Between the password and the code, the browser carries what was right: sealed with a key that
 * lives as long as this process, for this very visitor, and for ten minutes. So nobody types the
 * password twice, and nothing has to be kept here.
 */
import { randomBytes } from 'node:crypto';
import { SEALING_KEY_BYTES, SecretSeal } from '../../identity/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Visitor } from './page-session.ts';

export interface HalfSignIn {
  user: string;
  password: string;
}

const GOOD_MS = 10 * 60_000;

export class HalfSignIns {
  readonly #seal = new SecretSeal(randomBytes(SEALING_KEY_BYTES));
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue({ user, password }: HalfSignIn, { formToken }: Visitor): string {
    const untilMs = this.#clock.monotonic() + GOOD_MS;
    return this.#seal.seal(Buffer.from(JSON.stringify([user, password, untilMs])), formToken);
  }

  /** undefined: over, of another visitor, or made up. */
  read(raw: string, { formToken }: Visitor): HalfSignIn | undefined {
    const text = this.#seal.open(raw, formToken)?.toString('utf8');
    if (text === undefined) return undefined;
    const [user, password, untilMs] = JSON.parse(text) as [string, string, number];
    return this.#clock.monotonic() < untilMs ? { user, password } : undefined;
  }
}
