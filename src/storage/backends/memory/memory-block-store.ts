import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Block } from '../../block.ts';
import { checkRange } from '../../block-range.ts';
import type { BlockStore, BlockStoreState } from '../../block-store.ts';

const BYTES_MAX = 1024 ** 3;

/** A BlockStore for tests: keeps its blocks as long as the process lives. */
export class MemoryBlockStore implements BlockStore {
  readonly #blocks = new Map<BlockId, Buffer>();
  readonly #bytesMax: number;
  #storedBytes = 0;
  #closed = false;

  /** Above `bytesMax` bytes the store is `full`. */
  constructor(bytesMax = BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  async put(block: Block, signal?: AbortSignal): Promise<void> {
    this.#check('put', signal);
    if (this.#blocks.has(block.id)) return;
    if (this.#storedBytes + block.sizeBytes > this.#bytesMax) {
      throw new HoldfastError('full', 'storage/MemoryBlockStore.put', 'There is no room left.');
    }
    this.#blocks.set(block.id, Buffer.concat(block.pieces));
    this.#storedBytes += block.sizeBytes;
  }

  async get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    this.#check('get', signal);
    const bytes = this.#blocks.get(id);
    if (bytes !== undefined) return bytes;
    const facts = { blockId: id };
    const op = 'storage/MemoryBlockStore.get';
    throw new HoldfastError('not-found', op, 'There is no such block.', { facts });
  }

  async read(
    id: BlockId, offsetBytes: number, lengthBytes: number, signal?: AbortSignal,
  ): Promise<Buffer> {
    const bytes = await this.get(id, signal);
    checkRange('storage/MemoryBlockStore.read', bytes.length, { offsetBytes, lengthBytes });
    return bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
  }

  async find(id: BlockId): Promise<{ sizeBytes: number } | undefined> {
    this.#check('find');
    const bytes = this.#blocks.get(id);
    return bytes === undefined ? undefined : { sizeBytes: bytes.length };
  }

  async *list(after?: BlockId): AsyncGenerator<BlockId> {
    this.#check('list');
    for (const id of [...this.#blocks.keys()].sort()) {
      if (after === undefined || id > after) yield id;
    }
  }

  state(): BlockStoreState {
    const full = this.#storedBytes >= this.#bytesMax ? 'full' : undefined;
    return {
      blockCount: this.#blocks.size,
      storedBytes: this.#storedBytes,
      refusesWrites: this.#closed ? 'closed' : full,
      queuedBytes: 0,
      damagedCount: 0,
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #check(method: string, signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (!this.#closed) return;
    const op = `storage/MemoryBlockStore.${method}`;
    throw new HoldfastError('unavailable', op, 'The store is closed.');
  }
}
