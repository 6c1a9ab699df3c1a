/** Empty pairs of stores for one test after the other. Making tables takes longer than most tests:
 *  so they stay, and are emptied. */
import { Session } from '../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../platform/mariadb/index.ts';
import type { ScratchServer } from '../../../../platform/mariadb/testing/index.ts';
import type { StorePair } from '../../../identity-store.conformance.ts';
import { FIRST_ROWS, IDENTITY_TABLES } from '../identity-schema.ts';
import { MariadbIdentityStore } from '../mariadb-identity-store.ts';

const KEPT: ReadonlySet<string> = new Set(['identity_meta', 'identity_turn', 'identity_writer']);

export class LentIdentityStores {
  readonly address: ServerAddress;
  readonly #sweeper: Session;

  private constructor(address: ServerAddress, sweeper: Session) {
    this.address = address;
    this.#sweeper = sweeper;
  }

  static async on(server: ScratchServer): Promise<LentIdentityStores> {
    const address = await server.makeDatabase();
    await (await MariadbIdentityStore.open({ address, create: true })).close();
    return new LentIdentityStores(address, await Session.open(address, 'schema'));
  }

  async lendEmpty(): Promise<StorePair> {
    for (const table of Object.keys(IDENTITY_TABLES)) {
      if (!KEPT.has(table)) await this.#sweeper.run(`DELETE FROM ${table}`);
    }
    for (const text of FIRST_ROWS) await this.#sweeper.run(text);
    await this.#sweeper.run('UPDATE identity_turn SET turn = turn + 1');
    await this.#sweeper.run('COMMIT');
    const options = { address: this.address, create: false };
    return {
      store: await MariadbIdentityStore.open(options),
      other: await MariadbIdentityStore.open(options),
    };
  }

  async stop(): Promise<void> {
    await this.#sweeper.end();
  }
}
