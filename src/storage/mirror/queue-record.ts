/**
 * The file in which a mirror remembers what the second store still lacks: records of 52 bytes, the
 * newest last. Little-endian:
 *
 *     0  1  kind       4  4  size of the block       8  8  time, milliseconds since 1970
 *    16 32  id         48  4  CRC-32 of the 48 bytes before
 *
 * Behind the last one there may be zeros. Reading them in order gives the state at the end. Any
 * damage means that the stores must be compared again: the file saves work, it is never the only
 * witness. More in docs/formats/mirror-queue.md.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { parseBlockId, type BlockId } from '../../base/ids.ts';

export const RECORD_BYTES = 52;
const FORMAT = 1;
const SIZE_AT = 4;
const TIME_AT = 8;
const ID_AT = 16;
const CHECKSUM_AT = 48;

const KINDS = ['begin', 'add', 'done', 'compare', 'compared-to', 'compared'] as const;

export type QueueRecord =
  /** The first record. `pair` names the two stores: a file of another pair says nothing here. */
  | { kind: 'begin'; pair: string }
  /** The block may be in the first store, and may not be in the second. */
  | { kind: 'add'; id: BlockId; sizeBytes: number; timeMs: number }
  | { kind: 'done'; id: BlockId }
  /** All blocks must be compared, from the first on. */
  | { kind: 'compare' }
  /** All blocks up to this one have been, since the last `compare`. */
  | { kind: 'compared-to'; id: BlockId }
  /** All have been; `timeMs` is when that began. */
  | { kind: 'compared'; timeMs: number };

export function encodeRecord(record: QueueRecord): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.writeUInt8(KINDS.indexOf(record.kind) + 1, 0);
  if (record.kind === 'begin') {
    bytes.writeUInt32LE(FORMAT, SIZE_AT);
    createHash('sha256').update(record.pair).digest().copy(bytes, ID_AT);
  }
  if (record.kind === 'add') bytes.writeUInt32LE(record.sizeBytes, SIZE_AT);
  if ('timeMs' in record) bytes.writeDoubleLE(record.timeMs, TIME_AT);
  if ('id' in record) bytes.write(record.id, ID_AT, 'hex');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CHECKSUM_AT)), CHECKSUM_AT);
  return bytes;
}

/** Undefined when the bytes are not a sound record. A `begin` must be the one given. */
function decodeRecord(bytes: Buffer, begin: Buffer): QueueRecord | undefined {
  if (bytes.readUInt32LE(CHECKSUM_AT) !== crc32(bytes.subarray(0, CHECKSUM_AT))) return undefined;
  const kind = KINDS[bytes.readUInt8(0) - 1];
  const id = (): BlockId => parseBlockId(bytes.toString('hex', ID_AT, CHECKSUM_AT));
  const timeMs = bytes.readDoubleLE(TIME_AT);
  switch (kind) {
    case 'begin':
      return bytes.equals(begin) ? { kind, pair: '' } : undefined;
    case 'add':
      return { kind, id: id(), sizeBytes: bytes.readUInt32LE(SIZE_AT), timeMs };
    case 'done':
    case 'compared-to':
      return { kind, id: id() };
    case 'compare':
      return { kind };
    case 'compared':
      return { kind, timeMs };
    default:
      return undefined;
  }
}

/** Where the last record ends that is not all zeros, or the file. */
function endOf(file: Buffer): number {
  const last = file.findLastIndex((byte) => byte !== 0);
  return Math.min(file.length, Math.ceil((last + 1) / RECORD_BYTES) * RECORD_BYTES);
}

export interface ReadRecords {
  readonly records: readonly QueueRecord[];
  /** False when the file is absent, of another pair or format, or damaged anywhere. */
  readonly isSound: boolean;
}

/** What can be read. Damage may have hidden any record, also at the end: a record that was torn
 *  in a power cut looks like one that has rotted since. Zeros at the end are room for more. */
export function readRecords(file: Buffer | undefined, pair: string): ReadRecords {
  const begin = encodeRecord({ kind: 'begin', pair });
  if (file === undefined || !file.subarray(0, RECORD_BYTES).equals(begin)) {
    return { records: [], isSound: false };
  }
  const bytes = file.subarray(0, endOf(file));
  const records: QueueRecord[] = [];
  let isSound = bytes.length % RECORD_BYTES === 0;
  for (let at = RECORD_BYTES; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    const record = decodeRecord(bytes.subarray(at, at + RECORD_BYTES), begin);
    if (record === undefined) isSound = false;
    else records.push(record);
  }
  return { records, isSound };
}
