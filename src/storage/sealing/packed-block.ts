/**
 * What a block's bytes become before they are written: compressed, encrypted, both or neither.
 * docs/formats/volume.md, "Packed payload".
 */
import type { BlockId } from '../../base/ids.ts';

export const CODEC_RAW = 0;
export const CODEC_ZSTD = 3;
export const ENCRYPTION_NONE = 0;
export const ENCRYPTION_AES_256_GCM = 1;

/** How the bytes of a record's payload came about. */
export interface Packing {
  readonly codec: number;
  readonly encryption: number;
  /** 0 when nothing is encrypted. */
  readonly keyId: number;
}

/** Ready to be written. Only made when codec or encryption is not 0. */
export interface PackedBlock extends Packing {
  /** In order; nobody may change them. */
  readonly pieces: readonly Uint8Array[];
  readonly payloadBytes: number;
  /** CRC-32 of the pieces: damage is told without a key. */
  readonly payloadCrc: number;
}

/** What was read, its checksums already found right. */
export interface PackedRecord extends Packing {
  readonly id: BlockId;
  /** Of the block, not of the payload. */
  readonly sizeBytes: number;
  readonly payload: Buffer;
}

export function isPacked({ codec, encryption }: Omit<Packing, 'keyId'>): boolean {
  return codec !== CODEC_RAW || encryption !== ENCRYPTION_NONE;
}

/** Packings of which this program knows how to undo them. */
export function isKnownPacking({ codec, encryption }: Omit<Packing, 'keyId'>): boolean {
  return (codec === CODEC_RAW || codec === CODEC_ZSTD) &&
    (encryption === ENCRYPTION_NONE || encryption === ENCRYPTION_AES_256_GCM);
}
