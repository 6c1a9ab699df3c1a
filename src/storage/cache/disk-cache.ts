import { HoldfastError } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import type { Clock } from '../../platform/index.ts';
import type { Block } from '../block.ts';
import { checkRange } from '../block-range.ts';
import type { BlockStore, BlockStoreState } from '../block-store.ts';
import { SingleFlight } from '../single-flight.ts';
import { Gate, orAbort } from '../waiting.ts';
import type { CacheFiles } from './cache-files.ts';
import { CACHE_DEFAULTS, type CacheCounters, type CacheLimits } from './cache-limits.ts';
import { CacheShelf } from './cache-shelf.ts';
import { NodeCacheFiles } from './node-cache-files.ts';

export interface DiskCacheOptions {
  /** The store that keeps the blocks. The cache takes it over: closing one closes both. */
  readonly behind: BlockStore;
  /** The cache's folder, for this store alone. Whatever is in it may be deleted at any time. */
  readonly folder: string;
  readonly clock: Clock;
  readonly limits?: Partial<CacheLimits>;
  /** Also cache what is put; it is often read soon. True when left out. */
  readonly cachesPuts?: boolean;
  /** Instead of the folder, for tests. */
  readonly files?: CacheFiles;
}

interface Keepable {
  readonly pieces: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly forgottenCount: number;
}

/**
 * A BlockStore with a cache of files in front of another, which alone is the truth.
 *
 * A put resolves when the store behind has the block; what that store promises then holds. Reads
 * are answered from the cache when it has the block, and every byte is checked on the way out: a
 * damaged entry is dropped, and the block is read from behind. No fault of the cache's disk is ever
 * an error of this store: without its cache it is as fast as the store behind, and as right.
 * Everything but reading bytes goes behind: `find` and `list` say what is stored, not what is
 * cached. So a block that was lost behind may still be read here for a while: verifiers ask the
 * store behind.
 */
export class DiskCache implements BlockStore {
  readonly #behind: BlockStore;
  readonly #shelf: CacheShelf;
  readonly #gate: Gate;
  readonly #cachesPuts: boolean;
  readonly #hits = new SingleFlight<BlockId, Buffer | undefined>();
  readonly #fetches = new SingleFlight<BlockId, Buffer>();
  #forgottenCount = 0;
  #closing: Promise<void> | undefined;

  private constructor(options: DiskCacheOptions, limits: CacheLimits, shelf: CacheShelf) {
    this.#behind = options.behind;
    this.#cachesPuts = options.cachesPuts ?? true;
    this.#shelf = shelf;
    const { fetchesMax: activeMax, waitingMax } = limits;
    this.#gate = new Gate({ op: 'storage/DiskCache.get', activeMax, waitingMax });
  }

  /** Takes over what an earlier run has cached, from the folder's listing alone. Never fails for
   *  the folder's sake. */
  static async open(options: DiskCacheOptions): Promise<DiskCache> {
    const limits = { ...CACHE_DEFAULTS, ...options.limits };
    const files = options.files ?? new NodeCacheFiles(options.folder);
    return new DiskCache(options, limits, await CacheShelf.open(files, options.clock, limits));
  }

  async put(block: Block, signal?: AbortSignal): Promise<void> {
    this.#check('put', signal);
    const { pieces, sizeBytes } = block;
    const forgottenCount = this.#forgottenCount;
    await this.#behind.put(block, signal);
    if (this.#cachesPuts) this.#keep(block.id, { pieces, sizeBytes, forgottenCount });
  }

  async get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    this.#check('get', signal);
    const cached = await this.#hits.run(id, () => this.#shelf.readWhole(id), signal);
    return cached ?? await this.#fetch(id, signal);
  }

  async read(
    id: BlockId, offsetBytes: number, lengthBytes: number, signal?: AbortSignal,
  ): Promise<Buffer> {
    this.#check('read', signal);
    const op = 'storage/DiskCache.read';
    const range = { offsetBytes, lengthBytes };
    const cached = await orAbort(this.#shelf.readPart(id, range, op), signal);
    if (cached !== undefined) return cached;
    // The whole block: whoever reads one part of a file mostly reads the next one too.
    const bytes = await this.#fetch(id, signal);
    checkRange(op, bytes.length, range);
    return bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
  }

  async find(id: BlockId): Promise<{ sizeBytes: number } | undefined> {
    this.#check('find');
    return this.#behind.find(id);
  }

  async *list(after?: BlockId): AsyncGenerator<BlockId> {
    this.#check('list');
    yield* this.#behind.list(after);
  }

  /** That of the store behind: what is cached counts nowhere. */
  state(): BlockStoreState {
    const state = this.#behind.state();
    return this.#closing === undefined ? state : { ...state, refusesWrites: 'closed' };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Removes a block from the cache only: for who has just erased it behind. */
  async forget(id: BlockId): Promise<void> {
    this.#check('forget');
    this.#forgottenCount += 1;
    await this.#shelf.forget(id);
  }

  /** Cheap. `joined`: reads that shared the errand of another. */
  counters(): CacheCounters & { joined: number } {
    const joined = this.#hits.joinedCount + this.#fetches.joinedCount;
    return { ...this.#shelf.counters(), joined };
  }

  #fetch(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    return this.#fetches.run(id, async (shared) => {
      const forgottenCount = this.#forgottenCount;
      const bytes = await this.#gate.run(() => this.#behind.get(id, shared), shared);
      this.#keep(id, { pieces: [bytes], sizeBytes: bytes.length, forgottenCount });
      return bytes;
    }, signal);
  }

  /** Not when anything was to be forgotten since these bytes were asked for: it might be they. */
  #keep(id: BlockId, bytes: Keepable): void {
    if (this.#closing !== undefined || bytes.forgottenCount !== this.#forgottenCount) return;
    this.#shelf.keep(id, bytes.pieces, bytes.sizeBytes);
  }

  async #close(): Promise<void> {
    try {
      await this.#shelf.settled();
    } finally {
      await this.#behind.close();
    }
  }

  #check(method: string, signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (this.#closing === undefined) return;
    const op = `storage/DiskCache.${method}`;
    throw new HoldfastError('unavailable', op, 'The store is closed.');
  }
}
