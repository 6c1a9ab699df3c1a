/**
 * Between the password and the code, the browser carries what was right: sealed for this very
 * visitor, and for ten minutes. So nobody types the password twice, nothing has to be kept here,
 * and the code may come to another server than the password.
 */
import type { SecretSeal } from '../../identity/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Visitor } from './page-session.ts';

export interface HalfSignIn {
  user: string;
  password: string;
}

const GOOD_MS = 10 * 60_000;

export class HalfSignIns {
  readonly #seal: SecretSeal;
  readonly #clock: Clock;

  constructor(seal: SecretSeal, clock: Clock) {
    this.#seal = seal;
    this.#clock = clock;
  }

  issue({ user, password }: HalfSignIn, { formToken }: Visitor): string {
    const untilMs = this.#clock.now() + GOOD_MS;
    return this.#seal.seal(Buffer.from(JSON.stringify([user, password, untilMs])), formToken);
  }

  /** undefined: over, of another visitor, or made up. */
  read(raw: string, { formToken }: Visitor): HalfSignIn | undefined {
    const text = this.#seal.open(raw, formToken)?.toString('utf8');
    if (text === undefined) return undefined;
    const [user, password, untilMs] = JSON.parse(text) as [string, string, number];
    return this.#clock.now() < untilMs ? { user, password } : undefined;
  }
}
