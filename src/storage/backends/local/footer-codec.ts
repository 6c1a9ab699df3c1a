/**
 * The footer of a sealed volume: all of its blocks, sorted by id, so that a restart need not read
 * the volume, and a listing can be made from disk. docs/formats/volume.md has the layout.
 */
import { crc32 } from './checksum.ts';
import {
  encodeSealHeader, FORMAT_VERSION, HEADER_BYTES, paddedBytes, readUint, writeUint,
} from './record-codec.ts';
import { nextTurn } from './turn.ts';
import { ENTRY_BYTES, type VolumeEntries } from './volume-entries.ts';
import type { VolumeFile } from './volume-files.ts';

export const TRAILER_BYTES = 4096;
const TRAILER_MAGIC = Buffer.from('HFSEAL01', 'latin1');
const FANOUT_BYTES = 256 * 4;

/** Sorting so many takes a few milliseconds. */
const SORTED_PER_TURN = 8192;

/** What the last 4096 bytes of a sealed volume say. */
export interface Trailer {
  volumeId: number;
  entryCount: number;
  /** After the last commit record; the seal record begins here. */
  dataEnd: number;
  bodyAt: number;
  bodyBytes: number;
  bodyCrc: number;
  /** Sum of the blocks' sizes. */
  storedBytes: number;
  chain: Buffer;
}

/** Sorts in small stretches, for a volume may hold a million blocks and users wait meanwhile. */
async function sortedBody(entries: VolumeEntries): Promise<Buffer[]> {
  const { order, ends } = entries.groupByFirstByte();
  await nextTurn();
  const pieces: Buffer[] = [];
  let sinceTurn = 0;
  for (let first = 0; first < 256; first++) {
    const begin = first === 0 ? 0 : (ends[first - 1] as number);
    pieces.push(sortedBucket(entries, order.subarray(begin, ends[first])));
    sinceTurn += (ends[first] as number) - begin;
    if (sinceTurn < SORTED_PER_TURN) continue;
    sinceTurn = 0;
    await nextTurn();
  }
  const fanout = Buffer.alloc(FANOUT_BYTES);
  ends.forEach((end, first) => fanout.writeUInt32LE(end, first * 4));
  return [...pieces, fanout];
}

function sortedBucket(entries: VolumeEntries, bucket: Uint32Array): Buffer {
  bucket.sort((left, right) => {
    const a = entries.at(left);
    const b = entries.at(right);
    const quick = a.bytes.readUInt32BE(a.at + 1) - b.bytes.readUInt32BE(b.at + 1);
    if (quick !== 0) return quick;
    return a.bytes.compare(b.bytes, b.at, b.at + 32, a.at, a.at + 32);
  });
  const sorted = Buffer.allocUnsafeSlow(bucket.length * ENTRY_BYTES);
  bucket.forEach((number, position) => {
    const { bytes, at } = entries.at(number);
    bytes.copy(sorted, position * ENTRY_BYTES, at, at + ENTRY_BYTES);
  });
  return sorted;
}

export interface FooterInput {
  volumeId: number;
  dataEnd: number;
  chain: Buffer;
  entries: VolumeEntries;
}

/** Seal record, body and trailer, to be written at `dataEnd`; the file ends after them. */
export async function encodeFooter(input: FooterInput): Promise<{
  pieces: Buffer[];
  trailer: Trailer;
}> {
  const { volumeId, dataEnd, chain, entries } = input;
  const body = await sortedBody(entries);
  let bodyCrc = 0;
  let bodyBytes = 0;
  for (const piece of body) {
    bodyCrc = crc32(piece, bodyCrc);
    bodyBytes += piece.length;
  }
  const trailer: Trailer = {
    volumeId, dataEnd, bodyBytes, bodyCrc, chain,
    entryCount: entries.count, bodyAt: dataEnd + HEADER_BYTES, storedBytes: entries.storedBytes,
  };
  const padding = Buffer.alloc(paddedBytes(bodyBytes) - bodyBytes);
  const seal = encodeSealHeader(bodyBytes, bodyCrc);
  return { pieces: [seal, ...body, padding, encodeTrailer(trailer)], trailer };
}

export function encodeTrailer(trailer: Trailer): Buffer {
  const bytes = Buffer.alloc(TRAILER_BYTES);
  TRAILER_MAGIC.copy(bytes, 0);
  bytes.writeUInt16LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(trailer.entryCount, 12);
  writeUint(bytes, trailer.volumeId, 16);
  writeUint(bytes, trailer.dataEnd, 24);
  writeUint(bytes, trailer.bodyAt, 32);
  writeUint(bytes, trailer.bodyBytes, 40);
  bytes.writeUInt32LE(trailer.bodyCrc, 48);
  writeUint(bytes, trailer.storedBytes, 56);
  trailer.chain.copy(bytes, 64, 0, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, TRAILER_BYTES - 4)), TRAILER_BYTES - 4);
  return bytes;
}

/** Undefined when these bytes are not a sound trailer of this volume. */
export function decodeTrailer(bytes: Buffer, volumeId: number): Trailer | undefined {
  if (bytes.length !== TRAILER_BYTES || !bytes.subarray(0, 8).equals(TRAILER_MAGIC)) return;
  const checksum = bytes.readUInt32LE(TRAILER_BYTES - 4);
  if (crc32(bytes.subarray(0, TRAILER_BYTES - 4)) !== checksum) return undefined;
  if (bytes.readUInt16LE(8) !== FORMAT_VERSION || readUint(bytes, 16) !== volumeId) return;
  const trailer: Trailer = {
    volumeId,
    entryCount: bytes.readUInt32LE(12),
    dataEnd: readUint(bytes, 24),
    bodyAt: readUint(bytes, 32),
    bodyBytes: readUint(bytes, 40),
    bodyCrc: bytes.readUInt32LE(48),
    storedBytes: readUint(bytes, 56),
    chain: Buffer.from(bytes.subarray(64, 72)),
  };
  const expected = trailer.entryCount * ENTRY_BYTES + FANOUT_BYTES;
  return trailer.bodyBytes === expected ? trailer : undefined;
}

/** Hands each entry of a sealed volume to `take`; false, and nothing taken, when it is damaged. */
export async function readFooter(
  file: Pick<VolumeFile, 'read'>,
  trailer: Trailer,
  take: (bytes: Buffer, at: number) => void,
): Promise<boolean> {
  const body = Buffer.allocUnsafeSlow(trailer.bodyBytes);
  if ((await file.read(body, trailer.bodyAt)) !== body.length) return false;
  if (crc32(body) !== trailer.bodyCrc) return false;
  const end = trailer.entryCount * ENTRY_BYTES;
  for (let at = 0; at < end; at += ENTRY_BYTES) {
    take(body, at);
    if (at % (ENTRY_BYTES * 16_384) === 0) await nextTurn();
  }
  return true;
}

/** Where the entries that begin with each byte end: 256 numbers of 4 bytes. */
export async function readFanout(
  file: Pick<VolumeFile, 'read'>,
  trailer: Trailer,
): Promise<Buffer> {
  const fanout = Buffer.alloc(FANOUT_BYTES);
  const filled = await file.read(fanout, trailer.bodyAt + trailer.entryCount * ENTRY_BYTES);
  if (filled !== FANOUT_BYTES) throw new Error('a sealed volume has become shorter');
  return fanout;
}

/** The place of the entries whose id begins with the byte `first`. */
export function bucketOf(fanout: Buffer, trailer: Trailer, first: number): BucketPlace {
  const begin = first === 0 ? 0 : fanout.readUInt32LE((first - 1) * 4);
  const end = fanout.readUInt32LE(first * 4);
  if (begin > end || end > trailer.entryCount) throw new Error('a footer is damaged');
  const position = trailer.bodyAt + begin * ENTRY_BYTES;
  return { position, lengthBytes: (end - begin) * ENTRY_BYTES };
}

export interface BucketPlace {
  position: number;
  lengthBytes: number;
}
