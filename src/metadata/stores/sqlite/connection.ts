/** Opens connections to the metadata database, with the settings that its durability rests on. */
import Database from 'better-sqlite3';
import { assert } from '../../../base/assert.ts';
import { SqlRefusal } from '../../../platform/index.ts';

export type Connection = Database.Database;

export interface ConnectionOptions {
  readonly: boolean;
  /** Page cache of this connection. */
  cacheKib: number;
}

const BUSY_TIMEOUT_MS = 5_000;

/**
 * SQLite flushes a commit to the disk only with `synchronous=FULL`, and in WAL mode a library may
 * have been built to open with less. So it is set on every connection, and read back.
 * @throws InvariantError: a setting did not take.
 */
export function checkDurable(connection: Connection): void {
  const synchronous = connection.pragma('synchronous', { simple: true });
  assert(synchronous === 2, 'the metadata database is open with synchronous=FULL');
  const journal = connection.pragma('journal_mode', { simple: true });
  assert(journal === 'wal', 'the metadata database is in WAL mode');
}

/** A connection to a database that exists, in WAL mode. Memory-mapped reading stays off: a bad
 *  sector would kill the process instead of giving an error, and memory would have no bound. */
export function openConnection(file: string, options: ConnectionOptions): Connection {
  const { readonly, cacheKib } = options;
  const connection = new Database(file, {
    readonly, fileMustExist: true, timeout: BUSY_TIMEOUT_MS,
  });
  try {
    if (!readonly) connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = OFF');
    connection.pragma('mmap_size = 0');
    connection.pragma(`cache_size = -${cacheKib}`);
    connection.pragma('temp_store = MEMORY');
    if (readonly) connection.pragma('query_only = ON');
    else {
      // Checkpoints run after the callers were answered (see writer.ts), never inside a commit; the
      // WAL keeps its size, because writing over a file is faster than growing it.
      connection.pragma('wal_autocheckpoint = 0');
      connection.pragma('journal_size_limit = -1');
    }
    checkDurable(connection);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

const COMMENTS = /^(?:\s|--[^\n]*\n|\/\*[^]*?\*\/)+/;
const OF_SCHEMA = /^(?:CREATE|ALTER|DROP|REINDEX|ATTACH|DETACH|VACUUM)\b/i;
/** While a tenant moves, its changes are noted by triggers: see ../rows/capture-sql.ts. */
const OF_MOVES = /^(?:CREATE TRIGGER IF NOT EXISTS|DROP TRIGGER IF EXISTS) mov(?:e|ing)_/;

/** From now on nothing that changes tables is prepared on the connection. SQLite itself could be
 *  told so by an authorizer, which its driver does not offer. */
export function sealSchema(connection: Connection): void {
  const refuse = (): never => {
    throw new SqlRefusal('schema', 'tables are changed before the database is opened, not after');
  };
  const prepare = connection.prepare.bind(connection) as (sql: string) => Database.Statement;
  const sealed = (sql: string): Database.Statement => {
    const text = sql.replace(COMMENTS, '');
    return OF_SCHEMA.test(text) && !OF_MOVES.test(text) ? refuse() : prepare(sql);
  };
  Object.assign(connection, { prepare: sealed, exec: refuse });
}
