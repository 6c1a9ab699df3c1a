import { HoldfastError, isKind } from '../base/errors.ts';
import type { UserId } from '../base/ids.ts';
import type { Clock } from '../platform/index.ts';
import type { AccessNotes } from './access-notes.ts';
import { accessOf, type Access } from './app-passwords.ts';
import type { Authenticator, BasicCredentials } from './authenticator.ts';
import type { Caller } from './caller.ts';
import type { IdentityConfig } from './config.ts';
import type { IdentityStore } from './identity-store.ts';
import { deviceName } from './labels.ts';
import type { TokenRecord } from './records.ts';
import { hashSecret, makeId, makeToken } from './secrets.ts';

export interface SignIn extends BasicCredentials {
  /** What the browser says of itself. */
  device: string;
}

export interface NewSession {
  /** For the cookie; only its hash is kept. */
  readonly token: string;
  readonly caller: Caller;
  /** The session ends here at the latest; earlier after 14 days without use. */
  readonly endsAt: number;
}

/** How often a sign-in begins again because the user was changed under its hands. */
const TRIES_MAX = 3;
const OP = 'identity/Sessions.signIn';

/** Browsers' sessions. Errors besides those listed: as IdentityStore. */
export class Sessions {
  readonly #store: IdentityStore;
  readonly #clock: Clock;
  readonly #config: IdentityConfig;
  readonly #authenticator: Authenticator;
  readonly #notes: AccessNotes;

  constructor(
    store: IdentityStore, clock: Clock, config: IdentityConfig,
    { authenticator, notes }: { authenticator: Authenticator; notes: AccessNotes },
  ) {
    this.#notes = notes;
    this.#store = store;
    this.#clock = clock;
    this.#config = config;
    this.#authenticator = authenticator;
  }

  /** Begins a session; the oldest one ends when the user has too many.
   *  @throws unauthenticated; busy, with facts.retryAfterMs. */
  async signIn({ device, ...credentials }: SignIn): Promise<NewSession> {
    await this.#store.sweep(this.#clock.now());
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const { caller, userRev } = await this.#authenticator.basicWithRev(credentials);
      const session = await this.#begin(caller, userRev, deviceName(device));
      if (session !== undefined) return session;
    }
    throw new HoldfastError('busy', OP, 'The user is being changed. Try again.', {
      facts: { retryAfterMs: 1000 },
    });
  }

  /** Ends the session with this token. Calm when there is none. */
  async signOut(secret: string): Promise<void> {
    const token = await this.#store.findToken('session', hashSecret(secret));
    if (token !== undefined) await this.#notes.revoke(token);
  }

  /** Oldest first, without those that are over. */
  async list(user: UserId): Promise<Access[]> {
    const nowMs = this.#clock.now();
    const tokens = await this.#store.listTokens(user, 'session');
    return tokens.filter(({ expiresAt }) => (expiresAt ?? 0) > nowMs).map(accessOf);
  }

  /** In force at once. Answers false when the user has no such session. */
  async revoke(user: UserId, id: string): Promise<boolean> {
    return this.#notes.revoke({ user, kind: 'session', id });
  }

  /** Undefined when the user changed after the password was verified: a session must not outlive
   *  the password change that was to end it. */
  async #begin(
    caller: Caller, ifUserRev: number, device: string,
  ): Promise<NewSession | undefined> {
    const secret = makeToken();
    const createdAt = this.#clock.now();
    const { sessionAgeMaxMs, sessionIdleMs, sessionsPerUserMax: countMax } = this.#config;
    const token: TokenRecord = {
      hash: hashSecret(secret),
      id: makeId(),
      kind: 'session',
      user: caller.user,
      device,
      createdAt,
      usedAt: createdAt,
      expiresAt: createdAt + Math.min(sessionIdleMs, sessionAgeMaxMs),
    };
    try {
      await this.#store.addToken(token, { countMax, whenFull: 'drop-oldest', ifUserRev });
    } catch (error) {
      if (isKind(error, 'precondition')) return undefined;
      throw error;
    }
    return {
      token: secret,
      caller: { ...caller, credential: 'session', device, deviceId: token.id },
      endsAt: createdAt + sessionAgeMaxMs,
    };
  }
}
