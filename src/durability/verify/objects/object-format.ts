/**
 * What lies in an object, as docs/formats/object-store.md describes it. Written from that page and
 * the one of volumes: the code that writes objects is never used here.
 */
import { hash } from 'node:crypto';
import {
  blockIn, isPayloadSound, readBlockHeader, RECORD_HEADER_BYTES,
} from '../volume/volume-format.ts';

/** By how much a sealed block can be longer than the block: header, nonce, tag. */
const SEAL_BYTES_MAX = RECORD_HEADER_BYTES + 28;

export interface OpenedObject {
  /** Of the block, as its object says. */
  readonly blockBytes: number;
  /** Undefined: it is encrypted. All that is known is that its checksums are right. */
  readonly block: Buffer | undefined;
}

/** Undefined: these bytes are not the block, and not a sound seal of it. */
export async function openObject(id: string, bytes: Buffer): Promise<OpenedObject | undefined> {
  if (hash('sha256', bytes) === id) return { blockBytes: bytes.length, block: bytes };
  const header = bytes.length < RECORD_HEADER_BYTES ? undefined : readBlockHeader(bytes, 0);
  if (header?.id !== id || (header.codec === 0 && header.encryption === 0)) return undefined;
  const payload = bytes.subarray(RECORD_HEADER_BYTES);
  if (payload.length !== header.payloadBytes || !isPayloadSound(payload, header)) return undefined;
  const { blockBytes } = header;
  if (header.encryption !== 0) return { blockBytes, block: undefined };
  const block = await blockIn(payload, header);
  if (!Buffer.isBuffer(block)) return undefined;
  return hash('sha256', block) === id ? { blockBytes, block } : undefined;
}

/** Whether an object of that length can be the block, sealed or not: only its bytes can tell. */
export function canBeOf(blockBytes: number, storedBytes: number, maySeal: boolean): boolean {
  if (storedBytes === blockBytes) return true;
  return maySeal && storedBytes > RECORD_HEADER_BYTES
    && storedBytes <= blockBytes + SEAL_BYTES_MAX;
}
