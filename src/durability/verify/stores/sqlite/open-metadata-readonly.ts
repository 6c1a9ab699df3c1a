/** Opens DATA/metadata.db for looking, beside a server. */
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.ts';

const APPLICATION_ID = 0x48464d44;
const KNOWN_FORMATS = [1, 2, 3, 4];
const BUSY_TIMEOUT_MS = 5_000;

/** @throws unavailable, corrupt: it cannot be read; invalid: of a format not known here. */
export function openMetadataReadonly(file: string): Database.Database {
  const op = 'durability/openMetadataReadonly';
  return explainedRead(op, () => {
    const database = new Database(file, {
      readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS,
    });
    try {
      const isOurs = database.pragma('application_id', { simple: true }) === APPLICATION_ID;
      const format = Number(database.pragma('user_version', { simple: true }));
      if (isOurs && KNOWN_FORMATS.includes(format)) return database;
      const message = 'The metadata database has a format that is not known here.';
      throw new HoldfastError('invalid', op, message, { facts: { format } });
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Runs `act` and puts what SQLite throws into our words. */
export function explainedRead<T>(op: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const isDamaged = /^SQLITE_(CORRUPT|NOTADB)/.test(code);
    const message = isDamaged
      ? 'The metadata database is damaged. Restore it from a backup.'
      : 'The metadata database cannot be read. Look at its disk and its rights.';
    const kind = isDamaged ? 'corrupt' : 'unavailable';
    throw new HoldfastError(kind, op, message, { facts: { code }, cause });
  }
}
