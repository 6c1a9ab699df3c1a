/**
 * Remembers which credentials were verified a moment ago.
 *
 * Every WebDAV request carries a name and a password. Verifying one takes 30 ms or more, so it is
 * done once in five minutes; in between a request costs two hashes and one question to the store.
 * Kept is a SHA-256 that begins with a key made at the start: whoever reads the entries learns no
 * password, and cannot prepare a table. (An HMAC would guard against forged extensions of a hash
 * that one has seen; these are never shown to anyone, and a request costs a fifth this way.)
 *
 * An entry is good at once only while the store's change mark stands still. When it moved, the
 * user is read again, and the entry stays if the user's `rev` is the same. So somebody else's
 * change costs one read, and not a new computation for everyone.
 */
import { hash, randomBytes } from 'node:crypto';
import type { Clock } from '../platform/index.ts';
import type { Caller } from './caller.ts';

/** `basic-text`: the text that shows a name and a password, such as a header. */
export type CredentialKind = 'basic' | 'basic-text' | 'session' | 'api-token';

export interface Verified {
  readonly caller: Caller;
  readonly userRev: number;
  /** The password is right, but does not suffice. Remembered, so that a device that goes on sending
   *  it costs no computation each time. */
  readonly needsCode: boolean;
  /** When to verify anew, by the monotonic clock. */
  readonly goodUntilMs: number;
  /** The store's change mark as of which `userRev` is known. */
  mark: number;
}

export class VerifiedCredentials {
  readonly #clock: Clock;
  readonly #countMax: number;
  readonly #key = randomBytes(32).toString('hex');
  readonly #entries = new Map<string, Verified>();

  constructor(clock: Clock, countMax: number) {
    this.#clock = clock;
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** The lengths keep `a` + `bc` and `ab` + `c` apart. */
  keyOf(kind: CredentialKind, user: string, secret: string): string {
    return hash('sha256', `${this.#key}${kind} ${user.length} ${user} ${secret}`, 'latin1');
  }

  /** Whether its user changed is the asker's to check, by `mark`; whether it is due, by `isDue`. */
  find(key: string): Verified | undefined {
    return this.#entries.get(key);
  }

  /** True when it is time to verify anew. Such an entry still shows that these credentials were
   *  right, so whoever presents them is no guesser and need not wait for other people's guesses. */
  isDue(entry: Verified): boolean {
    return entry.goodUntilMs <= this.#clock.monotonic();
  }

  /** When full, the entry that was put first goes: most end within minutes anyway. */
  put(key: string, entry: Verified): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= this.#countMax) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
