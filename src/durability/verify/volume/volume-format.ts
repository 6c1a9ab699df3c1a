/**
 * Reads the bytes of volumes as docs/formats/volume.md describes them. Written from that page
 * alone: the code that writes volumes is never used here, so that a mistake in it is not repeated.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32, zstdDecompress } from 'node:zlib';

export const HEAD_BYTES = 4096;
export const RECORD_HEADER_BYTES = 64;
export const TAIL_BYTES = 4096;
export const LISTED_BYTES = 48;
export const FANOUT_BYTES = 1024;
const BLOCK_BYTES_MAX = 4 * 1024 * 1024;
/** The longest stretch of a long block that has a checksum of its own. */
export const SEGMENT_BYTES = 256 * 1024;
/** The longest payload: a table of 16 numbers, and the bytes. A codec that makes a block longer is
 *  not used for it, but a cipher adds a little. */
export const PAYLOAD_BYTES_MAX = BLOCK_BYTES_MAX + 4096;
export const RECORD_MAGIC = Buffer.from('HFR1', 'latin1');
/** From 2 on blocks may be packed: compressed, encrypted, or both. */
const FORMAT_MAX = 2;
const CODEC_ZSTD = 3;
const unzstd = promisify<Buffer, object, Buffer>(zstdDecompress);

export const RECORD = { block: 1, tombstone: 2, commit: 3, seal: 4 } as const;

export interface VolumeHead {
  storeId: string;
  volumeId: number;
  generation: number;
  createdMs: number;
  seed: Buffer;
  /** The volume written before this one, 0 for none, and how much of it was durable then. */
  previousVolumeId: number;
  previousEnd: number;
}

export type HeadFault = 'cut' | 'magic' | 'checksum' | 'newer';

export function readHead(bytes: Buffer): VolumeHead | HeadFault {
  if (bytes.length < HEAD_BYTES) return 'cut';
  if (bytes.toString('latin1', 0, 8) !== 'HFVOL01\n') return 'magic';
  if (crc32(bytes.subarray(0, 4092)) !== bytes.readUInt32LE(4092)) return 'checksum';
  if (bytes.readUInt16LE(8) > FORMAT_MAX) return 'newer';
  return {
    storeId: bytes.toString('hex', 16, 32),
    volumeId: u64(bytes, 32),
    generation: bytes.readUInt32LE(40),
    createdMs: u64(bytes, 48),
    seed: Buffer.from(bytes.subarray(56, 88)),
    previousVolumeId: u64(bytes, 88),
    previousEnd: u64(bytes, 96),
  };
}

export interface RecordHeader {
  type: number;
  /** 0: the payload is the block itself, behind its table of checksums if it is long. */
  codec: number;
  encryption: number;
  payloadBytes: number;
  blockBytes: number;
  /** Lower-case hex. */
  id: string;
  payloadCrc: number;
  /** 0: not encrypted. */
  keyId: number;
  /** Where the next record begins, from where this one does. */
  recordBytes: number;
}

/** Whether 64 bytes at `at` are a record header of any type: magic, version and checksum. */
export function isRecordHeader(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32LE(at) === 0x3152_4648 && bytes[at + 7] === 1
    && bytes.readUInt32LE(at + 60) === crc32(bytes.subarray(at, at + 60));
}

/** A block's header; undefined when it is no sound one. */
export function readBlockHeader(bytes: Buffer, at: number): RecordHeader | undefined {
  if (bytes[at + 4] !== RECORD.block || !isRecordHeader(bytes, at)) return undefined;
  const payloadBytes = bytes.readUInt32LE(at + 8);
  const blockBytes = bytes.readUInt32LE(at + 12);
  const codec = bytes[at + 5] ?? 0;
  const encryption = bytes[at + 6] ?? 0;
  if (blockBytes < 1 || blockBytes > BLOCK_BYTES_MAX) return undefined;
  if (payloadBytes < 1 || payloadBytes > PAYLOAD_BYTES_MAX) return undefined;
  const isPlain = codec === 0 && encryption === 0;
  if (isPlain && payloadBytes !== tableBytes(blockBytes) + blockBytes) return undefined;
  return {
    type: RECORD.block, codec, encryption, payloadBytes, blockBytes,
    id: bytes.toString('hex', at + 16, at + 48),
    payloadCrc: bytes.readUInt32LE(at + 48),
    keyId: bytes.readUInt32LE(at + 52),
    recordBytes: RECORD_HEADER_BYTES + toEight(payloadBytes),
  };
}

/** What stands before the bytes of a payload longer than a segment: a checksum for each. */
export function tableBytes(lengthBytes: number): number {
  if (lengthBytes <= SEGMENT_BYTES) return 0;
  return toEight(Math.ceil(lengthBytes / SEGMENT_BYTES) * 4);
}

/** Does the payload fit the checksums: the header's, and those of its table if it has one? */
export function isPayloadSound(payload: Buffer, header: RecordHeader): boolean {
  return checkedParts(payload, header).every(({ from, end, crc }) =>
    crc32(payload.subarray(from, end)) === crc);
}

/** The parts of a payload that have a checksum each, and that. */
export function checkedParts(
  payload: Buffer, header: RecordHeader,
): { from: number; end: number; crc: number }[] {
  const table = tableOf(header);
  const first = { from: 0, end: table === 0 ? payload.length : table, crc: header.payloadCrc };
  if (table === 0) return [first];
  const parts = [first];
  for (let from = table, entry = 0; from < payload.length; entry += 4) {
    const end = Math.min(from + SEGMENT_BYTES, payload.length);
    parts.push({ from, end, crc: payload.readUInt32LE(entry) });
    from = end;
  }
  return parts;
}

/** Where the bytes of a block are in a sound payload, and whether they are packed; undefined when
 *  they are encrypted: verifiers hold no keys. */
export function blockBytesIn(
  payload: Buffer, header: RecordHeader,
): { bytes: Buffer; isZstd: boolean } | undefined {
  const { codec, encryption } = header;
  if (encryption !== 0) return undefined;
  if (codec === 0) return { bytes: payload.subarray(tableOf(header)), isZstd: false };
  return codec === CODEC_ZSTD ? { bytes: payload, isZstd: true } : undefined;
}

/** The block in a sound payload; undefined when it is encrypted, `damaged` when it cannot be
 *  unpacked. */
export async function blockIn(
  payload: Buffer, header: RecordHeader,
): Promise<Buffer | 'damaged' | undefined> {
  const found = blockBytesIn(payload, header);
  if (found?.isZstd !== true) return found?.bytes;
  return unzstd(payload, { maxOutputLength: header.blockBytes })
    .catch((): 'damaged' => 'damaged');
}

function tableOf({ codec, encryption, blockBytes }: RecordHeader): number {
  return codec === 0 && encryption === 0 ? tableBytes(blockBytes) : 0;
}

export interface CommitMark {
  batch: number;
  batchStart: number;
  recordCount: number;
  headersCrc: number;
  /** Of what the batch's headers say; 0: written before there was one. */
  headersSum: number;
  previousChain: string;
  chain: string;
}

/** A commit record that lies where its own numbers say, with the right key; else undefined. */
export function readCommit(
  bytes: Buffer, at: number, place: { seed: Buffer; position: number },
): CommitMark | undefined {
  if (bytes[at + 4] !== RECORD.commit || !isRecordHeader(bytes, at)) return undefined;
  const hash = createHash('sha256').update(place.seed)
    .update(bytes.subarray(at, at + 48)).update(bytes.subarray(at + 56, at + 60)).digest();
  const chain = bytes.toString('hex', at + 48, at + 56);
  if (hash.toString('hex', 0, 8) !== chain) return undefined;
  const batchStart = u64(bytes, at + 16);
  if (batchStart + bytes.readUInt32LE(at + 56) !== place.position) return undefined;
  return {
    batch: u64(bytes, at + 8),
    batchStart,
    recordCount: bytes.readUInt32LE(at + 24),
    headersCrc: bytes.readUInt32LE(at + 28),
    headersSum: bytes.readUInt16LE(at + 5) + bytes.readUInt16LE(at + 38) * 2 ** 16,
    previousChain: bytes.toString('hex', at + 40, at + 48),
    chain,
  };
}

/** The sum of headers, with one more; begins with 0. */
export function addToHeadersSum(sum: number, bytes: Buffer, at: number): number {
  return crc32(bytes.subarray(at, at + 60), sum);
}

/** Does the commit stand behind headers with this sum? */
export function hasHeadersSum({ headersSum }: CommitMark, sum: number): boolean {
  return headersSum === 0 || headersSum === (sum === 0 ? 1 : sum);
}

/** The chain that the first commit of a volume goes on from. */
export function chainStart(seed: Buffer): string {
  return createHash('sha256').update(seed).digest().toString('hex', 0, 8);
}

export interface SealHeader {
  bodyBytes: number;
  bodyCrc: number;
}

export function readSealHeader(bytes: Buffer, at: number): SealHeader | undefined {
  if (bytes[at + 4] !== RECORD.seal || !isRecordHeader(bytes, at)) return undefined;
  return { bodyBytes: bytes.readUInt32LE(at + 8), bodyCrc: bytes.readUInt32LE(at + 48) };
}

/** The last bytes of a sealed volume. */
export interface VolumeTail {
  entryCount: number;
  dataEnd: number;
  bodyAt: number;
  bodyBytes: number;
  bodyCrc: number;
  storedBytes: number;
  chain: string;
}

export function hasTailMagic(bytes: Buffer): boolean {
  return bytes.length === TAIL_BYTES && bytes.toString('latin1', 0, 8) === 'HFSEAL01';
}

/** `sizeBytes` is the file's length: the tail must account for every byte of it. */
export function readTail(
  bytes: Buffer, volume: { volumeId: number; sizeBytes: number },
): VolumeTail | undefined {
  if (!hasTailMagic(bytes) || crc32(bytes.subarray(0, 4092)) !== bytes.readUInt32LE(4092)) {
    return undefined;
  }
  if (bytes.readUInt16LE(8) !== 1 || u64(bytes, 16) !== volume.volumeId) return undefined;
  const tail: VolumeTail = {
    entryCount: bytes.readUInt32LE(12),
    dataEnd: u64(bytes, 24),
    bodyAt: u64(bytes, 32),
    bodyBytes: u64(bytes, 40),
    bodyCrc: bytes.readUInt32LE(48),
    storedBytes: u64(bytes, 56),
    chain: bytes.toString('hex', 64, 72),
  };
  const isWhole = tail.bodyBytes === tail.entryCount * LISTED_BYTES + FANOUT_BYTES
    && tail.bodyAt === tail.dataEnd + RECORD_HEADER_BYTES
    && tail.bodyAt + toEight(tail.bodyBytes) + TAIL_BYTES === volume.sizeBytes;
  return isWhole ? tail : undefined;
}

/** One block in a footer. */
export interface ListedBlock {
  id: string;
  offset: number;
  sizeBytes: number;
}

export function readListed(bytes: Buffer, at: number): ListedBlock {
  return {
    id: bytes.toString('hex', at, at + 32),
    offset: u64(bytes, at + 32),
    sizeBytes: bytes.readUInt32LE(at + 40),
  };
}

const NAME = /^v(\d{8,15})\.(\d+)\.hv(\.trash)?$/;

export interface VolumeFileName {
  id: number;
  generation: number;
  isTrash: boolean;
}

/** The number in a volume's file name; undefined when the file is no finished volume in use. */
export function parseVolumeFileName(name: string): VolumeFileName | undefined {
  const parsed = parseAnyVolumeName(name);
  return parsed?.isTrash === false ? parsed : undefined;
}

/** The same for volumes in use and in the trash. */
export function parseAnyVolumeName(name: string): VolumeFileName | undefined {
  const match = NAME.exec(name);
  const [, digits = '', generation = '', trash] = match ?? [];
  const id = Number(digits);
  if (match === null || id < 1 || String(id).padStart(8, '0') !== digits) return undefined;
  return { id, generation: Number(generation), isTrash: trash !== undefined };
}

export function toEight(lengthBytes: number): number {
  return Math.ceil(lengthBytes / 8) * 8;
}

export function u64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}
