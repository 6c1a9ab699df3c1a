/** What lies in a block's object: the block as it is, or sealed. */
import { createHash, hash } from 'node:crypto';
import type { BlockId } from '../../../base/ids.ts';
import type { Block } from '../../block.ts';
import type { BlockSealer } from '../../sealing/block-sealer.ts';
import type { PackedRecord } from '../../sealing/packed-block.ts';
import { decodeSealed, encodeSealed } from '../../sealing/sealed-object.ts';

export interface ObjectBody {
  readonly id: BlockId;
  /** In order; nobody may change them. */
  readonly pieces: readonly Uint8Array[];
  /** Of the object. */
  readonly sizeBytes: number;
  /** Of the object's bytes. */
  readonly sha256: BlockId;
  /** Undefined: the bytes are the block itself. */
  readonly sealed: SealedAs | undefined;
}

export interface SealedAs {
  /** Of the block. */
  readonly blockBytes: number;
  /** 0: compressed only. */
  readonly keyId: number;
}

/** An object that was read, its checksums right: as a body it can be written elsewhere as it is. */
export interface FoundBody extends ObjectBody {
  readonly bytes: Buffer;
  /** Undefined: the bytes are the block itself. */
  readonly record: PackedRecord | undefined;
}

export function blockBytesOf({ sealed, sizeBytes }: ObjectBody): number {
  return sealed?.blockBytes ?? sizeBytes;
}

/** How the block is stored from now on. @throws as BlockSealer.pack. */
export async function bodyOf(block: Block, sealer: BlockSealer): Promise<ObjectBody> {
  const { id, pieces, sizeBytes } = block;
  const packed = await sealer.pack(block);
  if (packed === undefined) return { id, pieces, sizeBytes, sha256: id, sealed: undefined };
  const sealedPieces = encodeSealed(block, packed);
  const hasher = createHash('sha256');
  let storedBytes = 0;
  for (const piece of sealedPieces) {
    hasher.update(piece);
    storedBytes += piece.length;
  }
  return {
    id, pieces: sealedPieces, sizeBytes: storedBytes,
    sha256: hasher.digest('hex') as BlockId,
    sealed: { blockBytes: sizeBytes, keyId: packed.keyId },
  };
}

/** Undefined when these bytes are neither the block nor one that is sealed soundly. */
export function readBody(id: BlockId, bytes: Buffer): FoundBody | undefined {
  const sha256 = hash('sha256', bytes) as BlockId;
  const common = { id, pieces: [bytes], sizeBytes: bytes.length, sha256, bytes };
  // No sealed block hashes to the id that its header says: nobody can make one.
  if (sha256 === id) return { ...common, sealed: undefined, record: undefined };
  const record = decodeSealed(bytes, id);
  if (record === undefined) return undefined;
  const { sizeBytes: blockBytes, keyId } = record;
  return { ...common, sealed: { blockBytes, keyId }, record };
}
