import { hkdfSync, randomBytes } from 'node:crypto';
import type { Clock } from '../platform/index.ts';
import { ApiTokens, isPossibleToken } from './api-tokens.ts';
import { AppPasswords } from './app-passwords.ts';
import { AccessNotes } from './access-notes.ts';
import { Authenticator, type BasicCredentials, type SignInNotice } from './authenticator.ts';
import type { Caller } from './caller.ts';
import { CodeCheck } from './code-check.ts';
import { DEFAULT_IDENTITY_CONFIG, type IdentityConfig } from './config.ts';
import type { IdentityStore } from './identity-store.ts';
import type { FailureCounts } from './failure-counts.ts';
import { Groups } from './groups.ts';
import { tokenOver } from './identity-errors.ts';
import { LinkPasswords } from './link-passwords.ts';
import { LoginFlows } from './login-flows.ts';
import { PasswordHasher } from './password-hasher.ts';
import { SecondFactors } from './second-factors.ts';
import { SEALING_KEY_BYTES, SecretSeal } from './secret-seal.ts';
import { Sessions } from './sessions.ts';
import { Setup, type FirstAdministrator, type SetupLink } from './setup.ts';
import { SharedFailures } from './shared-failures.ts';
import { Tenants } from './tenants.ts';
import { UsedNotes } from './used-notes.ts';
import { Users } from './users.ts';

export interface IdentityParts {
  /** Open; `Identity.close` closes it. */
  store: IdentityStore;
  clock: Clock;
  /** What differs from DEFAULT_IDENTITY_CONFIG. */
  config?: Partial<IdentityConfig>;
  /** SEALING_KEY_BYTES of it, for secrets that must be read again. Without one they are lost with
   *  this process. */
  sealingKey?: Uint8Array;
  /** Where several servers count failed sign-ins together; open, `Identity.close` closes it. They
   *  have one sealing key. Left out: there is one server. */
  failureCounts?: FailureCounts;
  /** Told of what fails with nobody waiting for it. That is the noting of when an app password or a
   *  session was last used, which is tried again, and the counting of failures with others: until
   *  that works again this process relies on what it has counted itself. */
  onFault?: (error: unknown) => void;
  /** Told of each sign-in by name and password that was not remembered, and of each wrong one. */
  onSignIn?: (notice: SignInNotice) => void;
}

/**
 * Who is who: tenants, users and groups, their passwords, app passwords and sessions.
 *
 * It answers who a caller is, never what the caller may do: whoever calls a method that changes
 * something has checked that before. All methods may run concurrently, and several processes may
 * work on the same data. A change is on disk, and in force in all of them, when its promise
 * resolves. No error carries a secret. Errors besides those listed: as IdentityStore.
 */
export class Identity {
  readonly tenants: Tenants;
  readonly users: Users;
  readonly groups: Groups;
  readonly linkPasswords: LinkPasswords;
  readonly appPasswords: AppPasswords;
  readonly apiTokens: ApiTokens;
  readonly sessions: Sessions;
  readonly loginFlows: LoginFlows;
  readonly secondFactors: SecondFactors;
  readonly #store: IdentityStore;
  readonly #authenticator: Authenticator;
  readonly #setup: Setup;
  readonly #usedNotes: UsedNotes;
  readonly #failures: SharedFailures | undefined;
  readonly #sealingKey: Uint8Array;
  #closing: Promise<void> | undefined;

  private constructor(parts: IdentityParts) {
    const { store, clock, config: changes, onFault, onSignIn } = parts;
    const config: IdentityConfig = { ...DEFAULT_IDENTITY_CONFIG, ...changes };
    const { hashCost: cost, hashesAtOnceMax: atOnceMax, hashesWaitingMax: waitingMax } = config;
    const hasher = new PasswordHasher({ cost, atOnceMax, waitingMax });
    const usedNotes = new UsedNotes(store, clock, config, onFault);
    const tell = onSignIn ?? (() => undefined);
    const notes = new AccessNotes(store, tell);
    this.#sealingKey = parts.sealingKey ?? randomBytes(SEALING_KEY_BYTES);
    const seal = new SecretSeal(this.#sealingKey);
    const failures = parts.failureCounts && new SharedFailures({
      counts: parts.failureCounts, clock, key: this.#keyFor('failed sign-ins'),
      onFault: onFault ?? (() => undefined),
    });
    this.#failures = failures;
    const codes = new CodeCheck({ store, clock, config, seal, failures });
    const authenticator = new Authenticator({
      store, clock, config, hasher, usedNotes, codes, failures, onSignIn: tell,
    });
    this.#store = store;
    this.#usedNotes = usedNotes;
    this.#authenticator = authenticator;
    this.tenants = new Tenants(store, clock);
    this.users = new Users(store, hasher, clock);
    this.groups = new Groups(store, clock);
    this.linkPasswords = new LinkPasswords(clock, config, { hasher, failures });
    this.appPasswords = new AppPasswords(store, clock, config, notes);
    this.apiTokens = new ApiTokens(store, clock, config, notes);
    this.sessions = new Sessions(store, clock, config, {
      authenticator, notes, users: this.users,
    });
    this.secondFactors = new SecondFactors({
      store, clock, config, seal, codes, authenticator, onNotice: tell,
    });
    this.loginFlows = new LoginFlows(store, clock, config, notes);
    this.#setup = new Setup(store, clock, config, this.users);
  }

  /** Forgets what expired while nothing ran. @throws invalid: the hash cost is out of range. */
  static async open(parts: IdentityParts): Promise<Identity> {
    const identity = new Identity(parts);
    await parts.store.sweep(parts.clock.now());
    return identity;
  }

  /**
   * Verifies a login name (letters of either case) with a password or an app password.
   *
   * Answers at once, without a promise, for credentials that were verified a moment ago and whose
   * user did not change since, in whichever process.
   * The own password of a user with a second factor does not suffice: `app-password-required`.
   * @throws unauthenticated: one message for unknown, wrong, disabled; busy: too many failures, or
   * too many sign-ins at once, with facts.retryAfterMs. May throw instead of rejecting.
   */
  authenticateBasic(credentials: BasicCredentials): Caller | Promise<Caller> {
    return this.#authenticator.basic(credentials);
  }

  /** As `authenticateBasic`, by the text that shows the credentials, such as a request's header:
   *  it is read only when the very same text was not verified a moment ago. */
  authenticateShown(text: string, read: () => BasicCredentials): Caller | Promise<Caller> {
    return this.#authenticator.shownBasic(text, read);
  }

  /** Verifies the token of a session; otherwise as `authenticateBasic`, and never throttled: a
   *  token cannot be guessed. @throws unauthenticated: ended, expired or never begun. */
  authenticateSession(token: string): Caller | Promise<Caller> {
    return this.#authenticator.session(token);
  }

  /** Verifies an API token; otherwise as `authenticateSession`. What it may be used for is in the
   *  caller's `scopes`. @throws unauthenticated: revoked, expired or never made. */
  authenticateToken(token: string): Caller | Promise<Caller> {
    if (!isPossibleToken(token)) throw tokenOver('identity/authenticateToken');
    return this.#authenticator.apiToken(token);
  }

  /** Makes the link for the first administrator, good for 24 hours, and voids an earlier one.
   *  Undefined, with nothing made, once an enabled administrator has a password. */
  async createSetupLink(): Promise<SetupLink | undefined> {
    return this.#setup.createLink();
  }

  /** For the page behind the link. */
  async isSetupLinkUsable(token: string): Promise<boolean> {
    return this.#setup.isUsable(token);
  }

  /** Makes the first administrator and uses the link up, both or neither; of two at once, one
   *  succeeds. @throws denied: the link is over; invalid, exists, busy: the link stays usable. */
  async useSetupLink(token: string, wanted: FirstAdministrator): Promise<Caller> {
    return this.#setup.useLink(token, wanted);
  }

  /** Seals what others carry and bring back, so that nothing has to be kept here: every server of
   *  an installation opens what another one has sealed, for the same purpose. It has a key of its
   *  own, made from the sealing key (HKDF, RFC 5869). */
  sealFor(purpose: string): SecretSeal {
    return new SecretSeal(this.#keyFor(purpose));
  }

  #keyFor(purpose: string): Uint8Array {
    const context = `holdfast seal 1 ${purpose}`;
    return new Uint8Array(hkdfSync('sha256', this.#sealingKey, '', context, SEALING_KEY_BYTES));
  }

  /** Writes what waits to be written and closes the store. Calm when called twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#usedNotes.write();
      await this.#failures?.close();
    } finally {
      await this.#store.close();
    }
  }
}
