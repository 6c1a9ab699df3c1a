/**
 * A ShardDirectory in one SQLite file of the data directory.
 *
 * The file is made with the first change: an installation that never had a second shard has none.
 * Its statements are so few and small that they run on the calling thread.
 */
import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.ts';
import type { SpaceId, TenantId } from '../../../../base/ids.ts';
import { prepareTexts, readSqliteHeader, sqliteText } from '../../../../platform/index.ts';
import type { PreparedTexts } from '../../../../platform/index.ts';
import { directoryClosed } from '../../directory-refusals.ts';
import { RuledDirectory } from '../../directory-rules.ts';
import type {
  DirectoryRows, DirectoryTables, DirectoryWrite, Ruling,
} from '../../directory-rules.ts';
import { FIRST_SHARD } from '../../shard-directory.ts';
import type { DirectoryView, ShardRecord, ShardState } from '../../shard-directory.ts';

/** `HFsd` */
const APPLICATION_ID = 0x48_46_73_64;
const FORMAT = 1;
const BUSY_TIMEOUT_MS = 2_000;
const OP = 'metadata/SqliteShardDirectory';

const SCHEMA = `
CREATE TABLE directory (rev INTEGER NOT NULL) STRICT;
INSERT INTO directory (rev) VALUES (0);
CREATE TABLE shard (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL UNIQUE, password_path TEXT, state TEXT NOT NULL,
  made_at INTEGER NOT NULL) STRICT;
CREATE TABLE tenant_place (tenant TEXT PRIMARY KEY, shard INTEGER NOT NULL,
  epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE moved_space (space_id INTEGER PRIMARY KEY, tenant TEXT NOT NULL) STRICT;
`;

type ShardRow = [number, string, string, string | null, ShardState, number];

/** What MariaDB runs in its own words: ../mariadb/directory-schema.ts. */
export const DIRECTORY_TEXTS = {
  directoryRev: sqliteText<[], number>('SELECT rev FROM directory', { rowAs: 'value' }),
  raiseDirectoryRev: sqliteText<[]>('UPDATE directory SET rev = rev + 1'),
  listShards: sqliteText<[], ShardRow>(
    'SELECT number, name, url, password_path, state, made_at FROM shard ORDER BY number',
    { rowAs: 'array' },
  ),
  listPlaces: sqliteText<[], [TenantId, number, number]>(
    'SELECT tenant, shard, epoch FROM tenant_place ORDER BY tenant', { rowAs: 'array' },
  ),
  listMovedSpaces: sqliteText<[], [SpaceId, TenantId]>(
    'SELECT space_id, tenant FROM moved_space ORDER BY space_id', { rowAs: 'array' },
  ),
  // Never in the place of another shard that has the same name.
  putShard: sqliteText<ShardRow>(`INSERT INTO shard (number, name, url, password_path, state,
    made_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET state = excluded.state`),
  putPlace: sqliteText<[TenantId, number, number]>(`INSERT INTO tenant_place (tenant, shard, epoch)
    VALUES (?, ?, ?) ON CONFLICT (tenant) DO UPDATE
    SET shard = excluded.shard, epoch = excluded.epoch`),
  putMovedSpace: sqliteText<[SpaceId, TenantId]>(`INSERT INTO moved_space (space_id, tenant)
    VALUES (?, ?) ON CONFLICT (space_id) DO UPDATE SET tenant = excluded.tenant`),
};

function prepare(database: Database.Database): PreparedTexts<typeof DIRECTORY_TEXTS> {
  return prepareTexts(database, 'directory', DIRECTORY_TEXTS);
}

interface Opened {
  database: Database.Database;
  sql: PreparedTexts<typeof DIRECTORY_TEXTS>;
}

class SqliteTables implements DirectoryTables {
  readonly #file: string;
  #opened: Opened | undefined;
  #isClosed = false;

  constructor(file: string) {
    this.#file = file;
  }

  /** undefined: nothing was ever changed. */
  #open({ create }: { create: boolean }): Opened | undefined {
    if (this.#isClosed) throw directoryClosed();
    if (this.#opened === undefined && (create || existsSync(this.#file))) {
      const database = openFile(this.#file);
      this.#opened = { database, sql: prepare(database) };
    }
    return this.#opened;
  }

  async readRev(): Promise<number> {
    return explained(() => Number(this.#open({ create: false })?.sql.directoryRev.get() ?? 0));
  }

  async read(): Promise<DirectoryView> {
    return explained(() => {
      const opened = this.#open({ create: false });
      if (opened === undefined) {
        return { rev: 0, shards: [FIRST_SHARD], places: [], movedSpaces: [] };
      }
      return opened.database.transaction(() => {
        const { sql } = opened;
        return {
          rev: Number(sql.directoryRev.get()), ...rowsOf(opened),
          movedSpaces: sql.listMovedSpaces.all()
            .map(([spaceId, tenant]) => ({ spaceId, tenant })),
        };
      })();
    });
  }

  async change<T>(rule: (rows: DirectoryRows) => Ruling<T>): Promise<T> {
    return explained(() => {
      const opened = this.#open({ create: true }) as Opened;
      return opened.database.transaction(() => {
        const { answer, write } = rule(rowsOf(opened));
        if (write !== undefined) writeRows(opened, write);
        return answer;
      }).immediate();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#opened?.database.close();
    this.#opened = undefined;
  }
}

function rowsOf({ sql }: Opened): DirectoryRows {
  const shards = sql.listShards.all().map(
    ([number, name, url, passwordPath, state, madeAt]): ShardRecord => ({
      number, name, url, passwordPath: passwordPath ?? undefined, state, madeAt,
    }));
  const places = sql.listPlaces.all()
    .map(([tenant, shard, epoch]) => ({ tenant, shard, epoch }));
  return { shards, places };
}

function writeRows({ sql }: Opened, { shard, place, moved }: DirectoryWrite): void {
  if (shard !== undefined) {
    const { number, name, url, passwordPath, state, madeAt } = shard;
    sql.putShard.run(number, name, url, passwordPath ?? null, state, madeAt);
  }
  if (place !== undefined) sql.putPlace.run(place.tenant, place.shard, place.epoch);
  if (moved !== undefined) {
    for (const spaceId of moved.spaces) sql.putMovedSpace.run(spaceId, moved.tenant);
  }
  sql.raiseDirectoryRev.run();
}

function openFile(file: string): Database.Database {
  const isNew = !existsSync(file);
  const header = isNew ? undefined : readSqliteHeader(file);
  if (!isNew && (header === undefined || header.isCut || header.applicationId !== APPLICATION_ID)) {
    throw new HoldfastError('corrupt', OP, 'The directory of shards is damaged. Restore it from a '
      + 'backup.', { code: 'directory-damaged' });
  }
  if (header !== undefined && header.userVersion > FORMAT) {
    throw new HoldfastError('invalid', OP, 'The directory of shards was written by a newer '
      + 'version. Start that version.', { code: 'format-newer' });
  }
  const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Without a log of its own: the file is whole at any moment, also for whoever copies it.
    database.pragma('journal_mode = DELETE');
    database.pragma('synchronous = FULL');
    if (isNew) makeTables(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Makes the file where it is missing: else it comes about with the first change. @throws corrupt,
 *  invalid: what is there is no directory of this version; unavailable. */
export function makeDirectoryFile(file: string): void {
  explained(() => openFile(file).close());
}

/** One transaction: a file whose making was cut short is empty, and was never answered for. */
function makeTables(database: Database.Database, file: string): void {
  database.transaction(() => {
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${FORMAT}`);
    database.exec(SCHEMA);
    const { number, name, url, state, madeAt } = FIRST_SHARD;
    prepare(database).putShard.run(number, name, url, null, state, madeAt);
  })();
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder); // Else the new name may be lost in a power cut.
  } finally {
    closeSync(folder);
  }
}

function explained<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const options = { cause, facts: { code } };
    if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
      const message = 'The directory of shards is in use. Try again.';
      throw new HoldfastError('busy', OP, message, options);
    }
    if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) {
      const message = 'The disk of the directory of shards is full.';
      throw new HoldfastError('full', OP, message, options);
    }
    const message = 'The directory of shards cannot be read or written. Look at its disk.';
    throw new HoldfastError('unavailable', OP, message, options);
  }
}

export class SqliteShardDirectory extends RuledDirectory {
  /** `file` need not be there; its folder must. */
  constructor({ file }: { file: string }) {
    super(new SqliteTables(file));
  }
}
