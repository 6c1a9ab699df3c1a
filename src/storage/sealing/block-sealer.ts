/**
 * From a block's bytes to the payload of a record and back: first compressed, then encrypted, for
 * what is encrypted does not get smaller any more.
 *
 * A block's id stays the SHA-256 of what the user sent. It is checked after unpacking, so neither
 * the library that compresses nor a key of somebody else can make wrong bytes come out.
 */
import { hash, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { HoldfastError } from '../../base/errors.ts';
import type { Block } from '../block.ts';
import { CIPHER_BYTES, decrypt, encrypt } from './block-cipher.ts';
import { COMPRESSED_BYTES_MIN, Compressor, type CompressionCounts } from './compression.ts';
import type { KeyRing } from './key-ring.ts';
import {
  CODEC_RAW, CODEC_ZSTD, ENCRYPTION_AES_256_GCM, ENCRYPTION_NONE, isKnownPacking, type PackedBlock,
  type PackedRecord,
} from './packed-block.ts';

const OP = 'storage/BlockSealer';
export const DEFAULT_TENANT = 'default';

export type CompressionMode = 'off' | 'auto';

export interface BlockSealerOptions {
  compression: CompressionMode;
  /** Encrypts with these keys; undefined: nothing is encrypted. */
  keys?: KeyRing | undefined;
  /** Whose keys of the ring, unless `pack` says; DEFAULT_TENANT when left out. */
  tenantId?: string;
}

export class BlockSealer {
  readonly #mode: CompressionMode;
  readonly #keys: KeyRing | undefined;
  readonly #tenantId: string;
  readonly #compressor = new Compressor();

  constructor({ compression, keys, tenantId = DEFAULT_TENANT }: BlockSealerOptions) {
    this.#tenantId = tenantId;
    this.#mode = compression;
    this.#keys = keys;
  }

  /** For the operator: how compression has fared since the start. */
  get counts(): Readonly<CompressionCounts> {
    return this.#compressor.counts;
  }

  /** True when blocks may be written otherwise than as they are. */
  get packs(): boolean {
    return this.#mode === 'auto' || this.#keys !== undefined;
  }

  /** True when everything is written encrypted. */
  get encrypts(): boolean {
    return this.#keys !== undefined;
  }

  /** True when some blocks may have become unreadable on purpose. */
  get hasShredded(): boolean {
    return this.#keys?.hasShredded ?? false;
  }

  /** True for a key without which a block cannot be read here, for whatever reason. */
  isLocked(keyId: number): boolean {
    return keyId !== 0 && this.#keys?.find(keyId)?.state !== 'usable';
  }

  isShredded(keyId: number): boolean {
    return this.#keys?.find(keyId)?.state === 'shredded';
  }

  /**
   * Undefined: the block is stored as it is. A promise only when there is something to wait for: a
   * small block is packed at once.
   * @throws conflict, code `tenant-shredded`: the tenant's keys were destroyed and it has no new
   *   one; busy: far too many are waiting.
   */
  pack(
    block: Block, tenantId: string = this.#tenantId,
  ): PackedBlock | undefined | Promise<PackedBlock | undefined> {
    const tries = this.#mode === 'auto' && block.sizeBytes >= COMPRESSED_BYTES_MIN;
    return tries ? this.#compressed(block, tenantId) : this.#encrypted(block, undefined, tenantId);
  }

  /**
   * The block of a record whose checksums are right; undefined when it is not that block.
   * @throws not-found, code `shredded`: its key was destroyed on purpose; unavailable, code
   *   `key-missing`: it is encrypted with a key that this ring does not have.
   */
  async unpack(record: PackedRecord): Promise<Buffer | undefined> {
    if (!isKnownPacking(record)) return undefined;
    const { codec, encryption, sizeBytes, payload } = record;
    const key = encryption === ENCRYPTION_NONE ? undefined : this.#keyOf(record);
    const place = { ...record, payloadBytes: payload.length };
    const plain = key === undefined ? payload : decrypt(key, place, payload);
    if (plain === undefined) return undefined;
    const bytes = codec === CODEC_RAW
      ? plain : await this.#compressor.decompress(plain, sizeBytes);
    if (bytes?.length !== sizeBytes || hash('sha256', bytes) !== record.id) return undefined;
    return bytes;
  }

  async #compressed(block: Block, tenantId: string): Promise<PackedBlock | undefined> {
    const packed = await this.#compressor.compress(contiguous(block));
    return this.#encrypted(block, packed, tenantId);
  }

  #encrypted(
    { id, sizeBytes, pieces: plain }: Block, packed: Buffer | undefined, tenantId: string,
  ): PackedBlock | undefined {
    const codec = packed === undefined ? CODEC_RAW : CODEC_ZSTD;
    const bytes = packed === undefined ? plain : [packed];
    const lengthBytes = packed?.length ?? sizeBytes;
    if (this.#keys === undefined) {
      if (packed === undefined) return undefined;
      const payloadCrc = crc32(packed);
      return {
        codec, encryption: ENCRYPTION_NONE, keyId: 0, pieces: bytes, payloadBytes: lengthBytes,
        payloadCrc,
      };
    }
    const { id: keyId, key } = this.#keys.current(tenantId);
    const encryption = ENCRYPTION_AES_256_GCM;
    const payloadBytes = lengthBytes + CIPHER_BYTES;
    const pieces = encrypt(key, { codec, encryption, payloadBytes, sizeBytes, id }, bytes);
    let payloadCrc = 0;
    for (const piece of pieces) payloadCrc = crc32(piece, payloadCrc);
    return { codec, encryption, keyId, pieces, payloadBytes, payloadCrc };
  }

  #keyOf({ id: blockId, keyId }: PackedRecord): KeyObject {
    const found = this.#keys?.find(keyId);
    const facts = { blockId, keyId };
    if (found?.state === 'shredded') {
      const message = 'This content was destroyed on purpose, with the keys of its owner.';
      throw new HoldfastError('not-found', `${OP}.unpack`, message, { code: 'shredded', facts });
    }
    if (found === undefined) {
      const message = 'This part of the file is encrypted and its key is not here. '
        + 'The administrator has to restore the key ring.';
      throw new HoldfastError('unavailable', `${OP}.unpack`, message, {
        code: 'key-missing', facts,
      });
    }
    return found.key;
  }
}

/** Is this about a key, and not about the bytes or the disk? Reading again changes nothing then. */
export function isKeyFault(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError &&
    (error.code === 'shredded' || error.code === 'key-missing');
}

/** Were its keys destroyed on purpose? */
export function isShredded(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code === 'shredded';
}

function contiguous({ pieces, sizeBytes }: Block): Buffer {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) {
    return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  }
  return Buffer.concat(pieces, sizeBytes);
}
