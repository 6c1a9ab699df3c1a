import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { BlockRange } from '../../block-range.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import type { BlockPlace } from './block-index.ts';
import { crc32 } from './checksum.ts';
import type { OnFinding } from './findings.ts';
import { areSegmentsSound, isSound, tableBytes } from './payload.ts';
import { HEADER_BYTES, isPlainBlock, isRecordHeader, readBlockHeader } from './record-codec.ts';
import { errorCode } from './volume-files.ts';
import type { VolumeReader } from './volume-reader.ts';

const OP = 'storage/LocalVolumeStore.get';

export interface WantedBlock {
  id: BlockId;
  place: BlockPlace;
  /** A part of the block, inside it; the whole block when undefined. */
  range?: BlockRange | undefined;
}

/** Reads and checks a block, or the segments that a part of it touches; a second time if need be,
 *  for memory and cables fail too.
 *  @throws corrupt: both times it was not what was stored; unavailable: the disk did not answer. */
export async function readBlock(
  reader: VolumeReader,
  onFinding: OnFinding,
  wanted: WantedBlock,
): Promise<Buffer> {
  const { id, place } = wanted;
  const { volumeId, offset, sizeBytes } = place;
  let failure: unknown;
  for (let tries = 0; tries < 2; tries++) {
    failure = undefined;
    try {
      const part = wanted.range !== undefined && tableBytes(sizeBytes) > 0;
      const bytes = await (part ? readPart(reader, wanted) : readWhole(reader, wanted));
      if (bytes !== undefined) return bytes;
    } catch (error) {
      failure = error;
    }
  }
  const facts = { volumeId, offset, blockId: id };
  if (failure === undefined) {
    onFinding({ kind: 'damaged-block', volumeId, offset, blockId: id, lengthBytes: sizeBytes });
    const message = 'This part of the file was damaged on disk. Restore it from a copy.';
    throw new HoldfastError('corrupt', OP, message, { facts });
  }
  onFinding({ kind: 'read-failed', volumeId, offset, blockId: id, code: errorCode(failure) });
  const message = 'The disk does not give out this part of the file. Try again later.';
  throw new HoldfastError('unavailable', OP, message, { facts, cause: failure });
}

/** Undefined when what was read is not the block. */
async function readWhole(reader: VolumeReader, wanted: WantedBlock): Promise<Buffer | undefined> {
  const { id, place, range } = wanted;
  const { volumeId, offset, sizeBytes } = place;
  const table = tableBytes(sizeBytes);
  // Not from the shared pool: callers keep blocks, and would keep the pool's neighbours too.
  const record = Buffer.allocUnsafeSlow(HEADER_BYTES + table + sizeBytes);
  if ((await reader.read(volumeId, record, offset)) !== record.length) return undefined;
  const payloadCrc = checkHeader(record, id, sizeBytes);
  if (payloadCrc === undefined) return undefined;
  if (!isSound(record.subarray(HEADER_BYTES), sizeBytes, payloadCrc)) return undefined;
  const bytes = record.subarray(HEADER_BYTES + table);
  if (range === undefined) return bytes;
  return bytes.subarray(range.offsetBytes, range.offsetBytes + range.lengthBytes);
}

/** Of a block with a table. Both reads are under way at once: the index knows the size. */
async function readPart(reader: VolumeReader, wanted: WantedBlock): Promise<Buffer | undefined> {
  const { id, place, range } = wanted;
  const { volumeId, offset, sizeBytes } = place;
  const { offsetBytes, lengthBytes } = range as BlockRange;
  const first = Math.floor(offsetBytes / SEGMENT_BYTES);
  const begin = first * SEGMENT_BYTES;
  const touched = Math.ceil((offsetBytes + lengthBytes) / SEGMENT_BYTES) * SEGMENT_BYTES;
  const head = Buffer.allocUnsafeSlow(HEADER_BYTES + tableBytes(sizeBytes));
  const segments = Buffer.allocUnsafeSlow(Math.min(touched, sizeBytes) - begin);
  const [headFilled, segmentsFilled] = await Promise.all([
    reader.read(volumeId, head, offset),
    reader.read(volumeId, segments, offset + head.length + begin),
  ]);
  if (headFilled !== head.length || segmentsFilled !== segments.length) return undefined;
  const payloadCrc = checkHeader(head, id, sizeBytes);
  const table = head.subarray(HEADER_BYTES);
  if (payloadCrc === undefined || crc32(table) !== payloadCrc) return undefined;
  if (!areSegmentsSound(table, segments, first)) return undefined;
  return segments.subarray(offsetBytes - begin, offsetBytes - begin + lengthBytes);
}

/** The payload's checksum, or undefined when this is not the header of that block. */
function checkHeader(record: Buffer, id: BlockId, sizeBytes: number): number | undefined {
  if (!isRecordHeader(record, 0) || !isPlainBlock(record, 0)) return undefined;
  const header = readBlockHeader(record, 0);
  if (header.sizeBytes !== sizeBytes || record.toString('hex', 16, 48) !== id) return undefined;
  return header.payloadCrc;
}
