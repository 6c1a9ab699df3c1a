/** A connection to one SQLite file, flushed to the disk with each transaction. Statements run on
 *  the calling thread. */
import Database from 'better-sqlite3';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { systemClock } from '../../../platform/index.ts';
import type { SqlValue } from '../../row-upgrades.ts';
import type { SqlSession } from '../sql/sql-session.ts';

/** While it opens, SQLite waits by itself and nothing else is done in this process meanwhile. */
const OPEN_TIMEOUT_MS = 2_000;
/** From then on we wait for other writers, and others can go on: also those of this process. */
const TURN_LOOK_MS = 10;
const TURN_LOOKS_MAX = 1_000;
const OP = 'schema/SqliteSchemaTarget';

export class SqliteSession implements SqlSession {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** The file must be there, unless it may be made. @throws unavailable; busy; corrupt. */
  static async open(
    file: string, { create, readonly = false }: { create: boolean; readonly?: boolean },
  ): Promise<SqliteSession> {
    return explained(async () => {
      const database = new Database(file, {
        fileMustExist: !create, readonly, timeout: OPEN_TIMEOUT_MS,
      });
      try {
        if (!readonly) database.pragma('journal_mode = WAL');
        database.pragma('synchronous = FULL');
        database.pragma('busy_timeout = 0');
        return new SqliteSession(database);
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  /** At once. @throws the driver's error. */
  read(text: string, values: readonly SqlValue[] = []): unknown[][] {
    return this.#database.prepare(text).raw().all(...values) as unknown[][];
  }

  query(text: string, values: readonly SqlValue[] = []): Promise<unknown[][]> {
    return explained(async () => this.read(text, values));
  }

  change(text: string, values: readonly SqlValue[] = []): Promise<number> {
    return explained(async () => this.#database.prepare(text).run(...values).changes);
  }

  alter(text: string): Promise<void> {
    return explained(async () => {
      this.#database.prepare(text).run(); // `prepare` refuses what is more than one statement.
    });
  }

  async atomically<T>(act: () => Promise<T>): Promise<T> {
    await this.#begin();
    try {
      const result = await act();
      await explained(async () => this.#database.exec('COMMIT'));
      return result;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  async #begin(): Promise<void> {
    for (let looks = 1; ; looks += 1) {
      try {
        return await explained(async () => {
          this.#database.exec('BEGIN IMMEDIATE');
        });
      } catch (error) {
        if (!isKind(error, 'busy') || looks > TURN_LOOKS_MAX) throw error;
        await new Promise<void>((resolve) => {
          systemClock.after(TURN_LOOK_MS, resolve);
        });
      }
    }
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}

async function explained<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause;
    throw toFault(cause);
  }
}

function toFault(cause: InstanceType<typeof Database.SqliteError>): HoldfastError {
  const options = { cause, facts: { code: cause.code } };
  if (/^SQLITE_(BUSY|LOCKED)/.test(cause.code)) {
    return new HoldfastError('busy', OP, 'Others are writing into this shard. Try again.', options);
  }
  if (/^SQLITE_FULL/.test(cause.code)) {
    return new HoldfastError('full', OP, 'The disk of this shard is full. Make room.', options);
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(cause.code)) {
    const message = 'The file of this shard is damaged. Restore it from a backup.';
    return new HoldfastError('corrupt', OP, message, options);
  }
  if (/^SQLITE_(CANTOPEN|IOERR|PERM|READONLY)/.test(cause.code)) {
    const message = 'The file of this shard cannot be used. Look at its disk and rights.';
    return new HoldfastError('unavailable', OP, message, options);
  }
  const message = `The shard refuses this statement: ${cause.message}`;
  return new HoldfastError('invalid', OP, message, options);
}
