import { HoldfastError } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import type { Block } from '../block.ts';
import { checkRange } from '../block-range.ts';
import type { BlockStore, BlockStoreState } from '../block-store.ts';
import { RECENT_DEFAULTS, RecentBlocks } from '../recent-blocks.ts';
import type { RecentLimits } from '../recent-blocks.ts';

export interface MemoryCacheOptions {
  /** The store that keeps the blocks. The cache takes it over: closing one closes both. */
  readonly behind: BlockStore;
  readonly limits?: RecentLimits;
}

/** Reads since the start. */
export interface MemoryCacheCounters {
  hits: number;
  /** They went behind, as did those of great blocks. */
  misses: number;
}

/**
 * A BlockStore with small blocks in memory in front of another, which alone is the truth.
 *
 * A put resolves when the store behind has the block; what that store promises then holds. What is
 * kept was checked when it came, by the store behind or as it was hashed to be put. Everything but
 * reading bytes goes behind. So a block that was lost behind, or removed by another process, may
 * still be read here for a while: verifiers ask the store behind.
 */
export class MemoryCache implements BlockStore {
  readonly #behind: BlockStore;
  readonly #recent: RecentBlocks;
  #hits = 0;
  #misses = 0;
  #forgottenCount = 0;
  #closing: Promise<void> | undefined;

  constructor({ behind, limits = RECENT_DEFAULTS }: MemoryCacheOptions) {
    this.#behind = behind;
    this.#recent = new RecentBlocks(limits);
  }

  async put(block: Block, signal?: AbortSignal): Promise<void> {
    this.#check('put', signal);
    const forgottenCount = this.#forgottenCount;
    await this.#behind.put(block, signal);
    this.#keep(block.id, block.pieces, block.sizeBytes, forgottenCount);
  }

  async get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    this.#check('get', signal);
    const known = this.#find(id);
    if (known !== undefined) return known;
    const forgottenCount = this.#forgottenCount;
    const bytes = await this.#behind.get(id, signal);
    this.#keep(id, [bytes], bytes.length, forgottenCount);
    return bytes;
  }

  async read(
    ...[id, offsetBytes, lengthBytes, signal, into]: Parameters<BlockStore['read']>
  ): Promise<Buffer> {
    this.#check('read', signal);
    const known = this.#find(id);
    // A part of a block that is not known is not kept: whether it is a small one is not known.
    if (known === undefined) {
      return this.#behind.read(id, offsetBytes, lengthBytes, signal, into);
    }
    checkRange('storage/MemoryCache.read', known.length, { offsetBytes, lengthBytes });
    return known.subarray(offsetBytes, offsetBytes + lengthBytes);
  }

  async find(id: BlockId): Promise<{ sizeBytes: number } | undefined> {
    this.#check('find');
    return this.#behind.find(id);
  }

  async *list(after?: BlockId): AsyncGenerator<BlockId> {
    this.#check('list');
    yield* this.#behind.list(after);
  }

  state(): BlockStoreState {
    const state = this.#behind.state();
    return this.#closing === undefined ? state : { ...state, refusesWrites: 'closed' };
  }

  close(): Promise<void> {
    this.#closing ??= this.#behind.close();
    return this.#closing;
  }

  /** Removes a block from the cache only: for who has just erased it behind. */
  forget(id: BlockId): void {
    this.#forgottenCount += 1;
    this.#recent.forget(id);
  }

  /** Cheap. */
  counters(): MemoryCacheCounters {
    return { hits: this.#hits, misses: this.#misses };
  }

  #find(id: BlockId): Buffer | undefined {
    const known = this.#recent.find(id);
    if (known === undefined) this.#misses += 1;
    else this.#hits += 1;
    return known;
  }

  /** Not when anything was to be forgotten since these bytes were asked for: it might be they. */
  #keep(
    id: BlockId, pieces: readonly Uint8Array[], sizeBytes: number, forgottenCount: number,
  ): void {
    if (forgottenCount === this.#forgottenCount) this.#recent.add(id, pieces, sizeBytes);
  }

  #check(method: string, signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (this.#closing === undefined) return;
    const op = `storage/MemoryCache.${method}`;
    throw new HoldfastError('unavailable', op, 'The store is closed.');
  }
}
