/**
 * The label that every block's object carries as metadata: docs/formats/object-store.md.
 *
 * An object holds the block's bytes and nothing else, so that any tool can check it against its
 * name. A part of a block cannot be checked like that; the label has a CRC-32 for every segment.
 * It comes with every answer, so reading a part stays one request. Its own checksum covers the
 * block's id, so the label of another object, or a damaged one, is recognized.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { BlockId } from '../../../base/ids.ts';
import { BLOCK_BYTES_MAX, type Block } from '../../block.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import { crc32c } from './crc32c.ts';

/** Which checksum of a stored object the service works out by itself and tells. */
export type ServiceChecksum = 'sha256' | 'md5' | 'crc32c' | 'none';

export interface BlockLabel {
  sizeBytes: number;
  /** CRC-32 of every segment. */
  segments: readonly number[];
  /** What the service must tell of the object; undefined where the id itself says it. */
  expected: { checksum: 'md5' | 'crc32c'; hex: string } | undefined;
}

const VERSION = '1';
const HEX8 = '[0-9a-f]{8}';
const EXPECTED = '-|(md5|crc32c):([0-9a-f]{8,32})';
const FORM = new RegExp(`^1 ([1-9]\\d{0,6}) (${HEX8}(?:,${HEX8})*) (${EXPECTED}) (${HEX8})$`);

/** The label's text: printable ASCII, at most 220 characters. */
export function writeLabel(block: Block, checksum: ServiceChecksum): string {
  const segments = segmentChecksums(block.pieces).map(hex8).join(',');
  const body = `${VERSION} ${block.sizeBytes} ${segments} ${expectation(block, checksum)}`;
  return `${body} ${seal(block.id, body)}`;
}

/** Undefined when there is no label, it is of a later version, damaged, or another block's. */
export function readLabel(id: BlockId, text: string | undefined): BlockLabel | undefined {
  const parts = text === undefined ? null : FORM.exec(text);
  if (text === undefined || parts === null) return undefined;
  const [, size, list = '', , checksum, hex, sealed] = parts;
  if (seal(id, text.slice(0, -9)) !== sealed) return undefined;
  const sizeBytes = Number(size);
  const segments = list.split(',').map((part) => parseInt(part, 16));
  if (sizeBytes > BLOCK_BYTES_MAX) return undefined;
  if (segments.length !== Math.ceil(sizeBytes / SEGMENT_BYTES)) return undefined;
  const known = checksum === 'md5' || checksum === 'crc32c';
  const expected = known && hex !== undefined ? { checksum, hex } as const : undefined;
  return { sizeBytes, segments, expected };
}

/** Whether `bytes`, whole segments from `offsetBytes` on, are those that the label speaks of. */
export function segmentsAreRight(label: BlockLabel, bytes: Buffer, offsetBytes: number): boolean {
  const found = segmentChecksums([bytes]);
  const first = offsetBytes / SEGMENT_BYTES;
  return found.every((checksum, at) => checksum === label.segments[first + at]);
}

function segmentChecksums(pieces: readonly Uint8Array[]): number[] {
  const checksums: number[] = [];
  let filledBytes = 0;
  let checksum = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length;) {
      const end = Math.min(piece.length, from + SEGMENT_BYTES - filledBytes);
      checksum = crc32(piece.subarray(from, end), checksum);
      filledBytes += end - from;
      from = end;
      if (filledBytes < SEGMENT_BYTES) continue;
      checksums.push(checksum);
      filledBytes = 0;
      checksum = 0;
    }
  }
  if (filledBytes > 0) checksums.push(checksum);
  return checksums;
}

function expectation(block: Block, checksum: ServiceChecksum): string {
  switch (checksum) {
    case 'md5': {
      const hasher = createHash('md5');
      for (const piece of block.pieces) hasher.update(piece);
      return `md5:${hasher.digest('hex')}`;
    }
    case 'crc32c': {
      let value = 0;
      for (const piece of block.pieces) value = crc32c(piece, value);
      return `crc32c:${hex8(value)}`;
    }
    case 'sha256':
    case 'none':
      return '-';
  }
}

function seal(id: BlockId, body: string): string {
  return hex8(crc32(`${id} ${body}`));
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, '0');
}
