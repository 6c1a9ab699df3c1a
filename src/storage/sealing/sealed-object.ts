/**
 * A packed block as one stretch of bytes, for places that have no volumes: the header of a volume's
 * record and the payload behind it, byte for byte as they would stand in a volume
 * (docs/formats/volume.md). Its checksums need no key; only unpacking says whether it is the block.
 */
import { crc32 } from 'node:zlib';
import type { BlockId } from '../../base/ids.ts';
import { BLOCK_BYTES_MAX, type Block } from '../block.ts';
import { CIPHER_BYTES } from './block-cipher.ts';
import {
  isKnownPacking, isPacked, type PackedBlock, type PackedRecord,
} from './packed-block.ts';

const HEADER_BYTES = 64;
const MAGIC = Buffer.from('HFR1', 'latin1');
const TYPE_BLOCK = 1;
const HEADER_VERSION = 1;

/** The longest that a sealed block can be. */
export const SEALED_BYTES_MAX: number = HEADER_BYTES + BLOCK_BYTES_MAX + CIPHER_BYTES;

/** Header and payload, in order; nobody may change them. */
export function encodeSealed(
  { id, sizeBytes }: Pick<Block, 'id' | 'sizeBytes'>, packed: PackedBlock,
): readonly Uint8Array[] {
  const { codec, encryption, keyId, payloadBytes, payloadCrc, pieces } = packed;
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.set([TYPE_BLOCK, codec, encryption, HEADER_VERSION], 4);
  header.writeUInt32LE(payloadBytes, 8);
  header.writeUInt32LE(sizeBytes, 12);
  header.write(id, 16, 32, 'hex');
  header.writeUInt32LE(payloadCrc, 48);
  header.writeUInt32LE(keyId, 52); // Then four zeros: it is of no batch.
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
  return [header, ...pieces];
}

/** What is sealed in these bytes; undefined when they are not a sealed block of that id, or its
 *  checksums are wrong. */
export function decodeSealed(bytes: Buffer, id: BlockId): PackedRecord | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, 60)) !== bytes.readUInt32LE(60)) return undefined;
  const [type, codec = 0, encryption = 0, version] = bytes.subarray(4, 8);
  const packing = { codec, encryption, keyId: bytes.readUInt32LE(52) };
  const isKnown = type === TYPE_BLOCK && version === HEADER_VERSION && isKnownPacking(packing);
  if (!isKnown || !isPacked(packing) || bytes.toString('hex', 16, 48) !== id) return undefined;
  const sizeBytes = bytes.readUInt32LE(12);
  if (sizeBytes < 1 || sizeBytes > BLOCK_BYTES_MAX) return undefined;
  const payload = bytes.subarray(HEADER_BYTES);
  if (payload.length < 1 || payload.length > sizeBytes + CIPHER_BYTES) return undefined;
  if (payload.length !== bytes.readUInt32LE(8)) return undefined;
  return crc32(payload) === bytes.readUInt32LE(48)
    ? { id, sizeBytes, ...packing, payload } : undefined;
}
