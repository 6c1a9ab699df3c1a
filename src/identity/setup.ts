import { HoldfastError } from '../base/errors.ts';
import type { Clock } from '../platform/index.ts';
import { callerOf, type Caller } from './caller.ts';
import type { IdentityConfig } from './config.ts';
import type { IdentityStore } from './identity-store.ts';
import { hashSecret, isSameHash, makeToken } from './secrets.ts';
import type { Users } from './users.ts';

export interface SetupLink {
  /** Whoever has it becomes the first administrator. */
  readonly token: string;
  readonly expiresAt: number;
}

export interface FirstAdministrator {
  user: string;
  password: string;
  displayName?: string;
}

/** The link by which the first administrator comes into being. */
export class Setup {
  readonly #store: IdentityStore;
  readonly #clock: Clock;
  readonly #config: IdentityConfig;
  readonly #users: Users;

  constructor(store: IdentityStore, clock: Clock, config: IdentityConfig, users: Users) {
    this.#store = store;
    this.#clock = clock;
    this.#config = config;
    this.#users = users;
  }

  async createLink(): Promise<SetupLink | undefined> {
    const token = makeToken();
    const expiresAt = this.#clock.now() + this.#config.setupLinkMs;
    const made = await this.#store.putSetupLink({ hash: hashSecret(token), expiresAt });
    return made ? { token, expiresAt } : undefined;
  }

  async isUsable(token: string): Promise<boolean> {
    const link = await this.#store.findSetupLink(this.#clock.now());
    return link !== undefined && isSameHash(link.hash, hashSecret(token));
  }

  async useLink(
    token: string, { user, password, displayName }: FirstAdministrator,
  ): Promise<Caller> {
    // Before the slow part: a stranger without the link must not make the server hash passwords.
    if (!(await this.isUsable(token))) throw linkOver();
    const named = displayName === undefined ? {} : { displayName };
    const draft = await this.#users.draft({ id: user, password, admin: true, ...named });
    const at = this.#clock.now();
    const added = await this.#store.redeemSetupLink(hashSecret(token), at, draft);
    if (added === undefined) throw linkOver();
    return callerOf(added, 'password', { device: 'password', groups: [] });
  }
}

function linkOver(): HoldfastError {
  const message = 'This link is no longer valid. Restart the server to get a new one.';
  return new HoldfastError('denied', 'identity/useSetupLink', message, { code: 'setup-link-over' });
}
