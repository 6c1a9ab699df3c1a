import type { UserId } from '../base/ids.ts';
import type { Clock } from '../platform/index.ts';
import type { AccessNotes } from './access-notes.ts';
import type { IdentityConfig } from './config.ts';
import type { IdentityStore } from './identity-store.ts';
import { deviceName } from './labels.ts';
import type { TokenRecord } from './records.ts';
import { canonicalAppPassword, hashSecret, makeAppPassword, makeId } from './secrets.ts';

/** An app password or a session as its owner sees it. Times in milliseconds since 1970 UTC. */
export interface Access {
  readonly id: string;
  readonly device: string;
  readonly createdAt: number;
  /** Up to an hour behind. */
  readonly usedAt: number | undefined;
}

export interface NewAppPassword extends Access {
  /** Shown to the user now and never again: only its hash is kept. */
  readonly password: string;
}

/** Passwords that Holdfast makes, one per device, so that one device can be shut out alone.
 *  Errors besides those listed: as IdentityStore. */
export class AppPasswords {
  readonly #store: IdentityStore;
  readonly #clock: Clock;
  readonly #config: IdentityConfig;
  readonly #notes: AccessNotes;

  constructor(
    store: IdentityStore, clock: Clock, config: IdentityConfig, notes: AccessNotes,
  ) {
    this.#notes = notes;
    this.#store = store;
    this.#clock = clock;
    this.#config = config;
  }

  /** @throws not-found: no such user; too-large: the user has too many. */
  async create(user: UserId, device: string): Promise<NewAppPassword> {
    const password = makeAppPassword();
    const token: TokenRecord = {
      hash: hashAppPassword(password),
      id: makeId(),
      kind: 'app-password',
      user,
      device: deviceName(device),
      createdAt: this.#clock.now(),
      usedAt: undefined,
      expiresAt: undefined,
    };
    const countMax = this.#config.appPasswordsPerUserMax;
    await this.#store.addToken(token, { countMax, whenFull: 'refuse' });
    await this.#notes.tell('app-password-made', token);
    return { ...accessOf(token), password };
  }

  /** Oldest first. */
  async list(user: UserId): Promise<Access[]> {
    return (await this.#store.listTokens(user, 'app-password')).map(accessOf);
  }

  /** In force at once. Answers false when the user has no such app password. */
  async revoke(user: UserId, id: string): Promise<boolean> {
    return this.#notes.revoke({ user, kind: 'app-password', id });
  }

  /** Revokes the very app password that a device signs in with. False: it is none of the user's. */
  async revokePresented(user: UserId, password: string): Promise<boolean> {
    const canonical = canonicalAppPassword(password);
    if (canonical === undefined) return false;
    const token = await this.#store.findToken('app-password', hashSecret(canonical));
    return token?.user === user && this.revoke(user, token.id);
  }
}

export function accessOf({ id, device, createdAt, usedAt }: TokenRecord): Access {
  return { id, device, createdAt, usedAt };
}

/** Of an app password as `makeAppPassword` writes it. */
export function hashAppPassword(password: string): string {
  return hashSecret(canonicalAppPassword(password) ?? password);
}
