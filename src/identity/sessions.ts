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
import type { PasswordProof } from './second-factors.ts';
import { hashSecret, makeId, makeToken } from './secrets.ts';
import type { Users } from './users.ts';

export interface SignIn extends BasicCredentials {
  /** What the browser says of itself. */
  device: string;
  /** From an authenticator app, or a recovery code. */
  code?: string | undefined;
}

export interface OwnPasswordChange extends PasswordProof {
  newPassword: string;
  /** Of the browser that goes on; undefined: no session begins. */
  device: string | undefined;
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
  readonly #users: Users;

  constructor(
    store: IdentityStore, clock: Clock, config: IdentityConfig,
    { authenticator, notes, users }: {
      authenticator: Authenticator; notes: AccessNotes; users: Users;
    },
  ) {
    this.#notes = notes;
    this.#users = users;
    this.#store = store;
    this.#clock = clock;
    this.#config = config;
    this.#authenticator = authenticator;
  }

  /** Begins a session; the oldest one ends when the user has too many. App passwords are for
   *  devices: none begins a session.
   *  @throws unauthenticated, with the code `second-factor-required` when only the code is missing;
   *  busy, with facts.retryAfterMs. */
  async signIn({ device, ...credentials }: SignIn): Promise<NewSession> {
    await this.#store.sweep(this.#clock.now());
    let isProven = false;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const verified = await this.#authenticator.signIn(credentials, { isProven });
      const { caller, userRev } = verified;
      isProven = verified.needsCode; // Its code is used up.
      const session = await this.#begin(caller, userRev, deviceName(device));
      if (session !== undefined) return session;
    }
    throw new HoldfastError('busy', OP, 'The user is being changed. Try again.', {
      facts: { retryAfterMs: 1000 },
    });
  }

  /** Changes the own password, for which the old one is needed; ends all sessions, and begins one.
   *  Undefined: none was wanted, or the user was changed again at once.
   *  @throws unauthenticated: the old one is wrong; invalid: the new one breaks a rule; busy. */
  async changePassword(
    { device, newPassword, ...proof }: OwnPasswordChange,
  ): Promise<NewSession | undefined> {
    await this.#authenticator.checkOwnPassword(proof);
    const { rev } = await this.#users.replacePassword(proof.user, newPassword);
    if (device === undefined) return undefined;
    const { caller, userRev } = await this.#authenticator.callerFor(proof.user);
    // A change in between was somebody else's: who knew the old password has not proven the newer.
    return userRev === rev ? this.#begin(caller, rev, deviceName(device)) : undefined;
  }

  /** Ends all sessions of the user but one. Answers how many there were. */
  async revokeOthers(user: UserId, keepId: string | undefined): Promise<number> {
    let count = 0;
    for (const { id } of await this.#store.listTokens(user, 'session')) {
      if (id !== keepId && await this.revoke(user, id)) count += 1;
    }
    return count;
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
