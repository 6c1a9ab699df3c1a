/**
 * The hint beside an unsealed volume: its entries so far, so that a restart reads on from there
 * instead of from the start. It is never trusted alone (the volume must hold the very commit that
 * the hint ends with), never synced, and may be deleted at any time.
 *
 * Segments follow each other: 64 bytes of header, then entries. docs/formats/volume.md.
 */
import { hash } from 'node:crypto';
import { crc32 } from './checksum.ts';
import { readUint, writeUint } from './record-codec.ts';
import { ENTRY_BYTES, type VolumeEntries } from './volume-entries.ts';
import type { VolumeFile } from './volume-files.ts';

const HINT_MAGIC = Buffer.from('HFHINT01', 'latin1');
const SEGMENT_HEADER_BYTES = 64;
/** Far above what a volume's blocks need; a bigger file is not ours. */
export const HINT_BYTES_MAX = 128 * 1024 * 1024;

/** Up to where a volume is known, and what must come next. */
export interface VolumePosition {
  end: number;
  nextBatch: number;
  chain: Buffer;
}

export interface VolumeKey {
  volumeId: number;
  seed: Buffer;
}

function keyedSum(seed: Buffer, header: Buffer): Buffer {
  return hash('sha256', Buffer.concat([seed, header.subarray(0, 56)]), 'buffer').subarray(0, 8);
}

/** A segment with the entries from `first` on, true for the volume up to `position`. */
export function encodeSegment(
  { volumeId, seed }: VolumeKey,
  entries: VolumeEntries,
  { first, position }: { first: number; position: VolumePosition },
): Buffer[] {
  const slices = entries.slices(first, entries.count);
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  HINT_MAGIC.copy(header, 0);
  writeUint(header, volumeId, 8);
  header.writeUInt32LE(first, 16);
  header.writeUInt32LE(entries.count - first, 20);
  writeUint(header, position.end, 24);
  writeUint(header, position.nextBatch, 32);
  position.chain.copy(header, 40, 0, 8);
  header.writeUInt32LE(slices.reduce((sum, slice) => crc32(slice, sum), 0), 48);
  keyedSum(seed, header).copy(header, 56);
  return [header, ...slices];
}

export interface LoadedHint {
  position: VolumePosition;
  /** How much of the hint file is sound; new segments go there. */
  hintBytes: number;
}

/**
 * Reads the sound segments and adds what they list to `entries`. Undefined when there is none.
 */
export async function loadHint(
  file: VolumeFile,
  { volumeId, seed }: VolumeKey,
  entries: VolumeEntries,
): Promise<LoadedHint | undefined> {
  const sizeBytes = await file.size();
  if (sizeBytes > HINT_BYTES_MAX) return undefined;
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  const filled = await file.read(bytes, 0);
  let loaded: LoadedHint | undefined;
  let at = 0;
  while (at + SEGMENT_HEADER_BYTES <= filled) {
    const header = bytes.subarray(at, at + SEGMENT_HEADER_BYTES);
    if (!header.subarray(0, 8).equals(HINT_MAGIC)) break;
    if (readUint(header, 8) !== volumeId || header.readUInt32LE(16) !== entries.count) break;
    if (!keyedSum(seed, header).equals(header.subarray(56, 64))) break;
    const begin = at + SEGMENT_HEADER_BYTES;
    const end = begin + header.readUInt32LE(20) * ENTRY_BYTES;
    if (end > filled || crc32(bytes.subarray(begin, end)) !== header.readUInt32LE(48)) break;
    entries.addAll(bytes, begin, header.readUInt32LE(20));
    at = end;
    loaded = { position: positionIn(header), hintBytes: at };
  }
  return loaded;
}

function positionIn(header: Buffer): VolumePosition {
  const chain = Buffer.from(header.subarray(40, 48));
  return { end: readUint(header, 24), nextBatch: readUint(header, 32), chain };
}
