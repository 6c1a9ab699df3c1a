/**
 * The database file before SQLite sees it: is it there, is it ours, is it whole?
 *
 * The header is read as plain bytes, because opening a strange file with SQLite may already change
 * it: a journal beside it is played back, a WAL is folded in.
 */
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync,
  statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { CANONICAL_VERSION } from '../../../base/names.ts';
import { HoldfastError } from '../../../base/errors.ts';
import type { ErrorKind } from '../../../base/errors.ts';
import { firstIdOf } from '../../shard-number.ts';
import { canMigrate } from './migrate.ts';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.ts';

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

function refuse(kind: ErrorKind, code: string, message: string): never {
  throw new HoldfastError(kind, 'metadata/SqliteMetadataStore.open', message, { code });
}

function readHeader(file: string): { header: Buffer; sizeBytes: number } {
  const handle = openSync(file, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const readBytes = readSync(handle, header, 0, HEADER_BYTES, 0);
    return { header: header.subarray(0, readBytes), sizeBytes: fstatSync(handle).size };
  } finally {
    closeSync(handle);
  }
}

function hasWal(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** Refuses a file that is not a whole metadata database of a version known here; changes nothing.
 *  @throws corrupt: cut off; invalid: not ours, or of a newer version of the program. */
export function checkDatabaseFile(file: string): void {
  const { header, sizeBytes } = readHeader(file);
  if (header.length < HEADER_BYTES) {
    refuse('corrupt', 'metadata-truncated', 'The metadata database has been cut off. '
      + 'Restore it from a backup.');
  }
  if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    refuse('corrupt', 'metadata-not-sqlite', 'The metadata database is not an SQLite database. '
      + 'Restore it from a backup, or name the right data folder.');
  }
  if (header.readUInt32BE(68) !== APPLICATION_ID) {
    refuse('invalid', 'metadata-not-ours', 'The file in place of the metadata database belongs to '
      + 'another program. Name the right data folder.');
  }
  checkVersion(header.readUInt32BE(60));
  const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const countIsValid = header.readUInt32BE(24) === header.readUInt32BE(92);
  // With a WAL beside it the file itself may lag behind; SQLite then knows better.
  if (countIsValid && !hasWal(file) && sizeBytes < header.readUInt32BE(28) * pageBytes) {
    refuse('corrupt', 'metadata-truncated', 'The metadata database has been cut off. '
      + 'Restore it from a backup.');
  }
}

/** Takes older formats that can be brought up to the present one.
 *  @throws invalid: written by a newer version of the program, or by an unknown one. */
export function checkVersion(schemaVersion: number): void {
  if (schemaVersion === SCHEMA_VERSION || canMigrate(schemaVersion)) return;
  refuse('invalid', 'metadata-version', `The metadata database has format ${schemaVersion}; `
    + `this version of Holdfast knows format ${SCHEMA_VERSION}. Start the version that wrote it.`);
}

/** @throws invalid: the stored canonical names were made by other rules than ours. */
export function checkCanonicalVersion(canonicalVersion: unknown): void {
  if (canonicalVersion === CANONICAL_VERSION) return;
  refuse('invalid', 'metadata-canonical-version', 'The metadata database was written with other '
    + 'rules for comparing names. Start the version that wrote it.');
}

function syncPath(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes a new database. It is built beside its place and moved there when it is whole and on disk,
 *  so that an empty or half-made file at that place is always damage, never a beginning. */
export function createDatabaseFile(file: string, shard = 0): void {
  const draft = `${file}.new`;
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(draft + suffix, { force: true });
  const connection = new Database(draft);
  try {
    connection.pragma('synchronous = FULL');
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    connection.transaction(() => {
      connection.exec(SCHEMA);
      const put = connection.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
      put.run('next_node_id', 1);
      put.run('next_space_id', 1);
      put.run('next_batch_id', 1);
      put.run('next_grant_id', 1);
      connection.prepare('UPDATE meta SET value = ? WHERE name GLOB \'next_*_id\'')
        .run(firstIdOf(shard));
      if (shard !== 0) put.run('shard', shard);
      put.run('canonical_version', CANONICAL_VERSION);
      connection.pragma(`user_version = ${SCHEMA_VERSION}`);
    })();
    connection.pragma('journal_mode = WAL');
  } finally {
    connection.close();
  }
  syncPath(draft);
  renameSync(draft, file);
  syncPath(dirname(file));
}

/** Makes sure that a whole database is in place.
 *  @throws not-found: it is missing and may not be made; as `checkDatabaseFile`. */
export function ensureDatabaseFile(file: string, create: boolean, shard = 0): void {
  if (existsSync(file)) {
    checkDatabaseFile(file);
    return;
  }
  if (hasWal(file)) {
    refuse('corrupt', 'metadata-missing', 'The metadata database is gone, but its write-ahead log '
      + 'is still there. Restore the database from a backup.');
  }
  if (!create) {
    refuse('not-found', 'metadata-missing', 'There is no metadata database here. Name the right '
      + 'data folder, or restore it from a backup.');
  }
  createDatabaseFile(file, shard);
}
