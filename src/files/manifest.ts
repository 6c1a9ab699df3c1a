/**
 * A manifest: the ordered blocks of one version's content. Format: docs/formats/manifest.md.
 *
 * A long manifest would make its row in the database long too, so beyond INLINE_BYTES_MAX the
 * entries themselves are stored as blocks, and what stays in the row names those (indirect).
 */
import { assert } from '../base/assert.ts';
import { HoldfastError } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';

export interface BlockRef {
  id: BlockId;
  sizeBytes: number;
}

/** How the content was cut, so that a later version of the same file can be cut alike. */
export type Chunker = 'fixed-4m';
const CHUNKER_CODE: Readonly<Record<Chunker, number>> = { 'fixed-4m': 1 };

export interface Manifest {
  chunker: Chunker;
  /** Of the content. Always the sum of the blocks of a direct manifest. */
  sizeBytes: number;
  /** True: `blocks` hold the entries of the direct manifest instead of the content. */
  indirect: boolean;
  blocks: readonly BlockRef[];
}

export const INLINE_BYTES_MAX = 64 * 1024;
const HEADER_BYTES = 16;
const ENTRY_BYTES = 36;
const VERSION = 1;

/** `1 version | 1 chunker | 1 flags | 1 zero | 4 count | 8 size`, then `32 id | 4 size` each. */
export function encodeManifest(manifest: Manifest): Buffer {
  const { blocks, sizeBytes } = manifest;
  const bytes = Buffer.alloc(HEADER_BYTES + blocks.length * ENTRY_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeUInt8(CHUNKER_CODE[manifest.chunker], 1);
  bytes.writeUInt8(manifest.indirect ? 1 : 0, 2);
  bytes.writeUInt32LE(blocks.length, 4);
  bytes.writeBigUInt64LE(BigInt(sizeBytes), 8);
  writeEntries(bytes, HEADER_BYTES, blocks);
  return bytes;
}

/** @throws corrupt: not a manifest that this version of the program can read. */
export function decodeManifest(raw: Uint8Array): Manifest {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length < HEADER_BYTES || bytes.readUInt8(0) !== VERSION) refuse('version');
  if (bytes.readUInt8(1) !== CHUNKER_CODE['fixed-4m']) refuse('chunker');
  const flags = bytes.readUInt8(2);
  if (flags > 1) refuse('flags');
  const count = bytes.readUInt32LE(4);
  if (bytes.length !== HEADER_BYTES + count * ENTRY_BYTES) refuse('length');
  const sizeBytes = Number(bytes.readBigUInt64LE(8));
  const blocks = readEntries(bytes.subarray(HEADER_BYTES));
  const indirect = flags === 1;
  if (!indirect && sumOf(blocks) !== sizeBytes) refuse('size');
  return { chunker: 'fixed-4m', sizeBytes, indirect, blocks };
}

/** The entries of a direct manifest, to be stored as blocks of their own. */
export function encodeEntries(blocks: readonly BlockRef[]): Buffer {
  const bytes = Buffer.alloc(blocks.length * ENTRY_BYTES);
  writeEntries(bytes, 0, blocks);
  return bytes;
}

/** @throws corrupt: not a whole number of entries. */
export function readEntries(bytes: Buffer): BlockRef[] {
  if (bytes.length % ENTRY_BYTES !== 0) refuse('entries');
  const blocks: BlockRef[] = [];
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const id = bytes.toString('hex', at, at + 32) as BlockId;
    blocks.push({ id, sizeBytes: bytes.readUInt32LE(at + 32) });
  }
  return blocks;
}

function writeEntries(bytes: Buffer, start: number, blocks: readonly BlockRef[]): void {
  let at = start;
  for (const { id, sizeBytes } of blocks) {
    assert(bytes.write(id, at, 32, 'hex') === 32, 'a block id is 32 bytes');
    bytes.writeUInt32LE(sizeBytes, at + 32);
    at += ENTRY_BYTES;
  }
}

export function sumOf(blocks: readonly BlockRef[]): number {
  return blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function refuse(what: string): never {
  throw new HoldfastError('corrupt', 'files/decodeManifest', 'This content cannot be read.', {
    code: `manifest-${what}`,
  });
}
