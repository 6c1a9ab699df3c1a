import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { BlockRange } from '../../block-range.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import { isKeyFault } from '../../sealing/block-sealer.ts';
import { CIPHER_BYTES } from '../../sealing/block-cipher.ts';
import type { BlockPlace } from './block-index.ts';
import { crc32 } from './checksum.ts';
import type { OnFinding } from './findings.ts';
import { unpackRecord } from './packed-record.ts';
import { areSegmentsSound, isSound, tableBytes } from './payload.ts';
import {
  HEADER_BYTES, isPlainBlock, isRecordHeader, readBlockHeader, recordBytes,
} from './record-codec.ts';
import { errorCode, type FileCopy } from './volume-files.ts';
import type { VolumeReader } from './volume-reader.ts';

const OP = 'storage/LocalVolumeStore.get';

export interface WantedBlock {
  id: BlockId;
  place: BlockPlace;
  /** A part of the block, inside it; the whole block when undefined. */
  range?: BlockRange | undefined;
  /** Memory for the segments of a part, used if there is enough of it. */
  into?: Buffer | undefined;
}

/** Reads and checks a block, or the segments that a part of it touches; a second time if need be,
 *  for memory and cables fail too.
 *  @throws corrupt: both times it was not what was stored; unavailable: the disk did not answer, or
 *   the block's key is not here; not-found, code `shredded`: its key was destroyed on purpose. */
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
      const bytes = await readOnce(sourceOf(reader, volumeId), wanted);
      if (bytes !== undefined) return bytes;
    } catch (error) {
      if (isKeyFault(error)) throw error; // No other try, and no other copy, has the key.
      failure = error;
    }
  }
  const rescue = await readFromCopies(reader, wanted);
  if (rescue.bytes !== undefined) return rescue.bytes;
  failure ??= rescue.failure;
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

/** One place to read a volume's bytes from. */
interface Source {
  read(into: Uint8Array, position: number): Promise<number>;
  readonly tables: VolumeReader['tables'];
  readonly sealing: VolumeReader['sealing'];
  /** None for another copy: each must answer for itself. */
  readonly unpacked?: VolumeReader['unpacked'];
}

function sourceOf(reader: VolumeReader, volumeId: number): Source {
  const { tables, sealing, unpacked } = reader;
  const read: Source['read'] = (into, position) => reader.read(volumeId, into, position);
  return { tables, sealing, unpacked, read };
}

/** Undefined when what was read is not the block. */
async function readOnce(source: Source, wanted: WantedBlock): Promise<Buffer | undefined> {
  const part = wanted.range !== undefined && tableBytes(wanted.place.sizeBytes) > 0;
  const readPlain = part ? readPart : readWhole;
  // Which one it is, only its header tells: look first for what is likely.
  const [likely, other] = source.sealing.packs && source.tables.find(wanted.id) === undefined
    ? [readPacked, readPlain] : [readPlain, readPacked];
  return (await likely(source, wanted)) ?? other(source, wanted);
}

/** Where a volume is kept several times: tries each copy, and tells which ones were wrong. The
 *  `failure` of a copy that gave no answer counts, for it may have the block. */
async function readFromCopies(
  reader: VolumeReader,
  wanted: WantedBlock,
): Promise<{ bytes?: Buffer; failure?: unknown }> {
  const { volumeId, offset, sizeBytes } = wanted.place;
  let failure: unknown;
  try {
    return await reader.with(volumeId, async ({ copies = [] }) => {
      const wrong: FileCopy[] = [];
      for (const copy of copies) {
        try {
          const { tables, sealing } = reader;
          const source = { tables, sealing, read: copy.read.bind(copy) };
          const bytes = await readOnce(source, wanted);
          if (bytes === undefined) {
            wrong.push(copy);
            continue;
          }
          const lengthBytes = recordBytes(sizeBytes) + CIPHER_BYTES;
          for (const bad of wrong) bad.reportDamage(offset, lengthBytes);
          return { bytes };
        } catch (error) {
          failure = error;
        }
      }
      return { failure };
    });
  } catch (error) {
    return { failure: error };
  }
}

/** Undefined when what was read is not the block. */
async function readWhole(source: Source, wanted: WantedBlock): Promise<Buffer | undefined> {
  const { id, place, range } = wanted;
  const { offset, sizeBytes } = place;
  const table = tableBytes(sizeBytes);
  // Not from the shared pool: callers keep blocks, and would keep the pool's neighbours too.
  const record = Buffer.allocUnsafeSlow(HEADER_BYTES + table + sizeBytes);
  if ((await source.read(record, offset)) !== record.length) return undefined;
  const payloadCrc = checkHeader(record, id, sizeBytes);
  if (payloadCrc === undefined) return undefined;
  if (!isSound(record.subarray(HEADER_BYTES), sizeBytes, payloadCrc)) return undefined;
  const bytes = record.subarray(HEADER_BYTES + table);
  if (range === undefined) return bytes;
  return bytes.subarray(range.offsetBytes, range.offsetBytes + range.lengthBytes);
}

/** A packed block is unpacked whole, and a part is cut from it. */
async function readPacked(source: Source, wanted: WantedBlock): Promise<Buffer | undefined> {
  const { id, place, range } = wanted;
  const unpack = (): Promise<Buffer | undefined> => unpackRecord(source, place, id);
  if (range === undefined) return unpack();
  const { unpacked } = source;
  const bytes = unpacked?.find(id) ?? await (unpacked?.run(id, unpack) ?? unpack());
  return bytes?.subarray(range.offsetBytes, range.offsetBytes + range.lengthBytes);
}

/** Of a block with a table. Both reads are under way at once: the index knows the size. The header
 *  is not looked at again while the table is remembered: the segments tell for themselves. */
async function readPart(source: Source, wanted: WantedBlock): Promise<Buffer | undefined> {
  const { id, place, range, into } = wanted;
  const { offset, sizeBytes } = place;
  const { offsetBytes, lengthBytes } = range as BlockRange;
  const first = Math.floor(offsetBytes / SEGMENT_BYTES);
  const begin = first * SEGMENT_BYTES;
  const touched = Math.ceil((offsetBytes + lengthBytes) / SEGMENT_BYTES) * SEGMENT_BYTES;
  const segmentsBytes = Math.min(touched, sizeBytes) - begin;
  const segments = into !== undefined && into.length >= segmentsBytes
    ? into.subarray(0, segmentsBytes) : Buffer.allocUnsafeSlow(segmentsBytes);
  const segmentsAt = offset + HEADER_BYTES + tableBytes(sizeBytes) + begin;
  const [table, filled] = await Promise.all([
    source.tables.find(id) ?? readTable(source, wanted),
    source.read(segments, segmentsAt),
  ]);
  if (table === undefined || filled !== segments.length) return undefined;
  if (!areSegmentsSound(table, segments, first)) return undefined;
  return segments.subarray(offsetBytes - begin, offsetBytes - begin + lengthBytes);
}

/** The checked table of a block; undefined when it is not that of the block. */
async function readTable(source: Source, wanted: WantedBlock): Promise<Buffer | undefined> {
  const { id, place: { offset, sizeBytes } } = wanted;
  const head = Buffer.allocUnsafeSlow(HEADER_BYTES + tableBytes(sizeBytes));
  if ((await source.read(head, offset)) !== head.length) return undefined;
  const payloadCrc = checkHeader(head, id, sizeBytes);
  const table = head.subarray(HEADER_BYTES);
  if (payloadCrc === undefined || crc32(table) !== payloadCrc) return undefined;
  source.tables.add(id, table);
  return table;
}

/** The payload's checksum, or undefined when this is not the header of that block. */
function checkHeader(record: Buffer, id: BlockId, sizeBytes: number): number | undefined {
  if (!isRecordHeader(record, 0) || !isPlainBlock(record, 0)) return undefined;
  const header = readBlockHeader(record, 0);
  if (header.sizeBytes !== sizeBytes || record.toString('hex', 16, 48) !== id) return undefined;
  return header.payloadCrc;
}
