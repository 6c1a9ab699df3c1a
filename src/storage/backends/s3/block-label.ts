/**
 * The label that every block's object carries as metadata: docs/formats/object-store.md.
 *
 * An object that is not sealed holds the block's bytes and nothing else, so that any tool can check
 * it against its name. A part of a block cannot be checked like that; the label has a CRC-32 for
 * every segment. It comes with every answer, so reading a part stays one request. The label of a
 * sealed block says how long the block is and with which key it is sealed. A checksum of its own
 * covers the block's id, so the label of another object, or a damaged one, is recognized.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { BlockId } from '../../../base/ids.ts';
import { BLOCK_BYTES_MAX } from '../../block.ts';
import { SEGMENT_BYTES } from '../../block-store.ts';
import { SEALED_BYTES_MAX } from '../../sealing/sealed-object.ts';
import { crc32c } from './crc32c.ts';
import type { ObjectBody, SealedAs } from './object-body.ts';

/** Which checksum of a stored object the service works out by itself and tells. */
export type ServiceChecksum = 'sha256' | 'md5' | 'crc32c' | 'none';

export interface BlockLabel {
  /** Of the object. */
  sizeBytes: number;
  /** CRC-32 of every segment; none of a sealed block. */
  segments: readonly number[];
  /** What the service must tell of the object; undefined where the id itself says it. */
  expected: { checksum: 'sha256' | 'md5' | 'crc32c'; hex: string } | undefined;
  sealed: SealedAs | undefined;
}

type Labelled = Pick<ObjectBody, 'id' | 'pieces' | 'sizeBytes'>
  & Partial<Pick<ObjectBody, 'sha256' | 'sealed'>>;

const HEX8 = '[0-9a-f]{8}';
const SIZE = '([1-9]\\d{0,6})';
const EXPECTED = '(?:-|(sha256|md5|crc32c):([0-9a-f]{8,64}))';
const FORM = new RegExp(`^1 ${SIZE} (${HEX8}(?:,${HEX8})*) ${EXPECTED} (${HEX8})$`);
const SEALED_FORM = new RegExp(`^2 ${SIZE} ${SIZE} (\\d{1,10}) ${EXPECTED} (${HEX8})$`);

/** The label's text: printable ASCII, at most 220 characters. */
export function writeLabel(object: Labelled, checksum: ServiceChecksum): string {
  const { id, pieces, sizeBytes, sealed } = object;
  const start = sealed === undefined
    ? `1 ${sizeBytes} ${segmentChecksums(pieces).map(hex8).join(',')}`
    : `2 ${sealed.blockBytes} ${sizeBytes} ${sealed.keyId}`;
  const body = `${start} ${expectation(object, checksum)}`;
  return `${body} ${seal(id, body)}`;
}

/** Undefined when there is no label, it is of a later version, damaged, or another block's. */
export function readLabel(id: BlockId, text: string | undefined): BlockLabel | undefined {
  const crc = text?.slice(-8);
  if (text === undefined || seal(id, text.slice(0, -9)) !== crc) return undefined;
  return readPlain(text) ?? readSealed(text);
}

function readPlain(text: string): BlockLabel | undefined {
  const parts = FORM.exec(text);
  if (parts === null) return undefined;
  const [, size, list = '', checksum, hex] = parts;
  const sizeBytes = Number(size);
  const segments = list.split(',').map((part) => parseInt(part, 16));
  if (sizeBytes > BLOCK_BYTES_MAX) return undefined;
  if (segments.length !== Math.ceil(sizeBytes / SEGMENT_BYTES)) return undefined;
  return { sizeBytes, segments, expected: expectedOf(checksum, hex), sealed: undefined };
}

function readSealed(text: string): BlockLabel | undefined {
  const parts = SEALED_FORM.exec(text);
  if (parts === null) return undefined;
  const [blockBytes = 0, sizeBytes = 0, keyId = 0] = parts.slice(1, 4).map(Number);
  if (blockBytes > BLOCK_BYTES_MAX || sizeBytes > SEALED_BYTES_MAX) return undefined;
  const [, , , , checksum, hex] = parts;
  return {
    sizeBytes, segments: [], expected: expectedOf(checksum, hex), sealed: { blockBytes, keyId },
  };
}

function expectedOf(
  checksum: string | undefined, hex: string | undefined,
): BlockLabel['expected'] {
  const isKnown = checksum === 'sha256' || checksum === 'md5' || checksum === 'crc32c';
  return isKnown && hex !== undefined ? { checksum, hex } : undefined;
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

function expectation(
  { pieces, sealed, sha256 }: Labelled, checksum: ServiceChecksum,
): string {
  switch (checksum) {
    case 'md5': {
      const hasher = createHash('md5');
      for (const piece of pieces) hasher.update(piece);
      return `md5:${hasher.digest('hex')}`;
    }
    case 'crc32c': {
      let value = 0;
      for (const piece of pieces) value = crc32c(piece, value);
      return `crc32c:${hex8(value)}`;
    }
    case 'sha256': return sealed === undefined ? '-' : `sha256:${sha256}`;
    case 'none': return '-';
  }
}

function seal(id: BlockId, body: string): string {
  return hex8(crc32(`${id} ${body}`));
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, '0');
}
