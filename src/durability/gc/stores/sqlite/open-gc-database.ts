/**
 * Opens DATA/gc.db. What it holds can be found out anew, so a damaged one never keeps the server
 * from starting: it is put aside, a new one begins, and every suspicion begins with it.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.ts';
import { readSqliteHeader } from '../../../../platform/index.ts';
import { GC_APPLICATION_ID, GC_FORMAT, GC_SCHEMA } from './gc-schema.ts';

const OP = 'durability/SqliteGcStore.open';
const BUSY_TIMEOUT_MS = 5_000;
/** What `PRAGMA synchronous` answers for FULL. */
const SYNCHRONOUS_FULL = 2;

/** For writing; makes it when it is not there. `:memory:` is forgotten at the end.
 *  @throws invalid: of a newer version; unavailable, full: the disk. */
export function openGcDatabase(file: string): Database.Database {
  const inMemory = file === ':memory:';
  return explained(OP, () => {
    const isNew = inMemory || !existsSync(file) || putAsideIfDamaged(file);
    const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    try {
      makeDurable(database, inMemory);
      if (isNew) makeTables(database);
      if (isNew && !inMemory) syncFolder(dirname(file));
      checkFormat(Number(database.pragma('user_version', { simple: true })));
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** For looking while the server writes; undefined when there is none yet.
 *  @throws as openGcDatabase. */
export function openGcDatabaseReadonly(file: string): Database.Database | undefined {
  if (!existsSync(file)) return undefined;
  return explained(OP, () => {
    checkFormat(readSqliteHeader(file)?.userVersion ?? 0);
    return new Database(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  });
}

function makeTables(database: Database.Database): void {
  database.transaction(() => {
    if (database.pragma('user_version', { simple: true }) !== 0) return;
    database.exec(GC_SCHEMA);
    database.pragma(`application_id = ${GC_APPLICATION_ID}`);
    database.pragma(`user_version = ${GC_FORMAT}`);
  }).immediate();
}

function makeDurable(database: Database.Database, inMemory: boolean): void {
  if (!inMemory) database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  // A re-opened WAL database comes up with less in this build, so it is read back.
  if (database.pragma('synchronous', { simple: true }) === SYNCHRONOUS_FULL) return;
  const message = 'The notes of garbage collection cannot be kept safely on this disk.';
  throw new HoldfastError('unavailable', OP, message);
}

function putAsideIfDamaged(file: string): boolean {
  if (isSound(file)) return false;
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  renameSync(file, `${file}.damaged`);
  return true;
}

function isSound(file: string): boolean {
  const header = readSqliteHeader(file);
  if (header === undefined) return false;
  if (header.userVersion > GC_FORMAT) return true; // Refused later, and left alone.
  if (header.isCut) return false;
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    const isWhole = database.pragma('quick_check(1)', { simple: true }) === 'ok';
    return isWhole && database.pragma('application_id', { simple: true }) === GC_APPLICATION_ID;
  } catch (error) {
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error))) return false;
    throw error;
  } finally {
    database?.close();
  }
}

function checkFormat(format: number): void {
  if (format <= GC_FORMAT) return;
  const message = 'The notes of the collector were written by a newer version. Start that one.';
  throw new HoldfastError('invalid', OP, message, { code: 'format-newer', facts: { format } });
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
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
    const message = 'The notes of garbage collection are damaged. A restart begins new ones.';
    return new HoldfastError('corrupt', op, message, options);
  }
  const message = 'The notes of garbage collection cannot be reached. Look at the disk.';
  return new HoldfastError('unavailable', op, message, options);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
