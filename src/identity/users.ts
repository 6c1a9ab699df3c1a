import {
  DEFAULT_TENANT, parseTenantId, parseUserId, type TenantId, type UserId,
} from '../base/ids.ts';
import { parseMailAddress } from '../mail/index.ts';
import type { Clock } from '../platform/index.ts';
import { noSuchUser, userExists } from './identity-errors.ts';
import { USERS_PAGE_MAX, type IdentityStore } from './identity-store.ts';
import { parseDisplayName } from './labels.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { checkPassword } from './password-policy.ts';
import type { NewUserRecord, UserPatch, UserRecord } from './records.ts';

/** A user as shown: without secrets. */
export interface User {
  readonly id: UserId;
  readonly tenant: TenantId;
  readonly displayName: string;
  readonly admin: boolean;
  readonly disabled: boolean;
  readonly hasPassword: boolean;
  /** The password alone does not sign in. */
  readonly hasSecondFactor: boolean;
  /** Where mail for the user goes. Several users may have the same one. */
  readonly email: string | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly createdAt: number;
}

export interface NewUser {
  /** Checked by `parseUserId`. */
  id: string;
  /** Without one the user cannot sign in until one is set. */
  password?: string;
  /** The id, when left out. */
  displayName?: string;
  /** Checked by `parseTenantId`; for good. DEFAULT_TENANT, when left out. */
  tenant?: string;
  /** Checked by `parseMailAddress`. */
  email?: string;
  admin?: boolean;
}

/** Who there is. Whether the caller may ask for a change is decided above; a change is in force, in
 *  every process, when its promise resolves. Errors besides those listed: as IdentityStore. */
export class Users {
  readonly #store: IdentityStore;
  readonly #hasher: PasswordHasher;
  readonly #clock: Clock;

  constructor(store: IdentityStore, hasher: PasswordHasher, clock: Clock) {
    this.#store = store;
    this.#hasher = hasher;
    this.#clock = clock;
  }

  /** @throws invalid: name, password or mail address break a rule; exists; not-found: no such
   *  tenant; busy. */
  async add(wanted: NewUser): Promise<User> {
    const id = parseUserId(wanted.id);
    // Before the slow part, so that a taken name is told at once; the store decides in the end.
    await this.#refuseTaken(id);
    return shown(await this.#store.addUser(await this.draft(wanted)));
  }

  /** The record for a new user, with the password hashed. @throws invalid; busy. */
  async draft(wanted: NewUser): Promise<NewUserRecord> {
    const { password, displayName, tenant = DEFAULT_TENANT, email, admin = false } = wanted;
    const id = parseUserId(wanted.id);
    const name = parseDisplayName(displayName ?? id);
    if (password !== undefined) checkPassword(password, id);
    return {
      id,
      tenant: parseTenantId(tenant),
      displayName: name,
      admin,
      disabled: false,
      passwordHash: password === undefined ? undefined : await this.#hasher.hash(password),
      email: email === undefined ? undefined : parseMailAddress(email),
      createdAt: this.#clock.now(),
    };
  }

  async find(id: UserId): Promise<User | undefined> {
    const user = await this.#store.findUser(id);
    return user && shown(user);
  }

  /** @throws not-found. */
  async get(id: UserId): Promise<User> {
    const user = await this.find(id);
    if (user === undefined) throw noSuchUser('identity/Users.get');
    return user;
  }

  /** All users, or those of one tenant, in ascending order of id, read page by page. */
  async *list(tenant?: TenantId): AsyncIterable<User> {
    let after: UserId | undefined;
    for (;;) {
      const page = await this.#store.listUsers(USERS_PAGE_MAX, after, tenant);
      for (const user of page) yield shown(user);
      after = page.at(-1)?.id;
      if (after === undefined || page.length < USERS_PAGE_MAX) return;
    }
  }

  /** Ends all sessions of the user; app passwords stay. @throws invalid; not-found; busy. */
  async setPassword(id: UserId, password: string): Promise<User> {
    return shown(await this.replacePassword(id, password));
  }

  /** As `setPassword`, with the user's `rev` from then on. */
  async replacePassword(id: UserId, password: string): Promise<UserRecord> {
    checkPassword(password, id);
    await this.get(id);
    const passwordHash = await this.#hasher.hash(password);
    return this.#store.updateUser(id, { passwordHash }, { endSessions: true });
  }

  /** Disabling ends all sessions; app passwords are refused until the user is enabled again.
   *  @throws not-found. */
  async setDisabled(id: UserId, disabled: boolean): Promise<User> {
    return this.#update(id, { disabled }, disabled);
  }

  /** @throws not-found. */
  async setAdmin(id: UserId, admin: boolean): Promise<User> {
    return this.#update(id, { admin });
  }

  /** @throws invalid; not-found. */
  async setDisplayName(id: UserId, displayName: string): Promise<User> {
    return this.#update(id, { displayName: parseDisplayName(displayName) });
  }

  /** undefined: none any more. @throws invalid: not a mail address; not-found. */
  async setEmail(id: UserId, email: string | undefined): Promise<User> {
    return this.#update(id, { email: email === undefined ? undefined : parseMailAddress(email) });
  }

  async #update(id: UserId, patch: UserPatch, endSessions = false): Promise<User> {
    return shown(await this.#store.updateUser(id, patch, { endSessions }));
  }

  async #refuseTaken(id: UserId): Promise<void> {
    if ((await this.#store.findUser(id)) !== undefined) throw userExists('identity/Users.add');
  }
}

function shown(user: UserRecord): User {
  const { id, tenant, displayName, admin, disabled, email, createdAt, passwordHash } = user;
  const hasPassword = passwordHash !== undefined;
  const { hasSecondFactor } = user;
  return {
    id, tenant, displayName, admin, disabled, hasPassword, hasSecondFactor, email, createdAt,
  };
}
