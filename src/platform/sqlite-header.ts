/**
 * The header of an SQLite file, read as plain bytes (sqlite.org/fileformat2, section 1.3): opening
 * a strange or damaged file with SQLite may already change it, or leave a log beside it.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

export interface SqliteHeader {
  readonly applicationId: number;
  readonly userVersion: number;
  /** The file is shorter than its header says, and there is no log that could hold the rest. */
  readonly isCut: boolean;
}

/** undefined when this is no SQLite file. Changes nothing. Throws what node:fs throws. */
export function readSqliteHeader(path: string): SqliteHeader | undefined {
  const handle = openSync(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const readBytes = readSync(handle, header, 0, HEADER_BYTES, 0);
    const isWhole = readBytes === HEADER_BYTES;
    if (!isWhole || header.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
    const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
    // The page count is right only when it was written by the same change as the change counter.
    const isCounted = header.readUInt32BE(24) === header.readUInt32BE(92);
    const wholeBytes = isCounted ? header.readUInt32BE(28) * pageBytes : pageBytes;
    const hasLog = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
    return {
      applicationId: header.readUInt32BE(68),
      userVersion: header.readUInt32BE(60),
      isCut: !hasLog && fstatSync(handle).size < wholeBytes,
    };
  } finally {
    closeSync(handle);
  }
}
