/**
 * Opens DATA/identity.db, or makes it when there is none.
 *
 * A new database is made under another name and appears under its own only when it is complete and
 * on disk. So a file that is there but empty or cut short was damaged, and is refused: were it
 * taken for a new one, the next visitor could make themself administrator. What is there is first
 * looked at read-only, so that a file we do not understand stays exactly as it was.
 */
import Database from 'better-sqlite3';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { HoldfastError } from '../../../base/errors.ts';
import { failpoint, readSqliteHeader } from '../../../platform/index.ts';
import {
  IDENTITY_APPLICATION_ID, IDENTITY_FORMAT, IDENTITY_INDEXES, IDENTITY_SCHEMA, IDENTITY_STEPS,
} from './identity-schema.ts';

/** How long a statement waits, blocking, for another process's transaction (some milliseconds). */
const BUSY_TIMEOUT_MS = 2000;
/** What `PRAGMA synchronous` answers for FULL. */
const SYNCHRONOUS_FULL = 2;
const OP = 'identity/SqliteIdentityStore.open';

/** Where the database is, and whether it may be made: when others of the data directory are there
 *  already, a missing one was lost. */
export interface IdentityFile {
  file: string;
  create: boolean;
}

/** @throws corrupt: missing, damaged, or not ours; invalid: of a newer format; unavailable: cannot
 *  be read or written. */
export function openIdentityDatabase(where: IdentityFile): Database.Database {
  const path = where.file;
  return explainSqlite(OP, () => {
    if (!existsSync(path)) {
      if (!where.create) throw damaged('The user database is missing. Restore it from a backup.');
      create(path);
    }
    inspect(path);
    const database = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      makeDurable(database);
      migrate(database);
      database.exec(IDENTITY_INDEXES); // Where they are not there, each by itself.
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Runs `act` and puts what SQLite or the file system throws into our words. */
export function explainSqlite<T>(op: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw translate(op, error);
  }
}

function create(path: string): void {
  if (hasLog(path)) {
    throw damaged('The user database is missing, but its log is there. Restore it from a backup.');
  }
  const draft = `${path}.new-${process.pid}`;
  for (const leftover of [draft, `${draft}-wal`, `${draft}-shm`]) rmSync(leftover, { force: true });
  // Only the server's own account may read password hashes; SQLite gives its log the same mode.
  closeSync(openSync(draft, 'wx', 0o600));
  try {
    const database = new Database(draft, { fileMustExist: true });
    try {
      makeDurable(database);
      database.transaction(() => {
        database.exec(IDENTITY_SCHEMA);
        database.pragma(`application_id = ${IDENTITY_APPLICATION_ID}`);
        database.pragma(`user_version = ${IDENTITY_FORMAT}`);
      })();
    } finally {
      database.close();
    }
    syncPath(draft);
    publish(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
  syncPath(dirname(path)); // Else the new name may be lost in a power cut.
}

/** Another process may have been quicker: then its file stays and ours goes. */
function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function inspect(path: string): void {
  if (statSync(path).size === 0) throw damaged('The user database is empty. Restore a backup.');
  const header = readSqliteHeader(path);
  if (header?.applicationId !== IDENTITY_APPLICATION_ID) {
    throw damaged('The user database is not one of Holdfast. Put the right file in its place.');
  }
  checkFormat(header.userVersion);
  if (header.isCut) throw damaged('The user database was cut off. Restore it from a backup.');
  const database = new Database(path, {
    fileMustExist: true, readonly: true, timeout: BUSY_TIMEOUT_MS,
  });
  try {
    const number = (name: string) => Number(database.pragma(name, { simple: true }));
    const format = number('user_version'); // The log may hold a newer one than the header.
    checkFormat(format);
    // SQLite reads a last page that is cut short as if zeros followed. It may be cut while a log
    // holds the whole page, so this counts only without one.
    const isCut = !hasLog(path) && statSync(path).size % number('page_size') !== 0;
    if (isCut || format < 1 || database.pragma('quick_check(1)', { simple: true }) !== 'ok') {
      throw damaged('The user database is damaged. Restore it from a backup.');
    }
  } finally {
    database.close();
  }
}

/** In one transaction, and only by one of two processes that come at once. */
function migrate(database: Database.Database): void {
  const format = (): number => Number(database.pragma('user_version', { simple: true }));
  if (format() === IDENTITY_FORMAT) return;
  database.transaction(() => {
    for (const step of IDENTITY_STEPS.slice(format() - 1)) database.exec(step);
    database.pragma(`user_version = ${IDENTITY_FORMAT}`);
    failpoint('identity.before-migrated');
  }).immediate();
}

function checkFormat(format: number): void {
  if (format <= IDENTITY_FORMAT) return;
  const message = 'The user database was written by a newer version. Start that version.';
  throw new HoldfastError('invalid', OP, message, { code: 'format-newer', facts: { format } });
}

/** An empty log may be left by whoever only looked. */
function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function makeDurable(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  // A re-opened WAL database comes up with NORMAL in this build, so it is read back.
  const mode = database.pragma('journal_mode', { simple: true });
  const level = database.pragma('synchronous', { simple: true });
  if (mode === 'wal' && level === SYNCHRONOUS_FULL) return;
  const message = 'The user database cannot be kept safely on this disk. Use a local disk.';
  throw new HoldfastError('unavailable', OP, message, { facts: { level: Number(level) } });
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function damaged(message: string): HoldfastError {
  return new HoldfastError('corrupt', OP, message, { code: 'database-damaged' });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function translate(op: string, cause: unknown): HoldfastError {
  const code = codeOf(cause);
  const options = { cause, facts: { code: code === '' ? 'none' : code } };
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new HoldfastError('busy', op, 'The user database is in use. Try again.', options);
  }
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) {
    return new HoldfastError('full', op, 'The disk of the user database is full.', options);
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    const message = 'The user database is damaged. Restore it from a backup.';
    return new HoldfastError('corrupt', op, message, options);
  }
  if (/^(SQLITE_(IOERR|READONLY|CANTOPEN|PERM|NOMEM)|E[A-Z]+$)/.test(code)) {
    const message = 'The user database cannot be reached. Look at its disk and its rights.';
    return new HoldfastError('unavailable', op, message, options);
  }
  return new HoldfastError('internal', op, 'The user database failed.', options);
}
