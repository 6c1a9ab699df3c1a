/** Tells of each app password, session and API token that is made or ended. */
import type { SignInNotice } from './authenticator.ts';
import type { IdentityStore } from './identity-store.ts';
import type { TokenKind, TokenRecord } from './records.ts';

type Act = 'app-password-made' | 'app-password-removed' | 'session-ended' | 'api-token-made'
  | 'api-token-removed';

const ENDED: Readonly<Record<TokenKind, Act>> = {
  'app-password': 'app-password-removed', 'session': 'session-ended',
  'api-token': 'api-token-removed',
};

export class AccessNotes {
  readonly #store: IdentityStore;
  readonly #onNotice: (notice: SignInNotice) => void;

  constructor(store: IdentityStore, onNotice: (notice: SignInNotice) => void) {
    this.#store = store;
    this.#onNotice = onNotice;
  }

  async tell(act: Act, { user, device }: Pick<TokenRecord, 'user' | 'device'>): Promise<void> {
    const tenant = (await this.#store.findUser(user))?.tenant;
    this.#onNotice({ act, user, tenant, device, address: undefined });
  }

  /** Ends one of a user's, and tells of it. False: there is none. */
  async revoke({ user, kind, id }: Pick<TokenRecord, 'user' | 'kind' | 'id'>): Promise<boolean> {
    const found = (await this.#store.listTokens(user, kind)).find((token) => token.id === id);
    if (found === undefined || !await this.#store.deleteToken(user, kind, id)) return false;
    await this.tell(ENDED[kind], found);
    return true;
  }
}
