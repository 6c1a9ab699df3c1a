/** What SQLite's errors mean to a caller. */
import Database from 'better-sqlite3';
import { HoldfastError, faultToData } from '../../../base/errors.ts';
import type { ErrorKind, FaultData } from '../../../base/errors.ts';

const OP = 'metadata/SqliteMetadataStore';

const KINDS: readonly (readonly [prefix: string, kind: ErrorKind, message: string])[] = [
  ['SQLITE_FULL', 'full', 'The disk of the metadata database is full. Make room first.'],
  ['SQLITE_BUSY', 'busy', 'The metadata database is busy. Try again shortly.'],
  ['SQLITE_CORRUPT', 'corrupt', 'The metadata database is damaged. Restore it from a backup.'],
  ['SQLITE_NOTADB', 'corrupt', 'The metadata database is damaged. Restore it from a backup.'],
  ['SQLITE_IOERR', 'unavailable', 'The disk of the metadata database gives errors.'],
  ['SQLITE_CANTOPEN', 'unavailable', 'The metadata database cannot be opened.'],
  ['SQLITE_READONLY', 'unavailable', 'The metadata database cannot be written.'],
];

function codeOf(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined;
}

/** After these nothing that was flushed before can be trusted to be on the disk, and a second try
 *  proves nothing: the writer stops until the database is opened anew. */
export function isFatal(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return /^SQLITE_(IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY)/.test(code);
}

export function toFault(error: unknown): FaultData {
  const code = codeOf(error);
  const known = KINDS.find(([prefix]) => code?.startsWith(prefix));
  if (code === undefined || known === undefined) return faultToData(error, OP);
  const [, kind, message] = known;
  return { kind, op: OP, message, facts: { sqlite: code } };
}

/** For errors of reading: what crosses the door is a HoldfastError. */
export function explained<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof HoldfastError || codeOf(error) === undefined) throw error;
    const { kind, message, facts } = toFault(error);
    throw new HoldfastError(kind, OP, message, { facts, cause: error });
  }
}
