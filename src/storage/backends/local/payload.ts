/**
 * How a block's bytes are covered by checksums. Up to one segment, the header's checksum is that of
 * the bytes. Above, a table stands before the bytes, with a CRC-32 for each segment, and the
 * header's checksum is that of the table: so a part of a block can be read and checked by itself.
 */
import { BLOCK_BYTES_MAX } from '../../block.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import { isPacked } from '../../sealing/packed-block.ts';
import { crc32 } from './checksum.ts';

const TABLE_ENTRY_BYTES = 4;

function segmentCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / SEGMENT_BYTES);
}

/** What the table of a block takes: nothing for a small one, always a multiple of 8. */
export function tableBytes(sizeBytes: number): number {
  if (sizeBytes <= SEGMENT_BYTES) return 0;
  return (segmentCount(sizeBytes) * TABLE_ENTRY_BYTES + 7) & ~7;
}

/** The greatest payload of a record: table and bytes. */
export const PAYLOAD_BYTES_MAX = tableBytes(BLOCK_BYTES_MAX) + BLOCK_BYTES_MAX;

/** Writes the table of a block into `into` and returns the checksum for the header. */
export function writeTable(
  into: Buffer,
  at: number,
  { pieces, sizeBytes }: { pieces: readonly Uint8Array[]; sizeBytes: number },
): number {
  if (sizeBytes <= SEGMENT_BYTES) {
    let sum = 0;
    for (const piece of pieces) sum = crc32(piece, sum);
    return sum;
  }
  const table = into.subarray(at, at + tableBytes(sizeBytes)).fill(0);
  let segment = 0;
  let left = SEGMENT_BYTES;
  let sum = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      const take = Math.min(left, piece.length - from);
      const whole = take === piece.length;
      sum = crc32(whole ? piece : piece.subarray(from, from + take), sum);
      from += take;
      left -= take;
      if (left > 0) continue;
      table.writeUInt32LE(sum, segment++ * TABLE_ENTRY_BYTES);
      left = SEGMENT_BYTES;
      sum = 0;
    }
  }
  if (left < SEGMENT_BYTES) table.writeUInt32LE(sum, segment * TABLE_ENTRY_BYTES);
  return crc32(table);
}

/** Is `payload`, table and bytes of a block of `sizeBytes`, what the header's checksum says? */
export function isSound(payload: Buffer, sizeBytes: number, payloadCrc: number): boolean {
  const table = tableBytes(sizeBytes);
  if (table === 0) return crc32(payload) === payloadCrc;
  if (crc32(payload.subarray(0, table)) !== payloadCrc) return false;
  return areSegmentsSound(payload.subarray(0, table), payload.subarray(table), 0);
}

/** The same for any payload: what is packed has no table, and is checked as a whole. */
export function isPayloadSound(
  payload: Buffer,
  header: { codec: number; encryption: number; sizeBytes: number; payloadCrc: number },
): boolean {
  if (isPacked(header)) return crc32(payload) === header.payloadCrc;
  return isSound(payload, header.sizeBytes, header.payloadCrc);
}

/** Checks whole segments, the first of them being number `first`, against a checked table. */
export function areSegmentsSound(table: Buffer, bytes: Buffer, first: number): boolean {
  for (let at = 0, segment = first; at < bytes.length; at += SEGMENT_BYTES, segment++) {
    const wanted = table.readUInt32LE(segment * TABLE_ENTRY_BYTES);
    if (crc32(bytes.subarray(at, at + SEGMENT_BYTES)) !== wanted) return false;
  }
  return true;
}
