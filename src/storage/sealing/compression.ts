/**
 * zstd where it helps. Photographs, films and archives do not get smaller, and trying costs a
 * hundred times what they gain: so the first part of a block is tried, and the rest only if that
 * part got smaller. What is kept is unpacked once before it is relied upon. Big blocks are left to
 * the runtime's threads, and only to some of them, for the disk needs them too; handing a small
 * block over keeps the caller's thread busy for longer (0.04 ms) than doing it there.
 */
import { promisify } from 'node:util';
import {
  constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync,
} from 'node:zlib';
import { Gate } from '../waiting.ts';

/** Below this the record's header weighs more than what compression saves. */
export const COMPRESSED_BYTES_MIN = 4096;
const SAMPLE_BYTES = 64 * 1024;
/** Not worth it above this share of what it was. */
const WORTHWHILE_SHARE = 0.9;
/** Up to these sizes the caller's thread does it itself. */
const COMPRESSED_AT_ONCE_MAX = 8 * 1024;
const UNPACKED_AT_ONCE_MAX = 16 * 1024;
/** Of the runtime's four threads. */
const ACTIVE_MAX = 2;
/** Callers bound the bytes that wait; this is only a stop. */
const WAITING_MAX = 65_536;

const compress = promisify<Buffer, object, Buffer>(zstdCompress);
const decompress = promisify<Buffer, object, Buffer>(zstdDecompress);

export interface CompressionCounts {
  /** Blocks that are stored compressed. */
  compressed: number;
  /** Blocks that were tried and stay as they are. */
  incompressible: number;
  /** Blocks that did not come back the same, and stay as they are. Never seen, and serious. */
  mismatched: number;
}

export class Compressor {
  readonly counts: CompressionCounts = { compressed: 0, incompressible: 0, mismatched: 0 };
  readonly #level: number;
  readonly #packing = new Gate({
    op: 'storage/Compressor.compress', activeMax: ACTIVE_MAX, waitingMax: WAITING_MAX,
  });
  readonly #unpacking = new Gate({
    op: 'storage/Compressor.decompress', activeMax: ACTIVE_MAX, waitingMax: WAITING_MAX,
  });

  constructor(level = 3) {
    this.#level = level;
  }

  /** Undefined when it does not save a tenth. The bytes must not change meanwhile.
   *  @throws busy: far too many are waiting. */
  compress(bytes: Buffer): Promise<Buffer | undefined> {
    if (bytes.length <= COMPRESSED_AT_ONCE_MAX) return this.#compress(bytes);
    return this.#packing.run(() => this.#compress(bytes));
  }

  /** Undefined when it does not unpack to exactly `sizeBytes`.
   *  @throws busy: far too many are waiting. */
  decompress(packed: Buffer, sizeBytes: number): Promise<Buffer | undefined> {
    if (sizeBytes <= UNPACKED_AT_ONCE_MAX) return unpack(packed, sizeBytes);
    return this.#unpacking.run(() => unpack(packed, sizeBytes));
  }

  async #compress(bytes: Buffer): Promise<Buffer | undefined> {
    if (bytes.length > SAMPLE_BYTES) {
      const sample = bytes.subarray(0, SAMPLE_BYTES);
      if (!isWorthwhile(await this.#squeeze(sample), sample)) return this.#leave();
    }
    const packed = await this.#squeeze(bytes);
    if (!isWorthwhile(packed, bytes)) return this.#leave();
    const again = await unpack(packed, bytes.length);
    if (again?.equals(bytes) !== true) {
      this.counts.mismatched++;
      return undefined;
    }
    this.counts.compressed++;
    return packed;
  }

  #leave(): undefined {
    this.counts.incompressible++;
    return undefined;
  }

  async #squeeze(bytes: Buffer): Promise<Buffer> {
    const params = { [constants.ZSTD_c_compressionLevel]: this.#level };
    const options = { params, pledgedSrcSize: bytes.length, chunkSize: bytes.length };
    if (bytes.length <= COMPRESSED_AT_ONCE_MAX) return zstdCompressSync(bytes, options);
    return compress(bytes, options);
  }
}

function isWorthwhile(packed: Buffer, bytes: Buffer): boolean {
  return packed.length <= bytes.length * WORTHWHILE_SHARE;
}

/** Never more than `sizeBytes` of memory, whatever the packed bytes claim. */
async function unpack(packed: Buffer, sizeBytes: number): Promise<Buffer | undefined> {
  try {
    const limits = { maxOutputLength: sizeBytes, chunkSize: Math.max(64, sizeBytes) };
    const bytes = sizeBytes <= UNPACKED_AT_ONCE_MAX
      ? zstdDecompressSync(packed, limits) : await decompress(packed, limits);
    return bytes.length === sizeBytes ? bytes : undefined;
  } catch (error) {
    if (isAboutBytes(error)) return undefined;
    throw error;
  }
}

/** The library's ways to say that these are not bytes that it ever packed. */
function isAboutBytes(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_BUFFER_TOO_LARGE' || code === 'Z_BUF_ERROR' ||
    (code?.startsWith('ZSTD_error_') === true && code !== 'ZSTD_error_memory_allocation');
}
