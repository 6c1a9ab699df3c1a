/** The bytes of a parity file, as docs/formats/erasure-set.md has them. No I/O here. */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import { HoldfastError } from '../../base/errors.ts';
import { isCodeShape } from './code-matrix.ts';
import type { CodeShape } from './code-matrix.ts';

/** What one checksum covers, and what is read, coded and repaired at a time. */
export const CHUNK_BYTES = 1024 * 1024;
export const HEADER_BYTES = 4096;
export const HASH_BYTES = 32;
/** As in docs/formats/volume.md. */
export const VOLUME_BYTES_MAX = 32 * 1024 ** 3;

const MAGIC = Buffer.from('HFERA01\n', 'latin1');
const VERSION = 1;
/** Cauchy over the field of 256 elements with 0x11d: code-matrix.ts. */
const CODE_CAUCHY = 1;
const ENTRY_BYTES = 24;

export interface ShardFacts {
  /** Number and generation of the volume; 0 and 0 for parity. */
  readonly volume: number;
  readonly generation: number;
  readonly lengthBytes: number;
  /** SHA-256 of each chunk, one after the other; the last chunk may be shorter. */
  readonly hashes: Buffer;
}

/** All that is known of a set. Every one of its parity files says all of it. */
export interface SetFacts {
  readonly number: number;
  /** 16 random bytes. */
  readonly id: Buffer;
  /** 16 bytes: the store that the volumes belong to. */
  readonly storeId: Buffer;
  /** In ms since 1970. */
  readonly createdAt: number;
  readonly shape: CodeShape;
  /** Data first, then parity. */
  readonly shards: readonly ShardFacts[];
}

/** Where things lie in a parity file. */
export interface ParityLayout {
  readonly catalogueBytes: number;
  readonly parityAt: number;
  readonly secondCatalogueAt: number;
  readonly secondHeaderAt: number;
  readonly fileBytes: number;
}

export interface ParityHeader extends Omit<SetFacts, 'shards'> {
  /** Which shard this file is: from k on. */
  readonly shard: number;
  readonly parityBytes: number;
  readonly catalogueHash: Buffer;
  readonly layout: ParityLayout;
}

export function chunkCount(lengthBytes: number): number {
  return Math.ceil(lengthBytes / CHUNK_BYTES);
}

/** How much of a chunk lies before the shard's end; 0 beyond it. */
export function chunkLength(lengthBytes: number, chunk: number): number {
  return Math.max(0, Math.min(CHUNK_BYTES, lengthBytes - chunk * CHUNK_BYTES));
}

function aligned(position: number): number {
  return Math.ceil(position / HEADER_BYTES) * HEADER_BYTES;
}

export function layoutOf(parityBytes: number, catalogueBytes: number): ParityLayout {
  const parityAt = aligned(HEADER_BYTES + catalogueBytes);
  const secondCatalogueAt = aligned(parityAt + parityBytes);
  const secondHeaderAt = aligned(secondCatalogueAt + catalogueBytes);
  const fileBytes = secondHeaderAt + HEADER_BYTES;
  return { catalogueBytes, parityAt, secondCatalogueAt, secondHeaderAt, fileBytes };
}

/** Its size follows from the lengths alone: parity can be written before the hashes are known. */
export function catalogueSize(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + ENTRY_BYTES + chunkCount(length) * HASH_BYTES, 0);
}

export function encodeCatalogue(shards: readonly ShardFacts[]): Buffer {
  const entries = Buffer.alloc(shards.length * ENTRY_BYTES);
  for (const [at, { volume, generation, lengthBytes, hashes }] of shards.entries()) {
    assert(hashes.length === chunkCount(lengthBytes) * HASH_BYTES, 'every chunk has its hash');
    entries.writeBigUInt64LE(BigInt(volume), at * ENTRY_BYTES);
    entries.writeUInt32LE(generation, at * ENTRY_BYTES + 8);
    entries.writeBigUInt64LE(BigInt(lengthBytes), at * ENTRY_BYTES + 16);
  }
  return Buffer.concat([entries, ...shards.map(({ hashes }) => hashes)]);
}

/** Undefined when the bytes are not those that the header speaks of. */
export function decodeCatalogue(header: ParityHeader, bytes: Buffer): ShardFacts[] | undefined {
  if (!hash('sha256', bytes, 'buffer').equals(header.catalogueHash)) return undefined;
  const { data, parity } = header.shape;
  const count = data + parity;
  if (bytes.length < count * ENTRY_BYTES) return undefined;
  const shards: ShardFacts[] = [];
  let hashesAt = count * ENTRY_BYTES;
  for (let at = 0; at < count; at++) {
    const lengthBytes = Number(bytes.readBigUInt64LE(at * ENTRY_BYTES + 16));
    if (lengthBytes > header.parityBytes) return undefined;
    const end = hashesAt + chunkCount(lengthBytes) * HASH_BYTES;
    if (end > bytes.length) return undefined;
    shards.push({
      volume: Number(bytes.readBigUInt64LE(at * ENTRY_BYTES)),
      generation: bytes.readUInt32LE(at * ENTRY_BYTES + 8),
      lengthBytes,
      hashes: bytes.subarray(hashesAt, end),
    });
    hashesAt = end;
  }
  return hashesAt === bytes.length ? shards : undefined;
}

export function encodeHeader(set: SetFacts, shard: number, catalogue: Buffer): Buffer {
  const { shape, shards } = set;
  const parityBytes = shards[shard]?.lengthBytes ?? 0;
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt16LE(VERSION, 8);
  bytes.writeUInt32LE(HEADER_BYTES, 12);
  set.storeId.copy(bytes, 16, 0, 16);
  set.id.copy(bytes, 32, 0, 16);
  bytes.writeBigUInt64LE(BigInt(set.number), 48);
  bytes.writeBigUInt64LE(BigInt(set.createdAt), 56);
  bytes.writeUInt8(shape.data, 64);
  bytes.writeUInt8(shape.parity, 65);
  bytes.writeUInt8(shard, 66);
  bytes.writeUInt8(CODE_CAUCHY, 67);
  bytes.writeUInt32LE(CHUNK_BYTES, 68);
  bytes.writeBigUInt64LE(BigInt(parityBytes), 72);
  bytes.writeBigUInt64LE(BigInt(catalogue.length), 80);
  hash('sha256', catalogue, 'buffer').copy(bytes, 88);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
  return bytes;
}

/** Undefined when it is damaged or no header at all.
 *  @throws invalid: sound, and of a version or code that this program does not know. */
export function decodeHeader(bytes: Buffer): ParityHeader | undefined {
  if (bytes.length !== HEADER_BYTES || !bytes.subarray(0, 6).equals(MAGIC.subarray(0, 6))) {
    return undefined;
  }
  const crc = bytes.readUInt32LE(HEADER_BYTES - 4);
  if (crc !== crc32(bytes.subarray(0, HEADER_BYTES - 4))) return undefined;
  const isKnown = bytes.subarray(0, 8).equals(MAGIC) && bytes.readUInt16LE(8) === VERSION &&
    bytes.readUInt16LE(10) === 0 && bytes.readUInt32LE(12) === HEADER_BYTES &&
    bytes.readUInt8(67) === CODE_CAUCHY && bytes.readUInt32LE(68) === CHUNK_BYTES;
  if (!isKnown) {
    const message = 'A parity file was written by a newer version of Holdfast. Use that version.';
    throw new HoldfastError('invalid', 'storage/erasure.decodeHeader', message);
  }
  const shape = { data: bytes.readUInt8(64), parity: bytes.readUInt8(65) };
  const shard = bytes.readUInt8(66);
  const parityBytes = Number(bytes.readBigUInt64LE(72));
  const catalogueBytes = Number(bytes.readBigUInt64LE(80));
  const shards = shape.data + shape.parity;
  const catalogueMax = shards * (ENTRY_BYTES + chunkCount(parityBytes) * HASH_BYTES);
  const isSound = isCodeShape(shape) && shard >= shape.data && shard < shards &&
    parityBytes <= VOLUME_BYTES_MAX && catalogueBytes <= catalogueMax;
  if (!isSound) return undefined;
  return {
    shape, shard, parityBytes,
    storeId: Buffer.from(bytes.subarray(16, 32)),
    id: Buffer.from(bytes.subarray(32, 48)),
    number: Number(bytes.readBigUInt64LE(48)),
    createdAt: Number(bytes.readBigUInt64LE(56)),
    catalogueHash: Buffer.from(bytes.subarray(88, 88 + HASH_BYTES)),
    layout: layoutOf(parityBytes, catalogueBytes),
  };
}

/** `e00000007.6.hx`: set 7, shard 6. */
export function parityName(setNumber: number, shard: number): string {
  return `e${String(setNumber).padStart(8, '0')}.${shard}.hx`;
}

/** Undefined when the file is no parity file. */
export function parseParityName(name: string): { number: number; shard: number } | undefined {
  const found = /^e(\d{8,15})\.(\d{1,2})\.hx$/.exec(name);
  if (found === null) return undefined;
  const [number, shard] = [Number(found[1]), Number(found[2])];
  return parityName(number, shard) === name ? { number, shard } : undefined;
}
