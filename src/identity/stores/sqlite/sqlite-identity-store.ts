import { SqlIdentityStore } from '../sql/sql-identity-store.ts';
import { openIdentityDatabase, type IdentityFile } from './open-identity-database.ts';
import { SqliteIdentityDatabase } from './sqlite-identity-database.ts';

/** Users in one SQLite file, which the server and the command line may have open at once. */
export class SqliteIdentityStore extends SqlIdentityStore {
  readonly #database: SqliteIdentityDatabase;

  private constructor(database: SqliteIdentityDatabase) {
    super(database);
    this.#database = database;
  }

  /** Opens the file, or makes it when there is none and `create` is set. Its folder must be there.
   *  @throws corrupt: missing, damaged, or not ours; invalid: a newer format; busy; full;
   *  unavailable. A file that is refused stays as it was. */
  static async open(where: IdentityFile): Promise<SqliteIdentityStore> {
    const database = openIdentityDatabase(where);
    try {
      return new SqliteIdentityStore(new SqliteIdentityDatabase(database));
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** At once, without a promise: it is asked once per request. */
  override changeMark(): number {
    return this.#database.changeMark();
  }
}
