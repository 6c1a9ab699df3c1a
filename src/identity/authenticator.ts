/**
 * From credentials to a Caller.
 *
 * In the order of what it costs: remembered as verified; an app password (one hash, one read; it
 * cannot be guessed, so it is never throttled); the throttle; argon2id.
 */
import { isKind } from '../base/errors.ts';
import { parseUserId, type TenantId, type UserId } from '../base/ids.ts';
import type { Clock } from '../platform/index.ts';
import { addressGroup } from './address.ts';
import { callerOf, type Caller } from './caller.ts';
import type { IdentityConfig } from './config.ts';
import type { CodeCheck } from './code-check.ts';
import {
  appPasswordRequired, notAuthenticated, noSuchUser, ownPasswordRequired, secondFactorRequired,
  sessionOver, tokenOver,
} from './identity-errors.ts';
import type { IdentityStore } from './identity-store.ts';
import { LoginThrottle } from './login-throttle.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { isPossiblePassword } from './password-policy.ts';
import type { TokenRecord, UserRecord } from './records.ts';
import type { Scope } from './scopes.ts';
import { canonicalAppPassword, hashSecret, isSameHash } from './secrets.ts';
import type { SharedFailures } from './shared-failures.ts';
import type { UsedNotes } from './used-notes.ts';
import { VerifiedCredentials, type Verified } from './verified-credentials.ts';

export interface BasicCredentials {
  /** The login name as typed: letters of either case. */
  user: string;
  password: string;
  /** The network address that the request came from, for counting failures. */
  address: string;
}

export interface AuthenticatorParts {
  store: IdentityStore;
  clock: Clock;
  config: IdentityConfig;
  hasher: PasswordHasher;
  usedNotes: UsedNotes;
  codes: CodeCheck;
  onSignIn: (notice: SignInNotice) => void;
  /** undefined: there is one server. */
  failures: SharedFailures | undefined;
}

/** Somebody was let in who was not remembered, or was refused; or a way in was made or ended. */
export interface SignInNotice {
  act: 'signed-in' | 'sign-in-refused' | 'app-password-made' | 'app-password-removed'
    | 'session-ended' | 'api-token-made' | 'api-token-removed'
    | 'second-factor-on' | 'second-factor-off' | 'recovery-codes-made' | 'recovery-code-used';
  /** '' when no such user is there: what was typed as a name may be a password. */
  user: UserId | '';
  /** Of the user; undefined: nobody knows. */
  tenant: TenantId | undefined;
  device: string;
  /** undefined: not known here. */
  address: string | undefined;
}

const OP_BASIC = 'identity/authenticateBasic';
const OP_SESSION = 'identity/authenticateSession';
const OP_TOKEN = 'identity/authenticateToken';
/** Stands for every name that no user can have. */
const NO_NAME = '-';

interface BasicCheck extends BasicCredentials {
  key: string;
  mark: number;
}

export class Authenticator {
  readonly #store: IdentityStore;
  readonly #clock: Clock;
  readonly #config: IdentityConfig;
  readonly #hasher: PasswordHasher;
  readonly #usedNotes: UsedNotes;
  readonly #codes: CodeCheck;
  readonly #onSignIn: (notice: SignInNotice) => void;
  readonly #verified: VerifiedCredentials;
  readonly #throttle: LoginThrottle;
  /** Verifications under way: the six requests that a client sends at once cost one. Bounded by
   *  the hasher's queue. */
  readonly #underWay = new Map<string, Promise<Verified | undefined>>();

  constructor(parts: AuthenticatorParts) {
    const { store, clock, config, hasher, usedNotes } = parts;
    this.#codes = parts.codes;
    this.#onSignIn = parts.onSignIn;
    this.#store = store;
    this.#clock = clock;
    this.#config = config;
    this.#hasher = hasher;
    this.#usedNotes = usedNotes;
    this.#verified = new VerifiedCredentials(clock, config.verifiedCountMax);
    this.#throttle = new LoginThrottle(clock, config, parts.failures && {
      failures: parts.failures, scope: 'password',
    });
  }

  /** Answers at once, without a promise, when these credentials were verified a moment ago and the
   *  store has its change mark at hand. */
  basic(credentials: BasicCredentials): Caller | Promise<Caller> {
    const { user, password } = credentials;
    const key = this.#verified.keyOf('basic', user, password);
    return this.#atMark((mark) => this.#basicAt(() => credentials, key, mark));
  }

  /** As `basic`, by the text that shows the credentials. */
  shownBasic(text: string, read: () => BasicCredentials): Caller | Promise<Caller> {
    const key = this.#verified.keyOf('basic-text', '', text);
    return this.#atMark((mark) => this.#basicAt(read, key, mark));
  }

  #basicAt(read: () => BasicCredentials, key: string, mark: number): Caller | Promise<Caller> {
    const entry = this.#verified.find(key);
    if (entry?.mark === mark && !this.#verified.isDue(entry)) return sufficient(entry);
    const check = { ...read(), key, mark };
    return this.#basicAnew(check, entry).then((verified) => {
      if (verified.needsCode && entry === undefined) {
        this.#tellOf('sign-in-refused', check, verified.caller, 'password without code');
      }
      return sufficient(verified);
    });
  }

  /** For a session: the own password and, where there is a second factor, a code. With the user's
   *  rev as of which it is true. `isProven`: the code was right a moment ago, and is used up.
   *  @throws unauthenticated `second-factor-required`, `second-factor-wrong`; busy. */
  async signIn(
    credentials: BasicCredentials & { code?: string | undefined }, { isProven = false } = {},
  ): Promise<Verified> {
    const { code = '', address } = credentials;
    const verified = await this.checkOwnPassword(credentials);
    if (!verified.needsCode || isProven) return verified;
    if (code.trim() === '') throw secondFactorRequired(OP_BASIC);
    const { caller } = verified;
    try {
      const kind = await this.#codes.prove({ user: caller.user, code, address });
      if (kind === 'recovery-code') this.#tellOf('recovery-code-used', credentials, caller, '');
      this.#tellOf('signed-in', credentials, caller, `password and ${kind}`);
    } catch (error) {
      if (isKind(error, 'unauthenticated')) {
        this.#tellOf('sign-in-refused', credentials, caller, 'code');
      }
      throw error;
    }
    return verified;
  }

  /** Whether somebody knows their own password: an app password is none. Codes are not asked for.
   *  @throws unauthenticated; busy. */
  async checkOwnPassword(credentials: BasicCredentials): Promise<Verified> {
    const verified = await this.#basicWithRev(credentials);
    if (verified.caller.credential !== 'password') throw ownPasswordRequired(OP_BASIC);
    return verified;
  }

  /** Who somebody is, when that was proven by other means. @throws not-found; unauthenticated:
   *  disabled. */
  async callerFor(id: UserId): Promise<Pick<Verified, 'caller' | 'userRev'>> {
    const user = await this.#store.findUser(id);
    if (user === undefined) throw noSuchUser(OP_SESSION);
    if (user.disabled) throw notAuthenticated(OP_SESSION);
    const caller = await this.#callerOf(user, 'password', { device: 'password' });
    return { caller, userRev: user.rev };
  }

  async #basicWithRev(credentials: BasicCredentials): Promise<Verified> {
    const key = this.#verified.keyOf('basic', credentials.user, credentials.password);
    const mark = await this.#store.changeMark();
    return this.#basicAnew({ ...credentials, key, mark }, this.#verified.find(key));
  }

  session(token: string): Caller | Promise<Caller> {
    return this.#secret('session', token);
  }

  apiToken(token: string): Caller | Promise<Caller> {
    return this.#secret('api-token', token);
  }

  #secret(kind: 'session' | 'api-token', token: string): Caller | Promise<Caller> {
    const key = this.#verified.keyOf(kind, '', token);
    return this.#atMark((mark) => {
      const entry = this.#verified.find(key);
      if (entry?.mark === mark && !this.#verified.isDue(entry)) return entry.caller;
      return this.#secretAnew(kind, token, { key, mark });
    });
  }

  /** What is remembered is looked at after the mark is there: a change that came first shows. */
  #atMark<T>(act: (mark: number) => T | Promise<T>): T | Promise<T> {
    const mark = this.#store.changeMark();
    return typeof mark === 'number' ? act(mark) : mark.then(act);
  }

  async #basicAnew(check: BasicCheck, found: Verified | undefined): Promise<Verified> {
    const user = await this.#findUser(check.user);
    if (user === 'impossible' || !isPossiblePassword(check.password)) return this.#refuse(check);
    const entry = user !== undefined && user.rev === found?.userRev ? found : undefined;
    if (entry === undefined) this.#verified.delete(check.key);
    if (entry !== undefined && !this.#verified.isDue(entry)) {
      entry.mark = check.mark;
      return entry;
    }
    const device = user && (await this.#findAppPassword(check.password, user));
    if (user !== undefined && device !== undefined) {
      if (user.disabled) throw notAuthenticated(OP_BASIC);
      this.#throttle.succeeded(addressGroup(check.address), user.id);
      if (entry === undefined) this.#tell('signed-in', check, user, device.device);
      return this.#keep(check, user, await this.#callerOf(user, 'app-password', device));
    }
    return this.#checkPassword(check, user, entry !== undefined);
  }

  /** `provenBefore`: these very credentials were right not long ago, so this is no guess. */
  async #checkPassword(
    check: BasicCheck, user: UserRecord | undefined, provenBefore: boolean,
  ): Promise<Verified> {
    if (provenBefore) {
      const verified = await this.#verifyOnce(check, user);
      if (verified !== undefined) return verified;
    }
    const address = addressGroup(check.address);
    const attempt = this.#throttle.begin(
      address, check.user.toLowerCase(), check.key, check.password);
    const userRev = user?.rev ?? 0;
    if (attempt.wrongAtRev === userRev) throw notAuthenticated(OP_BASIC);
    let verified: Verified | undefined;
    try {
      const admitted = attempt.admit();
      [verified] = await Promise.all([this.#verifyOnce(check, user, admitted), admitted]);
    } catch (error) {
      attempt.abandoned();
      throw error;
    }
    if (verified === undefined) {
      this.#tell('sign-in-refused', check, user, 'password');
      await attempt.failed(userRev);
      throw notAuthenticated(OP_BASIC);
    }
    attempt.succeeded();
    if (!provenBefore && !verified.needsCode) this.#tell('signed-in', check, user, 'password');
    return verified;
  }

  #tellOf(
    act: SignInNotice['act'], { address }: BasicCredentials, { user, tenant }: Caller,
    device: string,
  ): void {
    this.#onSignIn({ act, user, tenant, device, address });
  }

  #tell(
    act: SignInNotice['act'], { address }: BasicCheck, user: UserRecord | undefined,
    device: string,
  ): void {
    this.#onSignIn({ act, user: user?.id ?? '', tenant: user?.tenant, device, address });
  }

  #verifyOnce(
    check: BasicCheck, user: UserRecord | undefined, admitted = Promise.resolve(),
  ): Promise<Verified | undefined> {
    // By the rev too: a request must not join a check that began before the password changed.
    const name = `${user?.rev ?? 0} ${check.key}`;
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    const verification = this.#verify(check, user, admitted)
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, verification);
    return verification;
  }

  /** Costs the same whether the user is there, disabled, without a password, or not there. What is
   *  right is remembered only if it was `admitted`. */
  async #verify(
    check: BasicCheck, user: UserRecord | undefined, admitted: Promise<void>,
  ): Promise<Verified | undefined> {
    const [right] = await Promise.all([
      this.#hasher.verify(check.password, user?.passwordHash), admitted,
    ]);
    if (!right || user === undefined || user.disabled) return undefined;
    const current = await this.#renewHash(check.password, user);
    const caller = await this.#callerOf(current, 'password', { device: 'password' });
    return this.#keep(check, current, caller);
  }

  /** Only now, with the password at hand, can an old hash be replaced by a costlier one. That is
   *  never worth refusing a sign-in for. */
  async #renewHash(password: string, user: UserRecord): Promise<UserRecord> {
    const old = user.passwordHash;
    if (old === undefined || !this.#hasher.isOutdated(old)) return user;
    try {
      const passwordHash = await this.#hasher.hash(password);
      return await this.#store.updateUser(user.id, { passwordHash }, { ifPasswordHash: old });
    } catch (error) {
      const later = ['busy', 'full', 'unavailable', 'precondition'] as const;
      if (later.some((kind) => isKind(error, kind))) return user;
      throw error;
    }
  }

  async #findAppPassword(password: string, user: UserRecord): Promise<TokenRecord | undefined> {
    const canonical = canonicalAppPassword(password);
    if (canonical === undefined) return undefined;
    const hash = hashSecret(canonical);
    const token = await this.#store.findToken('app-password', hash);
    if (token?.user !== user.id || !isSameHash(token.hash, hash)) return undefined;
    if (!user.disabled) this.#usedNotes.note(token);
    return token;
  }

  async #secretAnew(
    kind: 'session' | 'api-token', secret: string, { key, mark }: { key: string; mark: number },
  ): Promise<Caller> {
    const hash = hashSecret(secret);
    const token = await this.#store.findToken(kind, hash);
    const user = token && (await this.#store.findUser(token.user));
    const nowMs = this.#clock.now();
    const over =
      token === undefined || user === undefined || user.disabled ||
      !isSameHash(token.hash, hash) || this.#endOf(token) <= nowMs;
    if (over) {
      this.#verified.delete(key);
      throw kind === 'session' ? sessionOver(OP_SESSION) : tokenOver(OP_TOKEN);
    }
    this.#usedNotes.note(token);
    // Were its scopes lost, it could be used for nothing.
    const scopes = kind === 'api-token' ? { scopes: token.scopes ?? [] } : {};
    const caller = await this.#callerOf(user, kind, { ...token, ...scopes });
    const lastMs = kind === 'session'
      ? token.createdAt + this.#config.sessionAgeMaxMs : this.#endOf(token);
    const leftMs = lastMs - nowMs;
    const goodMs = Math.min(this.#config.verifiedMs, leftMs);
    const goodUntilMs = this.#clock.monotonic() + goodMs;
    this.#verified.put(key, {
      caller, userRev: user.rev, needsCode: false, goodUntilMs, mark,
    });
    return caller;
  }

  /** A session without an end is none; an API token may have none. */
  #endOf({ kind, expiresAt }: TokenRecord): number {
    return expiresAt ?? (kind === 'session' ? 0 : Number.POSITIVE_INFINITY);
  }

  /** The groups are read after the user, so a membership that changes in between raises the rev
   *  that this verdict is remembered by. */
  async #callerOf(
    user: UserRecord, credential: Caller['credential'],
    { device, id: deviceId, scopes }: { device: string; id?: string; scopes?: readonly Scope[] },
  ): Promise<Caller> {
    const groups = await this.#store.listGroupsOf(user.id);
    return callerOf(user, credential, { device, deviceId, groups, scopes });
  }

  /** The mark is from before the user was read, so a change in between is noticed. */
  #keep({ key, mark }: BasicCheck, user: UserRecord, caller: Caller): Verified {
    const goodUntilMs = this.#clock.monotonic() + this.#config.verifiedMs;
    const needsCode = caller.credential === 'password' && user.hasSecondFactor;
    const entry: Verified = { caller, userRev: user.rev, needsCode, goodUntilMs, mark };
    this.#verified.put(key, entry);
    return entry;
  }

  /** For what nobody can have as a name or password: counted, but not worth computing. */
  #refuse({ address, key }: BasicCheck): never {
    void this.#throttle.begin(addressGroup(address), NO_NAME, key).failed(0);
    throw notAuthenticated(OP_BASIC);
  }

  async #findUser(typed: string): Promise<UserRecord | undefined | 'impossible'> {
    const id = loginName(typed);
    return id === undefined ? 'impossible' : this.#store.findUser(id);
  }
}

/** What comes with every request cannot ask for a code. */
function sufficient({ caller, needsCode }: Verified): Caller {
  if (needsCode) throw appPasswordRequired(OP_BASIC);
  return caller;
}

function loginName(typed: string): UserId | undefined {
  try {
    return parseUserId(typed.toLowerCase());
  } catch (error) {
    if (isKind(error, 'invalid')) return undefined;
    throw error;
  }
}
