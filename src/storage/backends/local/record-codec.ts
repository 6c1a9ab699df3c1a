/**
 * The bytes of a volume: superblock, record headers, commit records. docs/formats/volume.md is the
 * specification; this file is its only writer. All numbers are little-endian.
 */
import { hash } from 'node:crypto';
import type { BlockId } from '../../../base/ids.ts';
import { BLOCK_BYTES_MAX } from '../../block.ts';
import { CIPHER_BYTES } from '../../sealing/block-cipher.ts';
import { isKnownPacking, isPacked, type Packing } from '../../sealing/packed-block.ts';
import { crc32, crc32Within } from './checksum.ts';
import { tableBytes } from './payload.ts';

/** Of a volume in which every block lies as it is. */
export const FORMAT_VERSION = 1;
/** Of a volume that may hold packed blocks. A program that does not know them must not open it: it
 *  would take them for damage, and perhaps cut them off. */
export const PACKED_FORMAT_VERSION = 2;
export const SUPERBLOCK_BYTES = 4096;
export const HEADER_BYTES = 64;
const SUPERBLOCK_MAGIC = Buffer.from('HFVOL01\n', 'latin1');
/** `HFR1` on disk. */
export const RECORD_MAGIC = Buffer.from('HFR1', 'latin1');
const RECORD_MAGIC_NUMBER = RECORD_MAGIC.readUInt32LE(0);
const RECORD_VERSION = 1;

export const TYPE_BLOCK = 1;
export const TYPE_COMMIT = 3;
export const TYPE_SEAL = 4;

export interface Superblock {
  /** FORMAT_VERSION when undefined. */
  formatVersion?: number;
  storeId: Buffer;
  volumeId: number;
  generation: number;
  createdMs: number;
  /** Random. Whoever does not know it cannot forge a commit inside a block's bytes. */
  seed: Buffer;
  /** The volume that was written before this one, 0 for none, and how much of it was durable when
   *  this one was made: so that an older volume cannot lose its end unnoticed. */
  previousVolumeId: number;
  previousEnd: number;
}

export function encodeSuperblock(superblock: Superblock): Buffer {
  const bytes = Buffer.alloc(SUPERBLOCK_BYTES);
  SUPERBLOCK_MAGIC.copy(bytes, 0);
  bytes.writeUInt16LE(superblock.formatVersion ?? FORMAT_VERSION, 8);
  bytes.writeUInt32LE(SUPERBLOCK_BYTES, 12);
  superblock.storeId.copy(bytes, 16, 0, 16);
  writeUint(bytes, superblock.volumeId, 32);
  bytes.writeUInt32LE(superblock.generation, 40);
  writeUint(bytes, superblock.createdMs, 48);
  superblock.seed.copy(bytes, 56, 0, 32);
  writeUint(bytes, superblock.previousVolumeId, 88);
  writeUint(bytes, superblock.previousEnd, 96);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, SUPERBLOCK_BYTES - 4)), SUPERBLOCK_BYTES - 4);
  return bytes;
}

export type SuperblockFault = 'magic' | 'checksum' | 'version';

export function decodeSuperblock(bytes: Buffer): Superblock | SuperblockFault {
  if (bytes.length < SUPERBLOCK_BYTES) return 'magic';
  if (!bytes.subarray(0, 8).equals(SUPERBLOCK_MAGIC)) return 'magic';
  const checksum = bytes.readUInt32LE(SUPERBLOCK_BYTES - 4);
  if (crc32(bytes.subarray(0, SUPERBLOCK_BYTES - 4)) !== checksum) return 'checksum';
  const formatVersion = bytes.readUInt16LE(8);
  if (formatVersion < FORMAT_VERSION || formatVersion > PACKED_FORMAT_VERSION) return 'version';
  return {
    formatVersion,
    storeId: Buffer.from(bytes.subarray(16, 32)),
    volumeId: readUint(bytes, 32),
    generation: bytes.readUInt32LE(40),
    createdMs: readUint(bytes, 48),
    seed: Buffer.from(bytes.subarray(56, 88)),
    previousVolumeId: readUint(bytes, 88),
    previousEnd: readUint(bytes, 96),
  };
}

/** What a payload takes on disk: records begin at multiples of 8. */
export function paddedBytes(sizeBytes: number): number {
  return (sizeBytes + 7) & ~7;
}

/** Where it is and what it should be, as a record header says. */
export interface BlockHeader extends Packing {
  type: number;
  /** Of the block. */
  sizeBytes: number;
  /** What follows the header, without padding: the table of a big block, and its bytes. */
  payloadBytes: number;
  payloadCrc: number;
  batch: number;
}

export interface HeaderNumbers {
  sizeBytes: number;
  payloadCrc: number;
  batch: number;
  /** Of a block that is compressed or encrypted. */
  packed?: (Packing & { readonly payloadBytes: number }) | undefined;
}

export function writeBlockHeader(
  into: Buffer,
  at: number,
  id: BlockId,
  { sizeBytes, payloadCrc, batch, packed }: HeaderNumbers,
): void {
  into.writeUInt32LE(RECORD_MAGIC_NUMBER, at);
  into[at + 4] = TYPE_BLOCK;
  into[at + 5] = packed?.codec ?? 0;
  into[at + 6] = packed?.encryption ?? 0;
  into[at + 7] = RECORD_VERSION;
  into.writeUInt32LE(packed?.payloadBytes ?? tableBytes(sizeBytes) + sizeBytes, at + 8);
  into.writeUInt32LE(sizeBytes, at + 12);
  into.write(id, at + 16, 32, 'hex');
  into.writeUInt32LE(payloadCrc, at + 48);
  into.writeUInt32LE(packed?.keyId ?? 0, at + 52);
  into.writeUInt32LE(batch >>> 0, at + 56);
  into.writeUInt32LE(crc32Within(into, at, at + 60), at + 60);
}

/** A seal record announces the footer that follows it. */
export function encodeSealHeader(bodyBytes: number, bodyCrc: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  RECORD_MAGIC.copy(header);
  header[4] = TYPE_SEAL;
  header[7] = RECORD_VERSION;
  header.writeUInt32LE(bodyBytes, 8);
  header.writeUInt32LE(bodyBytes, 12);
  header.writeUInt32LE(bodyCrc, 48);
  header.writeUInt32LE(crc32Within(header, 0, 60), 60);
  return header;
}

/** Magic, version and checksum are right: these 64 bytes are a record header. */
export function isRecordHeader(bytes: Buffer, at: number): boolean {
  return (
    bytes.readUInt32LE(at) === RECORD_MAGIC_NUMBER &&
    bytes[at + 7] === RECORD_VERSION &&
    bytes.readUInt32LE(at + 60) === crc32Within(bytes, at, at + 60)
  );
}

/** Of a block or seal record; the caller has checked `isRecordHeader`. */
export function readBlockHeader(bytes: Buffer, at: number): BlockHeader {
  return {
    type: bytes[at + 4] as number,
    codec: bytes[at + 5] as number,
    encryption: bytes[at + 6] as number,
    keyId: bytes.readUInt32LE(at + 52),
    sizeBytes: bytes.readUInt32LE(at + 12),
    payloadBytes: bytes.readUInt32LE(at + 8),
    payloadCrc: bytes.readUInt32LE(at + 48),
    batch: bytes.readUInt32LE(at + 56),
  };
}

/** True when it is a block of a possible size, neither compressed nor encrypted. */
export function isPlainBlock(bytes: Buffer, at: number): boolean {
  const sizeBytes = bytes.readUInt32LE(at + 12);
  if (sizeBytes < 1 || sizeBytes > BLOCK_BYTES_MAX) return false;
  if (bytes.readUInt32LE(at + 8) !== tableBytes(sizeBytes) + sizeBytes) return false;
  return bytes[at + 4] === TYPE_BLOCK && bytes[at + 5] === 0 && bytes[at + 6] === 0;
}

/** True when it is a block that is compressed, encrypted or both, in a way known here. */
export function isPackedBlock(bytes: Buffer, at: number): boolean {
  const { type, sizeBytes, payloadBytes, ...packing } = readBlockHeader(bytes, at);
  if (type !== TYPE_BLOCK || !isPacked(packing) || !isKnownPacking(packing)) return false;
  if (sizeBytes < 1 || sizeBytes > BLOCK_BYTES_MAX) return false;
  return payloadBytes >= 1 && payloadBytes <= sizeBytes + CIPHER_BYTES;
}

/** What a record takes in a volume, as its header says: header, payload, padding. */
export function storedRecordBytes({ payloadBytes }: { payloadBytes: number }): number {
  return HEADER_BYTES + paddedBytes(payloadBytes);
}

/** What a block takes in a volume as it is: header, table, bytes, padding. */
export function recordBytes(sizeBytes: number): number {
  return HEADER_BYTES + tableBytes(sizeBytes) + paddedBytes(sizeBytes);
}

export interface Commit {
  batch: number;
  /** Where the batch's first record begins. */
  batchStart: number;
  /** From there to the commit record. */
  batchBytes: number;
  recordCount: number;
  /** CRC-32 of the batch's record headers. Each of them ends in the CRC-32 of the rest of it, so
   *  this tells how many there are, and nothing of what they say: see `countCrc`. */
  headersCrc: number;
  /** Of what they say: see `sumHeader`. 0 when the writer did not know of it. */
  headersSum: number;
  writtenMs: number;
  previousChain: Buffer;
  chain: Buffer;
}

export function firstChain(seed: Buffer): Buffer {
  return hash('sha256', seed, 'buffer').subarray(0, 8);
}

/** Keyed by the volume's seed, so each commit can be believed by itself, wherever it is found. */
function chainOf(seed: Buffer, commit: Buffer, at: number): Buffer {
  const keyed = Buffer.allocUnsafe(32 + 48 + 4);
  seed.copy(keyed, 0, 0, 32);
  commit.copy(keyed, 32, at, at + 48);
  commit.copy(keyed, 80, at + 56, at + 60);
  return hash('sha256', keyed, 'buffer').subarray(0, 8);
}

/** The CRC-32 of `count` headers that are sound by themselves, whatever they say. */
export function countCrc(count: number): number {
  for (let known = COUNT_CRCS.length; known <= count; known++) {
    COUNT_CRCS.push(crc32Within(ANY_HEADER, 0, HEADER_BYTES, COUNT_CRCS[known - 1]));
  }
  return COUNT_CRCS[count] as number;
}

const ANY_HEADER = Buffer.alloc(HEADER_BYTES);
ANY_HEADER.writeUInt32LE(crc32Within(ANY_HEADER, 0, HEADER_BYTES - 4), HEADER_BYTES - 4);
const COUNT_CRCS = [0];

/** Goes on from `before`, the sum of the headers ahead of this one; 0 for the first. Without the
 *  CRC at its end, which would cancel out all that stands before it. */
export function sumHeader(bytes: Uint8Array, at: number, before: number): number {
  return crc32Within(bytes, at, at + HEADER_BYTES - 4, before);
}

/** 0 means that there is none, so one that comes out as 0 is written as 1. */
function sumOnDisk(headersSum: number): number {
  return headersSum === 0 ? 1 : headersSum;
}

/** Does what the commit says of the headers fit what they are? */
export function isHeadersSum({ headersSum }: Pick<Commit, 'headersSum'>, sum: number): boolean {
  return headersSum === 0 || headersSum === sumOnDisk(sum);
}

/** Writes the commit record and returns its chain. */
export function writeCommit(
  into: Buffer,
  at: number,
  seed: Buffer,
  commit: Omit<Commit, 'chain'>,
): Buffer {
  into.writeUInt32LE(RECORD_MAGIC_NUMBER, at);
  into[at + 4] = TYPE_COMMIT;
  into[at + 7] = RECORD_VERSION;
  writeUint(into, commit.batch, at + 8);
  writeUint(into, commit.batchStart, at + 16);
  into.writeUInt32LE(commit.recordCount, at + 24);
  into.writeUInt32LE(commit.headersCrc, at + 28);
  writeUint(into, commit.writtenMs, at + 32);
  // In two halves, where readers that do not know of it do not look.
  const sum = sumOnDisk(commit.headersSum);
  into.writeUInt16LE(sum & 0xffff, at + 5);
  into.writeUInt16LE(sum >>> 16, at + 38);
  commit.previousChain.copy(into, at + 40, 0, 8);
  into.writeUInt32LE(commit.batchBytes, at + 56);
  const chain = chainOf(seed, into, at);
  chain.copy(into, at + 48);
  into.writeUInt32LE(crc32Within(into, at, at + 60), at + 60);
  return chain;
}

/** The commit record at `at`, or undefined: not one, damaged, forged, or not where it belongs. */
export function readCommit(
  bytes: Buffer,
  at: number,
  seed: Buffer,
  position: number,
): Commit | undefined {
  if (bytes[at + 4] !== TYPE_COMMIT || !isRecordHeader(bytes, at)) return undefined;
  const chain = Buffer.from(bytes.subarray(at + 48, at + 56));
  if (!chainOf(seed, bytes, at).equals(chain)) return undefined;
  const batchStart = readUint(bytes, at + 16);
  const batchBytes = bytes.readUInt32LE(at + 56);
  if (batchStart + batchBytes !== position) return undefined;
  return {
    batch: readUint(bytes, at + 8),
    batchStart,
    batchBytes,
    recordCount: bytes.readUInt32LE(at + 24),
    headersCrc: bytes.readUInt32LE(at + 28),
    headersSum: (bytes.readUInt16LE(at + 5) | (bytes.readUInt16LE(at + 38) << 16)) >>> 0,
    writtenMs: bytes.readUIntLE(at + 32, 6),
    previousChain: Buffer.from(bytes.subarray(at + 40, at + 48)),
    chain,
  };
}

/** A safe integer as 8 bytes, without the cost of a BigInt. */
export function writeUint(into: Buffer, value: number, at: number): void {
  into.writeUInt32LE(value % 0x1_0000_0000, at);
  into.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

export function readUint(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
}
