import { hash } from 'node:crypto';
import type { BlockId } from '../../../base/ids.ts';
import { isKeyFault, type BlockSealer } from '../../sealing/block-sealer.ts';
import { isPacked } from '../../sealing/packed-block.ts';
import { isPayloadSound, tableBytes } from './payload.ts';
import {
  HEADER_BYTES, isPackedBlock, isPlainBlock, isRecordHeader, readBlockHeader, RECORD_MAGIC,
  storedRecordBytes, TYPE_COMMIT, type BlockHeader,
} from './record-codec.ts';
import type { ScanWindow } from './scan-window.ts';
import type { VolumeEntries } from './volume-entries.ts';

export interface Salvage {
  /** Different blocks found whole that were written here. */
  count: number;
  /** Ids of blocks whose header is sound and whose bytes are not. */
  lostIds: string[];
  /** Bytes that could not be made sense of, or that were meant for another place, without the
   *  blocks that are named in `lostIds`. */
  gapBytes: number;
}

/**
 * Finds the whole blocks between `start` and `end`, in which some bytes are damaged.
 *
 * Once a header is lost, the way to the next one is lost too, and what looks like a header may be
 * part of a user's block. So a block is believed only when its bytes hash to its id, and then it is
 * right to give them out under that id, whoever wrote them. A block whose key is not here cannot be
 * hashed: it is believed where the position follows from sound headers, and nowhere else.
 *
 * A write that went astray may have put whole blocks over others. They are right too, but they
 * stand for none that was here: those have batch numbers that fit, and lie here once.
 */
export async function salvage({ window, entries, start, end, batches, sealing }: {
  window: ScanWindow;
  entries: VolumeEntries;
  start: number;
  end: number;
  /** Numbers of the first and the last batch that may have been here. */
  batches: readonly [number, number];
  sealing?: BlockSealer | undefined;
}): Promise<Salvage> {
  const ids = new Set<string>();
  const found: Salvage = { count: 0, lostIds: [], gapBytes: 0 };
  // True while the position follows from sound headers, and not from a search.
  let sure = true;
  for (let position = start; position + HEADER_BYTES <= end; ) {
    const record = await readRecord(window, position, { end, sure, sealing });
    if (record === undefined) {
      sure = false;
      const header = await window.findAligned(RECORD_MAGIC, position + 8, end);
      const next = header < 0 ? end : header;
      found.gapBytes += next - position;
      position = next;
      continue;
    }
    if (record.whole) {
      entries.add(record.id, 0, { offset: position, sizeBytes: record.sizeBytes });
      const [first, last] = batches;
      const isOwn = record.batch >= first && record.batch <= last;
      if (isOwn && !ids.has(record.id.toString('hex'))) ids.add(record.id.toString('hex'));
      else found.gapBytes += record.lengthBytes;
    } else if (record.isBlock) {
      if (sure) found.lostIds.push(record.id.toString('hex'));
      else found.gapBytes += 8;
    }
    // A header found by searching may lie inside a bigger block: step over it only if it is whole.
    position += record.whole || sure ? record.lengthBytes : 8;
  }
  return { ...found, count: ids.size };
}

interface FoundRecord {
  id: Buffer;
  isBlock: boolean;
  whole: boolean;
  batch: number;
  sizeBytes: number;
  lengthBytes: number;
}

async function readRecord(
  window: ScanWindow,
  position: number,
  { end, sure, sealing }: { end: number; sure: boolean; sealing: BlockSealer | undefined },
): Promise<FoundRecord | undefined> {
  let at = window.offsetOf(position, HEADER_BYTES);
  if (at < 0) at = await window.load(position, HEADER_BYTES);
  if (at < 0 || !isRecordHeader(window.bytes, at)) return undefined;
  const header = readBlockHeader(window.bytes, at);
  const { type, batch, sizeBytes, payloadBytes } = header;
  const id = Buffer.from(window.bytes.subarray(at + 16, at + 48));
  if (type === TYPE_COMMIT) {
    return { id, isBlock: false, whole: false, batch, sizeBytes: 0, lengthBytes: HEADER_BYTES };
  }
  if (!isPlainBlock(window.bytes, at) && !isPackedBlock(window.bytes, at)) return undefined;
  const lengthBytes = storedRecordBytes(header);
  if (position + lengthBytes > end) return undefined;
  at = window.offsetOf(position, lengthBytes);
  if (at < 0) at = await window.load(position, lengthBytes);
  if (at < 0) return undefined;
  const payloadAt = at + HEADER_BYTES;
  const payload = window.bytes.subarray(payloadAt, payloadAt + payloadBytes);
  let whole = isPayloadSound(payload, header);
  if (whole && isPacked(header)) {
    const isBlock = await isThatBlock(sealing, header, { id, payload });
    whole = isBlock ?? sure;
  } else if (whole) {
    whole = hash('sha256', payload.subarray(tableBytes(sizeBytes)), 'buffer').equals(id);
  }
  return { id, isBlock: true, whole, batch, sizeBytes, lengthBytes };
}

/** Undefined when there is no key to tell. */
async function isThatBlock(
  sealing: BlockSealer | undefined,
  header: BlockHeader,
  { id, payload }: { id: Buffer; payload: Buffer },
): Promise<boolean | undefined> {
  if (sealing === undefined) return undefined;
  try {
    const record = { ...header, id: id.toString('hex') as BlockId, payload };
    return (await sealing.unpack(record)) !== undefined;
  } catch (error) {
    if (isKeyFault(error)) return undefined;
    throw error;
  }
}
