import { HoldfastError } from '../base/errors.ts';
import type { UserId } from '../base/ids.ts';
import type { Clock } from '../platform/index.ts';
import { hashAppPassword } from './app-passwords.ts';
import type { Caller } from './caller.ts';
import type { AccessNotes } from './access-notes.ts';
import type { IdentityConfig } from './config.ts';
import type { IdentityStore } from './identity-store.ts';
import { deviceName } from './labels.ts';
import { hashSecret, makeAppPassword, makeId, makeToken } from './secrets.ts';

export interface LoginFlow {
  /** The device asks with this whether it was granted. */
  readonly pollToken: string;
  /** Part of the address that the person opens in a browser. It grants nothing by itself. */
  readonly flowToken: string;
}

export interface GrantedLogin {
  readonly user: UserId;
  readonly appPassword: string;
}

/**
 * Login flow v2 of Nextcloud clients: a device begins, a signed-in person grants, the device polls.
 *
 * The app password is made when the device comes to fetch it, in the transaction that uses the flow
 * up. So no readable secret ever lies in the store, and a grant that nobody fetches leaves nothing.
 * Flows survive a restart. Errors besides those listed: as IdentityStore.
 */
export class LoginFlows {
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

  /** Anybody may begin: with too many under way, the oldest are forgotten. */
  async begin(userAgent: string): Promise<LoginFlow> {
    const pollToken = makeToken();
    const flowToken = makeToken();
    const createdAt = this.#clock.now();
    await this.#store.addFlow({
      pollHash: hashSecret(pollToken),
      flowHash: hashSecret(flowToken),
      device: deviceName(userAgent),
      user: undefined,
      createdAt,
      expiresAt: createdAt + this.#config.flowMs,
    }, this.#config.flowCountMax);
    return { pollToken, flowToken };
  }

  /** The device that waits, for the person to recognise; undefined when it is over or granted. */
  async find(flowToken: string): Promise<{ device: string } | undefined> {
    const flow = await this.#store.findFlow(hashSecret(flowToken), this.#clock.now());
    return flow === undefined || flow.user !== undefined ? undefined : { device: flow.device };
  }

  /** Lets the device in as the caller. @throws not-found: over, or granted already; denied: the
   *  caller is itself a device with an app password. */
  async grant(flowToken: string, caller: Caller): Promise<void> {
    const op = 'identity/LoginFlows.grant';
    if (caller.credential === 'app-password' || caller.credential === 'api-token') {
      // Else a stolen device could make itself further passwords that outlive its own.
      const message = 'Sign in with your own password to connect another device.';
      throw new HoldfastError('denied', op, message, { code: 'app-password' });
    }
    const at = this.#clock.now();
    if (await this.#store.grantFlow(hashSecret(flowToken), caller.user, at)) return;
    const message = 'This request is over. Start again on the device.';
    throw new HoldfastError('not-found', op, message, { code: 'flow-over' });
  }

  /** Answers once after the grant; undefined before, and ever after. @throws too-large: the user
   *  has too many app passwords; the grant stays. */
  async poll(pollToken: string): Promise<GrantedLogin | undefined> {
    const appPassword = makeAppPassword();
    const draft = {
      hash: hashAppPassword(appPassword),
      id: makeId(),
      countMax: this.#config.appPasswordsPerUserMax,
    };
    const token = await this.#store.takeFlow(hashSecret(pollToken), this.#clock.now(), draft);
    if (token !== undefined) await this.#notes.tell('app-password-made', token);
    return token && { user: token.user, appPassword };
  }
}
