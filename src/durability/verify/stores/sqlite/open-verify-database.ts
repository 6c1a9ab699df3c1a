/**
 * Opens DATA/verify.db. It holds only what the verifiers noted: nothing in it is needed to serve
 * files. So a damaged one never keeps the server from starting: it is put aside, a new one begins,
 * and every coverage clock starts from nothing, which is the truth.
 *
 * Commits do not wait for the disk (`synchronous=NORMAL`): they happen on the thread that serves
 * users, and what a power cut takes away is checked again.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.ts';
import { readSqliteHeader } from '../../../../platform/index.ts';
import { VERIFY_APPLICATION_ID, VERIFY_FORMAT, VERIFY_SCHEMA } from './verify-schema.ts';

const OP = 'durability/SqliteVerifyStore.open';
const BUSY_TIMEOUT_MS = 5_000;

export interface OpenedVerifyDatabase {
  database: Database.Database;
  /** A damaged one was found and lies beside it now, under a name ending in `.damaged`. */
  wasDamaged: boolean;
}

/** For writing; makes it when it is not there. `:memory:` is forgotten at the end.
 *  @throws invalid: of a newer version; unavailable, full: the disk. */
export function openVerifyDatabase(file: string): OpenedVerifyDatabase {
  const isDamaged = file !== ':memory:' && existsSync(file) && !isSound(file);
  if (isDamaged) putAside(file);
  return explained(OP, () => ({ database: openForWriting(file), wasDamaged: isDamaged }));
}

/** For reading while others may write; undefined when there is none yet. */
export function openVerifyDatabaseReadonly(file: string): Database.Database | undefined {
  if (!existsSync(file)) return undefined;
  return explained(OP, () => {
    checkFormat(readSqliteHeader(file)?.userVersion ?? 0);
    return new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  });
}

function openForWriting(file: string): Database.Database {
  const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    const isEmpty = database.pragma('user_version', { simple: true }) === 0;
    if (isEmpty) {
      database.transaction(() => {
        // Another process may have been quicker.
        if (database.pragma('user_version', { simple: true }) !== 0) return;
        database.exec(VERIFY_SCHEMA);
        database.pragma(`application_id = ${VERIFY_APPLICATION_ID}`);
        database.pragma(`user_version = ${VERIFY_FORMAT}`);
      }).immediate();
    }
    checkFormat(Number(database.pragma('user_version', { simple: true })));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isSound(file: string): boolean {
  const header = readSqliteHeader(file);
  if (header === undefined) return false;
  if (header.userVersion > VERIFY_FORMAT) return true; // Refused later, and left alone.
  if (header.isCut) return false;
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    const isWhole = database.pragma('quick_check(1)', { simple: true }) === 'ok';
    return isWhole && database.pragma('application_id', { simple: true }) === VERIFY_APPLICATION_ID;
  } catch (error) {
    const code = codeOf(error);
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return false;
    throw explain(OP, error);
  } finally {
    database?.close();
  }
}

function putAside(file: string): void {
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  renameSync(file, `${file}.damaged`);
}

function checkFormat(format: number): void {
  if (format <= VERIFY_FORMAT) return;
  const message = 'The notes of the verifiers were written by a newer version. Start that version.';
  throw new HoldfastError('invalid', OP, message, { code: 'format-newer', facts: { format } });
}

/** Runs `act` and puts what SQLite throws into our words. */
export function explained<T>(op: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof HoldfastError ? error : explain(op, error);
  }
}

function explain(op: string, cause: unknown): HoldfastError {
  const code = codeOf(cause);
  const options = { cause, facts: { code } };
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) {
    return new HoldfastError('full', op, 'The disk of the data directory is full.', options);
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    const message = 'The notes of the verifiers are damaged. A restart begins new ones.';
    return new HoldfastError('corrupt', op, message, options);
  }
  const message = 'The notes of the verifiers cannot be reached. Look at the disk and its rights.';
  return new HoldfastError('unavailable', op, message, options);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
