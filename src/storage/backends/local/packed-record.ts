/** Records of blocks that are compressed or encrypted, read from a volume. */
import type { BlockId } from '../../../base/ids.ts';
import type { BlockSealer } from '../../sealing/block-sealer.ts';
import type { PackedBlock, PackedRecord } from '../../sealing/packed-block.ts';
import type { BlockPlace } from './block-index.ts';
import { isPayloadSound } from './payload.ts';
import {
  HEADER_BYTES, isPackedBlock, isPlainBlock, isRecordHeader, readBlockHeader, type BlockHeader,
} from './record-codec.ts';

/** Up to here header and payload are read at once; above, how much there is to read is asked first,
 *  for it may be much less than the block. */
const AT_ONCE_BYTES_MAX = 64 * 1024;

/** Where to read; fewer bytes only at the end of the volume. */
export interface RecordSource {
  read(into: Uint8Array, position: number): Promise<number>;
}

export type RecordPlace = Omit<BlockPlace, 'volumeId'>;

/** A packed record of that block, its checksums right; undefined when there is none. */
export async function readPackedRecord(
  source: RecordSource, { offset, sizeBytes }: RecordPlace, id: BlockId,
): Promise<(PackedRecord & { readonly payloadCrc: number }) | undefined> {
  const start = await readStart(source, { offset, sizeBytes });
  const header = headerOf(start, { sizeBytes, id });
  if (header === undefined || !isPackedBlock(start, 0)) return undefined;
  const payload = await readPayload(source, { start, offset, payloadBytes: header.payloadBytes });
  if (payload === undefined || !isPayloadSound(payload, header)) return undefined;
  const { codec, encryption, keyId, payloadCrc } = header;
  return { id, sizeBytes, codec, encryption, keyId, payload, payloadCrc };
}

/** @throws what `BlockSealer.unpack` throws. */
export async function unpackRecord(
  source: RecordSource & { readonly sealing: BlockSealer }, place: RecordPlace, id: BlockId,
): Promise<Buffer | undefined> {
  const record = await readPackedRecord(source, place, id);
  return record === undefined ? undefined : source.sealing.unpack(record);
}

/** To be written elsewhere as it is: of a block whose key was destroyed. */
export function asPacked(
  { codec, encryption, keyId, payload, payloadCrc }: PackedRecord & { readonly payloadCrc: number },
): PackedBlock {
  return {
    codec, encryption, keyId, pieces: [payload], payloadBytes: payload.length, payloadCrc,
  };
}

/** With which key the block of that record is encrypted; 0 for none, and when it cannot be told
 *  because the record is damaged. */
export async function readKeyId(
  source: RecordSource, place: RecordPlace, id: BlockId,
): Promise<number> {
  const head = Buffer.allocUnsafe(HEADER_BYTES);
  if ((await source.read(head, place.offset)) !== HEADER_BYTES) return 0;
  const header = headerOf(head, { sizeBytes: place.sizeBytes, id });
  return header?.keyId ?? 0;
}

async function readStart(source: RecordSource, { offset, sizeBytes }: RecordPlace) {
  // What is encrypted is a little longer than the block; behind it stands a commit record.
  const wanted = sizeBytes > AT_ONCE_BYTES_MAX ? HEADER_BYTES : 2 * HEADER_BYTES + sizeBytes;
  const start = Buffer.allocUnsafeSlow(wanted);
  return start.subarray(0, await source.read(start, offset));
}

async function readPayload(
  source: RecordSource,
  { start, offset, payloadBytes }: { start: Buffer; offset: number; payloadBytes: number },
): Promise<Buffer | undefined> {
  const end = HEADER_BYTES + payloadBytes;
  if (start.length >= end) return start.subarray(HEADER_BYTES, end);
  const payload = Buffer.allocUnsafeSlow(payloadBytes);
  const filled = await source.read(payload, offset + HEADER_BYTES);
  return filled === payloadBytes ? payload : undefined;
}

/** Undefined when this is not the header of that block. */
function headerOf(
  start: Buffer, { sizeBytes, id }: { sizeBytes: number; id: BlockId },
): BlockHeader | undefined {
  if (start.length < HEADER_BYTES || !isRecordHeader(start, 0)) return undefined;
  if (!isPlainBlock(start, 0) && !isPackedBlock(start, 0)) return undefined;
  const header = readBlockHeader(start, 0);
  const isThat = header.sizeBytes === sizeBytes && start.toString('hex', 16, 48) === id;
  return isThat ? header : undefined;
}
