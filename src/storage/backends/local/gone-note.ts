/**
 * The note that stays where a volume was, once compaction has emptied it: so that nobody takes the
 * missing number for a loss. docs/formats/volume.md has its bytes.
 */
import { crc32 } from './checksum.ts';
import { readUint, writeUint } from './record-codec.ts';
import { goneName } from './volume.ts';
import type { VolumeFiles } from './volume-files.ts';

const MAGIC = Buffer.from('HFGONE01', 'latin1');
const VERSION = 1;
export const GONE_BYTES = 128;

export interface GoneNote {
  storeId: Buffer;
  volumeId: number;
  /** Up to here the volume held records. */
  dataEnd: number;
  /** When it left. */
  leftMs: number;
  recordCount: number;
  /** The volume's own: says which file of that number it was. */
  seed: Buffer;
}

export function encodeGoneNote(note: GoneNote): Buffer {
  const bytes = Buffer.alloc(GONE_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt16LE(VERSION, 8);
  note.storeId.copy(bytes, 16, 0, 16);
  writeUint(bytes, note.volumeId, 32);
  writeUint(bytes, note.dataEnd, 40);
  writeUint(bytes, note.leftMs, 48);
  writeUint(bytes, note.recordCount, 56);
  note.seed.copy(bytes, 64, 0, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, GONE_BYTES - 4)), GONE_BYTES - 4);
  return bytes;
}

/** Undefined when these bytes are not a sound note about this volume. */
export function decodeGoneNote(bytes: Buffer, volumeId: number): GoneNote | undefined {
  if (bytes.length !== GONE_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return undefined;
  if (bytes.readUInt16LE(8) !== VERSION || readUint(bytes, 32) !== volumeId) return undefined;
  const checksum = bytes.readUInt32LE(GONE_BYTES - 4);
  if (crc32(bytes.subarray(0, GONE_BYTES - 4)) !== checksum) return undefined;
  return {
    storeId: Buffer.from(bytes.subarray(16, 32)),
    volumeId,
    dataEnd: readUint(bytes, 40),
    leftMs: readUint(bytes, 48),
    recordCount: readUint(bytes, 56),
    seed: Buffer.from(bytes.subarray(64, 96)),
  };
}

/** Once resolved, the note survives a power cut. */
export async function writeGoneNote(files: VolumeFiles, note: GoneNote): Promise<void> {
  const name = goneName(note.volumeId);
  const draft = `${name}.new`;
  const names = await files.list();
  if (names.includes(draft)) await files.remove(draft);
  const file = await files.open(draft, 'create');
  try {
    await file.write([encodeGoneNote(note)], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  if (names.includes(name)) await files.remove(name);
  await files.rename(draft, name);
  await files.syncFolder();
}

/** Undefined when none of its copies is sound. A copy that cannot be read is no reason to give up
 *  as long as another one explains the number. */
export async function readGoneNote(
  files: VolumeFiles, volumeId: number,
): Promise<GoneNote | undefined> {
  const file = await files.open(goneName(volumeId), 'read');
  try {
    const bytes = Buffer.alloc(GONE_BYTES);
    let failure: unknown;
    for (const copy of [file, ...(file.copies ?? [])]) {
      try {
        const filled = await copy.read(bytes, 0);
        const note = decodeGoneNote(bytes.subarray(0, filled), volumeId);
        if (note !== undefined) return note;
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure as Error;
    return undefined;
  } finally {
    await file.close();
  }
}
