/** Which messages there are, and the limits both sides keep. docs/formats/filer-protocol.md. */
import type { FrameLimits } from './frame.ts';
import { FieldReader, FieldWriter } from './fields.ts';
import { uuidBytes, uuidText } from './handshake.ts';
import type { OpenMode } from '../backends/local/volume-files.ts';

const MIB = 1024 ** 2;
/** What one write may carry; longer ones travel in several. */
export const WRITE_BYTES_MAX = 16 * MIB;
/** What one read may ask for; a longer one travels in several, so that the disk reads the next part
 *  while this one is on its way. */
export const READ_BYTES_MAX = MIB / 2;
/** Names in one answer to a list. */
export const LIST_NAMES_MAX = 3000;
/** Before the other side has proved itself it gets little of our memory. */
export const HANDSHAKE_LIMITS: FrameLimits = { fieldsBytesMax: 1024, dataBytesMax: 0 };
export const SESSION_LIMITS: FrameLimits = { fieldsBytesMax: MIB, dataBytesMax: WRITE_BYTES_MAX };

export const MESSAGE = {
  hello: 1, challenge: 2, proof: 3, welcome: 4, refusal: 5,
  ping: 16, list: 17, prepare: 18, open: 19, close: 20, size: 21, read: 22, write: 23, sync: 24,
  truncate: 25, rename: 26, remove: 27, syncFolder: 28, space: 29, digests: 30, trash: 31,
  restore: 32, listTrash: 33,
  done: 64, failed: 65,
} as const;

/** By position on the wire. */
export const OPEN_MODES: readonly OpenMode[] = ['read', 'write', 'create'];

/** What follows a write, or is asked for alone. */
export const SYNC = { none: 0, data: 1, all: 2 } as const;

export interface WelcomedDisk {
  readonly diskId: string;
  /** The epoch it was last written under; 0 for none. */
  readonly lastEpoch: number;
}

const DISKS_MAX = 1024;
const DISK_BYTES = 24;

export function encodeWelcome(disks: readonly WelcomedDisk[]): Buffer {
  const fields = new FieldWriter().u32(disks.length);
  for (const { diskId, lastEpoch } of disks) fields.raw(uuidBytes(diskId)).u64(lastEpoch);
  return fields.done();
}

/** Disks are named by their position in this list for as long as the connection lasts. */
export function decodeWelcome(bytes: Buffer): WelcomedDisk[] {
  const fields = new FieldReader(bytes);
  const count = fields.u32();
  const disks: WelcomedDisk[] = [];
  for (let at = 0; at < Math.min(count, DISKS_MAX, bytes.length / DISK_BYTES); at++) {
    disks.push({ diskId: uuidText(fields.raw(16)), lastEpoch: fields.u64() });
  }
  fields.end();
  return disks;
}
