import { hash } from 'node:crypto';
import { isSound, tableBytes } from './payload.ts';
import {
  HEADER_BYTES, isPlainBlock, isRecordHeader, readBlockHeader, recordBytes, RECORD_MAGIC,
  TYPE_COMMIT,
} from './record-codec.ts';
import type { ScanWindow } from './scan-window.ts';
import type { VolumeEntries } from './volume-entries.ts';

export interface Salvage {
  /** Blocks found whole. */
  count: number;
  /** Ids of blocks whose header is sound and whose bytes are not. */
  lostIds: string[];
  /** Bytes that could not be made sense of, without the blocks that are named in `lostIds`. */
  gapBytes: number;
}

/**
 * Finds the whole blocks between `start` and `end`, in which some bytes are damaged.
 *
 * Once a header is lost, the way to the next one is lost too, and what looks like a header may be
 * part of a user's block. So a block is believed only when its bytes hash to its id, and then it is
 * right to give them out under that id, whoever wrote them.
 */
export async function salvage({ window, entries, start, end }: {
  window: ScanWindow;
  entries: VolumeEntries;
  start: number;
  end: number;
}): Promise<Salvage> {
  const found: Salvage = { count: 0, lostIds: [], gapBytes: 0 };
  // True while the position follows from sound headers, and not from a search.
  let sure = true;
  for (let position = start; position + HEADER_BYTES <= end; ) {
    const record = await readRecord(window, position, end);
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
      found.count++;
    } else if (record.isBlock) {
      if (sure) found.lostIds.push(record.id.toString('hex'));
      else found.gapBytes += 8;
    }
    // A header found by searching may lie inside a bigger block: step over it only if it is whole.
    position += record.whole || sure ? record.lengthBytes : 8;
  }
  return found;
}

interface FoundRecord {
  id: Buffer;
  isBlock: boolean;
  whole: boolean;
  sizeBytes: number;
  lengthBytes: number;
}

async function readRecord(
  window: ScanWindow,
  position: number,
  end: number,
): Promise<FoundRecord | undefined> {
  let at = window.offsetOf(position, HEADER_BYTES);
  if (at < 0) at = await window.load(position, HEADER_BYTES);
  if (at < 0 || !isRecordHeader(window.bytes, at)) return undefined;
  const { type, sizeBytes, payloadBytes, payloadCrc } = readBlockHeader(window.bytes, at);
  const id = Buffer.from(window.bytes.subarray(at + 16, at + 48));
  if (type === TYPE_COMMIT) {
    return { id, isBlock: false, whole: false, sizeBytes: 0, lengthBytes: HEADER_BYTES };
  }
  if (!isPlainBlock(window.bytes, at)) return undefined;
  const lengthBytes = recordBytes(sizeBytes);
  if (position + lengthBytes > end) return undefined;
  at = window.offsetOf(position, lengthBytes);
  if (at < 0) at = await window.load(position, lengthBytes);
  if (at < 0) return undefined;
  const payloadAt = at + HEADER_BYTES;
  const payload = window.bytes.subarray(payloadAt, payloadAt + payloadBytes);
  const content = payload.subarray(tableBytes(sizeBytes));
  const sound = isSound(payload, sizeBytes, payloadCrc);
  const whole = sound && hash('sha256', content, 'buffer').equals(id);
  return { id, isBlock: true, whole, sizeBytes, lengthBytes };
}
