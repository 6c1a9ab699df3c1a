import { HoldfastError } from '../base/errors.ts';
import type { UserId } from '../base/ids.ts';
import type { Clock } from '../platform/index.ts';
import type { AccessNotes } from './access-notes.ts';
import { accessOf, type Access } from './app-passwords.ts';
import type { Caller } from './caller.ts';
import type { IdentityConfig } from './config.ts';
import type { IdentityStore } from './identity-store.ts';
import { deviceName } from './labels.ts';
import type { TokenRecord } from './records.ts';
import { parseScopes, type Scope } from './scopes.ts';
import { hashSecret, makeId, makeToken } from './secrets.ts';

/** What a token begins with, so that people and scanners of leaked secrets know one when they see
 *  it. */
const PREFIX = 'hft_';
const TOKEN = /^hft_[A-Za-z0-9_-]{43}$/;
const OP = 'identity/ApiTokens.create';

export interface ApiToken extends Access {
  readonly scopes: readonly Scope[];
  /** Milliseconds since 1970 UTC; undefined: it works until it is revoked. */
  readonly expiresAt: number | undefined;
}

export interface NewApiToken extends ApiToken {
  /** Shown to the user now and never again: only its hash is kept. */
  readonly token: string;
}

export interface ApiTokenWishes {
  label: string;
  /** Checked by `parseScopes`. */
  scopes: readonly string[];
  /** Milliseconds since 1970 UTC. */
  expiresAt?: number | undefined;
}

/** Secrets for programs that use the public API: each for some things only, and for some time.
 *  Errors besides those listed: as IdentityStore. */
export class ApiTokens {
  readonly #store: IdentityStore;
  readonly #clock: Clock;
  readonly #config: IdentityConfig;
  readonly #notes: AccessNotes;

  constructor(
    store: IdentityStore, clock: Clock, config: IdentityConfig, notes: AccessNotes,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#config = config;
    this.#notes = notes;
  }

  /** @throws denied: the caller is itself a device or a token, or no administrator and wants to
   *  administer; invalid: no such scope, or an end in the past; too-large: too many. */
  async create(caller: Caller, { label, ...wishes }: ApiTokenWishes): Promise<NewApiToken> {
    checkOwnPassword(caller);
    const scopes = parseScopes(wishes.scopes);
    if (scopes.includes('admin') && !caller.admin) throw noAdministrator();
    const createdAt = this.#clock.now();
    const { expiresAt } = wishes;
    if (expiresAt !== undefined && expiresAt <= createdAt) throw overAlready();
    const secret = `${PREFIX}${makeToken()}`;
    const token: TokenRecord = {
      hash: hashSecret(secret), id: makeId(), kind: 'api-token', user: caller.user,
      device: deviceName(label), createdAt, usedAt: undefined, expiresAt, scopes,
    };
    const countMax = this.#config.apiTokensPerUserMax;
    await this.#store.sweep(createdAt); // What is over must not count.
    await this.#store.addToken(token, { countMax, whenFull: 'refuse' });
    await this.#notes.tell('api-token-made', token);
    return { ...tokenOf(token), token: secret };
  }

  /** Oldest first, without those that are over. */
  async list(user: UserId): Promise<ApiToken[]> {
    const nowMs = this.#clock.now();
    const tokens = await this.#store.listTokens(user, 'api-token');
    return tokens.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > nowMs)
      .map(tokenOf);
  }

  /** In force at once. Answers false when the user has no such token. */
  async revoke(user: UserId, id: string): Promise<boolean> {
    return this.#notes.revoke({ user, kind: 'api-token', id });
  }
}

/** Whether a text can be an API token at all. */
export function isPossibleToken(text: string): boolean {
  return TOKEN.test(text);
}

function tokenOf(record: TokenRecord): ApiToken {
  const { scopes = [], expiresAt } = record;
  return { ...accessOf(record), scopes, expiresAt };
}

/** Else what was stolen could make itself further secrets that outlive it, or may do more. */
function checkOwnPassword({ credential }: Caller): void {
  if (credential === 'password' || credential === 'session') return;
  const message = 'Sign in with your own password to make a token.';
  throw new HoldfastError('denied', OP, message, { code: 'own-password' });
}

function noAdministrator(): HoldfastError {
  const message = 'Only an administrator can make a token that administers.';
  return new HoldfastError('denied', OP, message, { code: 'admin-only' });
}

function overAlready(): HoldfastError {
  const message = 'The end of a token lies in the future.';
  return new HoldfastError('invalid', OP, message, { code: 'token-end' });
}
