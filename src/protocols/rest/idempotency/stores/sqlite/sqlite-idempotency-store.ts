import Database from 'better-sqlite3';
import { chmodSync, existsSync } from 'node:fs';
import { HoldfastError } from '../../../../../base/errors.ts';
import { prepareTexts, sqliteText } from '../../../../../platform/index.ts';
import type { PreparedTexts } from '../../../../../platform/index.ts';
import { KEY_TTL_MS, KEYS_PER_USER_MAX } from '../../idempotency-store.ts';
import type {
  IdempotencyStore, KeptAnswer, KeyedRequest, KeyState,
} from '../../idempotency-store.ts';

/** `HFap`. */
const APPLICATION_ID = 0x48466170;
const FORMAT = 1;
const BUSY_TIMEOUT_MS = 2000;
const SYNCHRONOUS_FULL = 2;
/** Keys that one beginning sweeps at most: it is done on the way, and must stay short. */
const SWEPT_MAX = 100;

/** docs/formats/api.md */
const SCHEMA = `
  CREATE TABLE keyed_request (
    user TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('begun', 'unknown', 'done')),
    status INTEGER,
    headers TEXT,
    body TEXT,
    is_whole INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (user, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX keyed_request_by_age ON keyed_request (begun_at);
  CREATE INDEX keyed_request_by_user ON keyed_request (user, begun_at);
`;

/** Came later than format 1, which stayed: whoever knows nothing of it loses nothing by it. Without
 *  it a start reads all answers of a day. */
const INDEX_OF_BEGUN = `CREATE INDEX IF NOT EXISTS keyed_request_begun ON keyed_request (state)
  WHERE state = 'begun'`;

interface Row {
  fingerprint: string;
  state: 'begun' | 'unknown' | 'done';
  status: number | null;
  headers: string | null;
  body: string | null;
  is_whole: number;
}

/** Requests that were under way at once when a process ended. */
const LEFT_MAX = 100_000;

/** What MariaDB runs in its own words: ../mariadb/keyed-request-schema.ts. */
export const KEYED_REQUEST_TEXTS = {
  loseAll: sqliteText<[]>(
    "UPDATE keyed_request SET state = 'unknown' WHERE state = 'begun'", { rowsMax: LEFT_MAX },
  ),
  sweepKeys: sqliteText<[number]>(`DELETE FROM keyed_request WHERE (user, key) IN (
    SELECT user, key FROM keyed_request WHERE begun_at <= ? LIMIT ${SWEPT_MAX})`,
  { rowsMax: SWEPT_MAX }),
  findKey: sqliteText<[string, string, number], Row>(`
    SELECT fingerprint, state, status, headers, body, is_whole FROM keyed_request
    WHERE user = ? AND key = ? AND begun_at > ?`),
  beginKey: sqliteText<[string, string, string, number]>(`INSERT OR REPLACE INTO keyed_request
    (user, key, fingerprint, begun_at, state) VALUES (?, ?, ?, ?, 'begun')`),
  trimKeys: sqliteText<[string]>(`DELETE FROM keyed_request WHERE (user, key) IN (
    SELECT user, key FROM keyed_request WHERE user = ?
    ORDER BY begun_at DESC LIMIT ${SWEPT_MAX} OFFSET ${KEYS_PER_USER_MAX})`,
  { rowsMax: SWEPT_MAX }),
  finishKey: sqliteText<[number, string, string | null, number, string, string]>(`
    UPDATE keyed_request SET state = 'done', status = ?, headers = ?, body = ?, is_whole = ?
    WHERE user = ? AND key = ?`),
  loseKey: sqliteText<[string, string]>(
    "UPDATE keyed_request SET state = 'unknown' WHERE user = ? AND key = ?",
  ),
  forgetKey: sqliteText<[string, string]>(
    'DELETE FROM keyed_request WHERE user = ? AND key = ?',
  ),
};

type KeyedRequestSql = PreparedTexts<typeof KEYED_REQUEST_TEXTS>;

/**
 * Keyed requests in one SQLite file. Statements run on the calling thread: a write is one fsync,
 * and only requests with a key cost two of them.
 */
export class SqliteIdempotencyStore implements IdempotencyStore {
  readonly #database: Database.Database;
  readonly #sql: KeyedRequestSql;

  private constructor(database: Database.Database) {
    this.#database = database;
    this.#sql = prepareTexts(database, 'keyed-requests', KEYED_REQUEST_TEXTS);
  }

  /** Opens the file, or makes it: it holds nothing that cannot be done without. What was under way
   *  when the last process ended counts as unknown.
   *  @throws corrupt: damaged, or not ours; invalid: of a newer format; unavailable. */
  static async open({ file }: { file: string }): Promise<SqliteIdempotencyStore> {
    return explained('open', () => {
      const isNew = !existsSync(file);
      const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
      try {
        if (isNew) chmodSync(file, 0o600); // Answers hold names of files.
        prepare(database);
        database.exec(INDEX_OF_BEGUN);
        const store = new SqliteIdempotencyStore(database);
        store.#sql.loseAll.run();
        return store;
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  async begin({ user, key, fingerprint }: KeyedRequest, at: number): Promise<KeyState> {
    return this.#write('begin', (sql): KeyState => {
      const over = at - KEY_TTL_MS;
      sql.sweepKeys.run(over);
      const found = sql.findKey.get(user, key, over);
      if (found !== undefined) return stateOf(found, fingerprint);
      sql.beginKey.run(user, key, fingerprint, at);
      sql.trimKeys.run(user);
      return { kind: 'begun' };
    });
  }

  async finish({ user, key }: KeyedRequest, answer: KeptAnswer): Promise<void> {
    const { status, headers, body, isWhole } = answer;
    this.#write('finish', (sql) => sql.finishKey.run(
      status, JSON.stringify(headers), body ?? null, isWhole ? 1 : 0, user, key));
  }

  async lose({ user, key }: KeyedRequest): Promise<void> {
    this.#write('lose', (sql) => sql.loseKey.run(user, key));
  }

  async forget({ user, key }: KeyedRequest): Promise<void> {
    this.#write('forget', (sql) => sql.forgetKey.run(user, key));
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #write<T>(op: string, act: (sql: KeyedRequestSql) => T): T {
    const database = this.#database;
    if (!database.open) {
      throw new HoldfastError('unavailable', opOf(op), 'The store of keyed requests is closed.');
    }
    return explained(op, () => database.transaction(() => act(this.#sql)).immediate());
  }
}

function prepare(database: Database.Database): void {
  const number = (name: string): number => Number(database.pragma(name, { simple: true }));
  const isEmpty = number('schema_version') === 0;
  if (!isEmpty && number('application_id') !== APPLICATION_ID) throw damaged();
  const format = number('user_version');
  if (format > FORMAT) {
    const message = 'api.db was written by a newer version. Start that version.';
    throw new HoldfastError('invalid', opOf('open'), message, {
      code: 'format-newer', facts: { format },
    });
  }
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  if (number('synchronous') !== SYNCHRONOUS_FULL) {
    const message = 'api.db cannot be kept safely on this disk. Use a local disk.';
    throw new HoldfastError('unavailable', opOf('open'), message);
  }
  if (!isEmpty) {
    if (database.pragma('quick_check(1)', { simple: true }) !== 'ok') throw damaged();
    return;
  }
  database.transaction(() => {
    database.exec(SCHEMA);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${FORMAT}`);
  }).immediate();
}

function stateOf(row: Row, fingerprint: string): KeyState {
  if (row.fingerprint !== fingerprint) return { kind: 'other' };
  if (row.state === 'begun') return { kind: 'busy' };
  if (row.state === 'unknown' || row.status === null) return { kind: 'unknown' };
  const answer: KeptAnswer = {
    status: row.status, headers: JSON.parse(row.headers ?? '{}') as Record<string, string>,
    body: row.body ?? undefined, isWhole: row.is_whole === 1,
  };
  return { kind: 'done', answer };
}

function opOf(op: string): string {
  return `rest/SqliteIdempotencyStore.${op}`;
}

function damaged(cause?: unknown): HoldfastError {
  const message = 'api.db is damaged, or not one of Holdfast. It holds only which requests of the '
    + 'last day were answered how: put it aside and start again.';
  return new HoldfastError('corrupt', opOf('open'), message, { code: 'database-damaged', cause });
}

function explained<T>(op: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) throw damaged(error);
    const kind = /^SQLITE_(BUSY|LOCKED)/.test(code) ? 'busy'
      : /^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code) ? 'full' : 'unavailable';
    const message = 'What requests were answered cannot be noted in api.db. Look at its disk.';
    throw new HoldfastError(kind, opOf(op), message, { cause: error, facts: { code } });
  }
}
