/**
 * The whole-file checksum of an upload in pieces, computed while the pieces still arrive.
 *
 * A client sends the checksum with its last request and waits for the answer, so hashing the whole
 * file only then would take minutes for a large one, and clients give up after one. Parts may
 * arrive out of order and at once, and hashes cannot be joined; so this follows behind: whenever a
 * part is durable it reads, in order, what has become contiguous. At the end little is left to do.
 * It is only a head start, kept in memory: after a restart the parts are simply read again.
 */
import type { Hash } from 'node:crypto';
import type { UploadPartRecord } from '../metadata/index.ts';
import type { ChecksumAlgorithm } from './checksums.ts';
import { newHasher } from './checksums.ts';
import type { ContentStore } from './content-store.ts';

/** What every client so far sends. Another one is computed at the end. */
const EXPECTED: ChecksumAlgorithm = 'SHA1';

export class UploadChecksum {
  readonly #content: ContentStore;
  #hasher: Hash = newHasher(EXPECTED);
  /** Manifests that went into the hasher, in order. */
  #done: Uint8Array[] = [];
  #doneBytes = 0;
  #lastNumber: number | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(content: ContentStore) {
    this.#content = content;
  }

  /** Takes note of the parts so far, by ascending number, and hashes what follows on. Returns at
   *  once; a part that cannot be read is left to `digest`, which reports it. */
  follow(parts: readonly UploadPartRecord[]): void {
    this.#work = this.#work.then(() => this.#advance(parts)).catch(() => this.#reset());
  }

  /** Of the whole, hex. @throws corrupt: a part cannot be read back. */
  async digest(
    parts: readonly UploadPartRecord[], algorithm: ChecksumAlgorithm, signal?: AbortSignal,
  ): Promise<string> {
    await this.#work;
    const same = algorithm === EXPECTED && this.#done.length <= parts.length
      && this.#done.every((manifest, index) => sameBytes(manifest, parts[index]?.manifest));
    const hasher = same ? this.#hasher : newHasher(algorithm);
    const rest = same ? parts.slice(this.#done.length) : parts;
    const copy = hasher.copy();
    for (const part of rest) await this.#hash(copy, part.manifest, signal);
    return copy.digest('hex');
  }

  async #advance(parts: readonly UploadPartRecord[]): Promise<void> {
    for (const part of parts.slice(this.#done.length)) {
      if (!this.#followsOn(part)) return;
      await this.#hash(this.#hasher, part.manifest);
      this.#done.push(part.manifest);
      this.#doneBytes += part.sizeBytes;
      this.#lastNumber = part.number;
    }
  }

  /** Clients number parts 0, 1, 2…, or 1, 2, 3…, or by the offset of their first byte. */
  #followsOn({ number }: UploadPartRecord): boolean {
    if (this.#lastNumber === undefined) return number <= 1;
    return number === this.#lastNumber + 1 || number === this.#doneBytes;
  }

  async #hash(hasher: Hash, manifest: Uint8Array, signal?: AbortSignal): Promise<void> {
    for (const block of await this.#content.blocksOf(manifest)) {
      hasher.update(await this.#content.readBlock(block, signal));
    }
  }

  #reset(): void {
    this.#hasher = newHasher(EXPECTED);
    this.#done = [];
    this.#doneBytes = 0;
    this.#lastNumber = undefined;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}
