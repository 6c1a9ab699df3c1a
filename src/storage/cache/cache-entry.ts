/**
 * One cached block as bytes: a head, and the block after it, or the sealed block.
 *
 * The head holds the magic, the size, a checksum over the head, the id, and a CRC-32 for every
 * segment, so that a part of a block can be checked without reading the rest. A cache is never
 * worth a conversion: a head of another format is simply a bad entry. Numbers are little-endian.
 *
 *     0  8  magic      8  4  size      12  4  CRC-32 of the head with this field as zero
 *    16 32  id        48  4  CRC-32 of segment 0, then of segment 1, and so on
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { BlockId } from '../../base/ids.ts';
import type { BlockRange } from '../block-range.ts';
import { SEGMENT_BYTES } from '../block-store.ts';
import { decodeSealed, SEALED_BYTES_MAX } from '../sealing/sealed-object.ts';
import type { CachedBlock } from './cache-index.ts';

const MAGIC = Buffer.from('HFCACHE1');
const SIZE_AT = 8;
const CHECKSUM_AT = 12;
const ID_AT = 16;
const TABLE_AT = 48;
const CHECKSUM_BYTES = 4;
const DISK_UNIT_BYTES = 4096;

export function headBytesOf(sizeBytes: number): number {
  return TABLE_AT + Math.ceil(sizeBytes / SEGMENT_BYTES) * CHECKSUM_BYTES;
}

export function entryBytesOf(sizeBytes: number): number {
  return headBytesOf(sizeBytes) + sizeBytes;
}

/** What a cached block of this size takes of the disk, as most file systems divide it. */
export function diskBytesOf(sizeBytes: number): number {
  return Math.ceil(entryBytesOf(sizeBytes) / DISK_UNIT_BYTES) * DISK_UNIT_BYTES;
}

/** The head for these bytes, which must hash to `id`. */
export function makeHead(id: BlockId, pieces: readonly Uint8Array[], sizeBytes: number): Buffer {
  const head = Buffer.alloc(headBytesOf(sizeBytes));
  MAGIC.copy(head);
  head.writeUInt32LE(sizeBytes, SIZE_AT);
  head.write(id, ID_AT, 'hex');
  for (const [at, checksum] of segmentChecksums(pieces).entries()) {
    head.writeUInt32LE(checksum, TABLE_AT + at * CHECKSUM_BYTES);
  }
  head.writeUInt32LE(crc32(head), CHECKSUM_AT);
  return head;
}

function segmentChecksums(pieces: readonly Uint8Array[]): number[] {
  const checksums: number[] = [];
  let checksum = 0;
  let filledBytes = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + SEGMENT_BYTES - filledBytes);
      checksum = crc32(part, checksum);
      filledBytes += part.length;
      at += part.length;
      if (filledBytes < SEGMENT_BYTES) continue;
      checksums.push(checksum);
      checksum = 0;
      filledBytes = 0;
    }
  }
  return filledBytes > 0 ? [...checksums, checksum] : checksums;
}

function isSoundHead(head: Buffer, id: BlockId, sizeBytes: number): boolean {
  if (sizeBytes < 1 || sizeBytes > SEALED_BYTES_MAX) return false;
  if (head.length !== headBytesOf(sizeBytes)) return false;
  const zeroed = Buffer.from(head);
  zeroed.writeUInt32LE(0, CHECKSUM_AT);
  return crc32(zeroed) === head.readUInt32LE(CHECKSUM_AT)
    && head.subarray(0, MAGIC.length).equals(MAGIC)
    && head.readUInt32LE(SIZE_AT) === sizeBytes
    && head.toString('hex', ID_AT, TABLE_AT) === id;
}

/** The block, or the sealed block, in the bytes of a whole entry; undefined when it is not what was
 *  cached. The id itself, or the seal, is the check, so the table is not looked at. */
export function openEntry(
  entry: Buffer, { id, sizeBytes, form }: Pick<CachedBlock, 'id' | 'sizeBytes' | 'form'>,
): Buffer | undefined {
  const headBytes = headBytesOf(sizeBytes);
  if (entry.length !== headBytes + sizeBytes) return undefined;
  if (!isSoundHead(entry.subarray(0, headBytes), id, sizeBytes)) return undefined;
  const bytes = entry.subarray(headBytes);
  const isRight = form === 'sealed'
    ? decodeSealed(bytes, id) !== undefined : hash('sha256', bytes) === id;
  return isRight ? bytes : undefined;
}

/** The whole segments that a range touches. */
export function segmentsAround(range: BlockRange, sizeBytes: number): BlockRange {
  const first = Math.floor(range.offsetBytes / SEGMENT_BYTES) * SEGMENT_BYTES;
  const last = Math.ceil((range.offsetBytes + range.lengthBytes) / SEGMENT_BYTES) * SEGMENT_BYTES;
  return { offsetBytes: first, lengthBytes: Math.min(last, sizeBytes) - first };
}

/** True when `segments`, whole ones from `offsetBytes` of the block on, are what was cached. */
export function areSoundSegments(
  head: Buffer, segments: Buffer, offsetBytes: number, block: { id: BlockId; sizeBytes: number },
): boolean {
  if (!isSoundHead(head, block.id, block.sizeBytes)) return false;
  for (let at = 0; at < segments.length; at += SEGMENT_BYTES) {
    const index = (offsetBytes + at) / SEGMENT_BYTES;
    const wanted = head.readUInt32LE(TABLE_AT + index * CHECKSUM_BYTES);
    if (crc32(segments.subarray(at, at + SEGMENT_BYTES)) !== wanted) return false;
  }
  return true;
}
