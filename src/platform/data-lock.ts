/**
 * One process at a time per data directory.
 *
 * Node cannot lock files, SQLite can: an exclusive transaction on DIR/lock.db that is never
 * finished. The operating system lets go of it however the process ends, `kill -9` included, so
 * there is no stale lock to clean up. DIR/lock.json only tells people who holds it.
 *
 * The lock is a POSIX record lock: it goes away when any descriptor of lock.db is closed in this
 * process. Nothing else may open that file.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { HoldfastError } from '../base/errors.ts';

/** Without it, a lock that nobody means to release would end when its database is collected as
 *  garbage. */
const held = new Set<Database.Database>();

export interface DataLock {
  /** Tells others where this process can be reached. */
  announce(url: string): void;
  /** Calm when called twice. */
  release(): void;
}

/** @throws conflict, code `data-locked`: another process holds it; the message says which.
 *  unavailable: the file system cannot lock. */
export function lockData(directory: string): DataLock {
  const notePath = join(directory, 'lock.json');
  const database = openExclusively(directory, notePath);
  const note = (url?: string): void => {
    writeFileSync(notePath, `${JSON.stringify({ pid: process.pid, url })}\n`, { mode: 0o600 });
  };
  note();
  held.add(database);
  return {
    announce: note,
    release() {
      if (!database.open) return;
      rmSync(notePath, { force: true });
      database.close();
      held.delete(database);
    },
  };
}

function openExclusively(directory: string, notePath: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(join(directory, 'lock.db'), { timeout: 0 });
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY')) {
      const message = `Holdfast is already running on this data${holder(notePath)}.`;
      throw new HoldfastError('conflict', 'platform/lockData', message, { code: 'data-locked' });
    }
    const message = 'The data directory cannot be locked. It must lie on a file system with locks.';
    throw new HoldfastError('unavailable', 'platform/lockData', message, { cause });
  }
}

/** The holder may not have written its note yet, or be writing it now: then we name nobody. */
function holder(notePath: string): string {
  try {
    const note = JSON.parse(readFileSync(notePath, 'utf8')) as { pid?: unknown; url?: unknown };
    const pid = typeof note.pid === 'number' ? ` (pid ${note.pid})` : '';
    return `${pid}${typeof note.url === 'string' ? ` on ${note.url}` : ''}`;
  } catch (error) {
    const isUnwritten = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isUnwritten || error instanceof SyntaxError) return '';
    throw error;
  }
}
