import { systemClock } from '../../../platform/index.ts';
import type { Clock } from '../../../platform/index.ts';
import { explainedFault } from '../../../platform/mariadb/index.ts';
import type { ChangeMarks, ServerAddress } from '../../../platform/mariadb/index.ts';
import { SqlIdentityStore } from '../sql/sql-identity-store.ts';
import { MariadbIdentityDatabase, WORDS } from './mariadb-identity-database.ts';
import { ensureIdentityTables } from './open-identity-tables.ts';

const SEALING_CHECK = 'sealing_key_check';

export interface MariadbIdentityOptions {
  address: ServerAddress;
  /** Whether the tables may be made: when others of the installation are there already, missing
   *  ones were lost. */
  create: boolean;
  clock?: Clock;
  /** How old a change mark may be: what another process has changed may be seen that late. 0, when
   *  left out: each is asked for. */
  markAgeMs?: number;
  /** Asks for the change mark together with that of the metadata, which has to be in the same
   *  database; closed by whoever has made it. */
  marks?: ChangeMarks | undefined;
}

/** Users in one database on a MariaDB server, which several servers may have open at once. */
export class MariadbIdentityStore extends SqlIdentityStore {
  readonly #database: MariadbIdentityDatabase;

  private constructor(database: MariadbIdentityDatabase) {
    super(database);
    this.#database = database;
  }

  /** @throws not-found `identity-missing`: the tables are not there, and may not be made; invalid:
   *  the server is not safe, the database belongs to another program, or was written by a newer
   *  version; unavailable. */
  static async open(
    { address, create, clock = systemClock, markAgeMs = 0, marks }: MariadbIdentityOptions,
  ): Promise<MariadbIdentityStore> {
    try {
      await ensureIdentityTables(address, create);
    } catch (error) {
      throw explainedFault(error, WORDS);
    }
    return new MariadbIdentityStore(
      new MariadbIdentityDatabase({ address, clock, markAgeMs, marks }));
  }

  /** The check value of the key that secrets are sealed with, once there is one. */
  async findSealingCheck(): Promise<string | undefined> {
    return this.#database.findFact(SEALING_CHECK);
  }

  /** Answers the one that counts: the first that was kept. Durable once resolved. */
  async keepSealingCheck(check: string): Promise<string> {
    return this.#database.keepFact(SEALING_CHECK, check);
  }

  /** Round trips to the server so far. */
  get questionCount(): number {
    return this.#database.questionCount;
  }
}
