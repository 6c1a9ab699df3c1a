/** Which tenants have a block home, in the directory database: docs/formats/block-homes.md. Loaded
 *  only where there is such a database. */
import { HoldfastError } from '../../../../base/errors.ts';
import type { TenantId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import {
  OneSession, Session, explainedFault, keysOf, makeMissingTables, namedTable,
} from '../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../platform/mariadb/index.ts';
import type { HomeEntry, HomeTable } from '../../home-table.ts';

const WORDS = { op: 'storage/MariadbHomeTable', database: 'directory database' };
/** Two who add at once may want the same number. */
const TRIES_MAX = 5;

export const HOME_TABLES: Readonly<Record<string, string>> = {
  block_home: `tenant VARCHAR(255) NOT NULL, number BIGINT NOT NULL, policy VARCHAR(255) NOT NULL,
    founded SMALLINT NOT NULL, PRIMARY KEY (tenant), UNIQUE KEY home_by_number (number)`,
};

const SQL = namedTable({
  listHomes: 'SELECT tenant, number, policy, founded FROM block_home ORDER BY number',
  addHome: `INSERT IGNORE INTO block_home (tenant, number, policy, founded)
    SELECT @tenant, COALESCE(MAX(number), 0) + 1, @policy, 0 FROM block_home`,
  takeHome: `INSERT IGNORE INTO block_home (tenant, number, policy, founded)
    VALUES (@tenant, @number, @policy, @founded)`,
  noteHomeFounded: 'UPDATE block_home SET founded = 1 WHERE tenant = ?',
}, {
  owner: 'homes', tables: keysOf(HOME_TABLES), rows: { addHome: 1 },
  withoutKey: { addHome: 'the one row that it is given, or none' },
});

export class MariadbHomeTable implements HomeTable {
  readonly #session: OneSession;

  private constructor(session: OneSession) {
    this.#session = session;
  }

  /** Makes its table where it is missing. @throws unavailable. */
  static async open(address: ServerAddress, clock: Clock): Promise<MariadbHomeTable> {
    try {
      const session = await Session.open(address, 'schema');
      await makeMissingTables(session, HOME_TABLES).finally(() => session.end());
    } catch (error) {
      throw explainedFault(error, WORDS);
    }
    return new MariadbHomeTable(new OneSession({ address, clock, words: WORDS, isKnown: true }));
  }

  read(): Promise<HomeEntry[]> {
    return this.#session.transact(async (ask) => {
      const rows = (await ask(SQL.listHomes)).rows as [string, number, string, number][];
      return rows.map(([tenant, number, policy, founded]) =>
        ({ tenant, number, policy, founded: founded === 1 }));
    });
  }

  async add(tenant: TenantId, policy: string): Promise<void> {
    for (let tried = 0; tried < TRIES_MAX; tried += 1) {
      await this.#session.transact((ask) => ask(SQL.addHome, { tenant, policy }));
      if ((await this.read()).some((home) => home.tenant === tenant)) return;
    }
    throw new HoldfastError('busy', WORDS.op, 'Storages are being made. Try again shortly.');
  }

  async take({ founded, ...entry }: HomeEntry): Promise<void> {
    const row = { ...entry, founded: founded ? 1 : 0 };
    await this.#session.transact((ask) => ask(SQL.takeHome, row));
  }

  async noteFounded(tenant: TenantId): Promise<void> {
    await this.#session.transact((ask) => ask(SQL.noteHomeFounded, tenant));
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
