import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Block } from '../../block.ts';
import { checkRange } from '../../block-range.ts';
import {
  RECLAIM_PAGE_MAX, type BlockClaim, type BlockReclaim, type ReclaimState, type UnneededBlock,
} from '../../block-reclaim.ts';
import type { BlockStore, BlockStoreState } from '../../block-store.ts';
import { OpenClaims } from '../../open-claims.ts';

const BYTES_MAX = 1024 ** 3;

/** A BlockStore for tests: keeps its blocks as long as the process lives. */
export class MemoryBlockStore implements BlockStore {
  readonly #blocks = new Map<BlockId, Buffer>();
  readonly #bytesMax: number;
  /** What a collector needs of this store. */
  readonly reclaim: MemoryReclaim = new MemoryReclaim(this.#blocks);
  #storedBytes = 0;
  #closed = false;

  /** Above `bytesMax` bytes the store is `full`. */
  constructor(bytesMax = BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  async put(block: Block, signal?: AbortSignal): Promise<void> {
    this.#check('put', signal);
    this.reclaim.touch(block.id);
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

/** Naive on purpose, like the store: three sets. */
class MemoryReclaim implements BlockReclaim {
  readonly #blocks: ReadonlyMap<BlockId, Buffer>;
  readonly #claims = new OpenClaims((id) => this.touch(id));
  readonly #condemned = new Set<BlockId>();
  #needed = new Set<BlockId>();
  #census = 0;

  constructor(blocks: ReadonlyMap<BlockId, Buffer>) {
    this.#blocks = blocks;
  }

  /** Somebody needs the block now. */
  touch(id: BlockId): boolean {
    this.#needed.add(id);
    this.#condemned.delete(id);
    return this.#blocks.has(id);
  }

  async prepare(): Promise<void> {
    // Nobody else writes to it.
  }

  async lookFor(ids: readonly BlockId[]): Promise<BlockId[]> {
    return [...ids];
  }

  claim(): BlockClaim {
    return this.#claims.open();
  }

  beginCensus(): number {
    this.#census += 1;
    this.#needed = new Set();
    this.#claims.touchAll();
    return this.#census;
  }

  need(census: number, ids: readonly BlockId[]): BlockId[] {
    this.#checkCensus(census);
    return ids.filter((id) => !this.touch(id));
  }

  async *listUnneeded(census: number): AsyncGenerator<readonly UnneededBlock[]> {
    this.#checkCensus(census);
    const ids = [...this.#blocks.keys()].filter((id) => !this.#needed.has(id)).sort();
    for (let at = 0; at < ids.length; at += RECLAIM_PAGE_MAX) {
      this.#checkCensus(census);
      const page = ids.slice(at, at + RECLAIM_PAGE_MAX).filter((id) => !this.#needed.has(id));
      yield page.map((id) => ({ id, sizeBytes: this.#blocks.get(id)?.length ?? 0 }));
    }
  }

  condemn(census: number, ids: readonly BlockId[]): BlockId[] {
    this.#checkCensus(census);
    const guilty = ids.filter((id) => this.#blocks.has(id) && !this.#needed.has(id));
    for (const id of guilty) this.#condemned.add(id);
    return guilty;
  }

  state(): ReclaimState {
    let condemnedBytes = 0;
    for (const id of this.#condemned) condemnedBytes += this.#blocks.get(id)?.length ?? 0;
    const condemnedCount = this.#condemned.size;
    return {
      openClaims: this.#claims.count, census: this.#census, condemnedCount, condemnedBytes,
    };
  }

  #checkCensus(census: number): void {
    if (census === this.#census) return;
    const message = 'Another census has begun meanwhile; this one is over.';
    throw new HoldfastError('conflict', 'storage/BlockReclaim', message, { code: 'census-over' });
  }
}
