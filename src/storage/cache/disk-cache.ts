import { HoldfastError } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import type { Clock } from '../../platform/index.ts';
import { Block } from '../block.ts';
import { checkRange } from '../block-range.ts';
import type { BlockStore, BlockStoreState } from '../block-store.ts';
import { UnpackedBlocks } from '../sealing/unpacked-blocks.ts';
import { isKeyFault, type BlockSealer } from '../sealing/block-sealer.ts';
import { decodeSealed, encodeSealed } from '../sealing/sealed-object.ts';
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
  /** If it encrypts, what is cached is encrypted, too. */
  readonly sealer?: BlockSealer | undefined;
  readonly limits?: Partial<CacheLimits>;
  /** Also cache what is put; it is often read soon. True when left out. */
  readonly cachesPuts?: boolean;
  /** Instead of the folder, for tests. */
  readonly files?: CacheFiles;
}

/** Blocks that are being encrypted for the cache; more are not cached. */
const SEALINGS_MAX = 32;

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
  /** Undefined: what is cached is not encrypted. */
  readonly #sealer: BlockSealer | undefined;
  readonly #sealings = new Set<Promise<void>>();
  readonly #unpacked = new UnpackedBlocks();
  readonly #hits = new SingleFlight<BlockId, Buffer | undefined>();
  readonly #fetches = new SingleFlight<BlockId, Buffer>();
  #forgottenCount = 0;
  #closing: Promise<void> | undefined;

  private constructor(options: DiskCacheOptions, limits: CacheLimits, shelf: CacheShelf) {
    this.#behind = options.behind;
    this.#cachesPuts = options.cachesPuts ?? true;
    this.#sealer = sealerOf(options);
    this.#shelf = shelf;
    const { fetchesMax: activeMax, waitingMax } = limits;
    this.#gate = new Gate({ op: 'storage/DiskCache.get', activeMax, waitingMax });
  }

  /** Takes over what an earlier run has cached, from the folder's listing alone. Never fails for
   *  the folder's sake. */
  static async open(options: DiskCacheOptions): Promise<DiskCache> {
    const limits = { ...CACHE_DEFAULTS, ...options.limits };
    const files = options.files ?? new NodeCacheFiles(options.folder);
    const form = sealerOf(options) === undefined ? 'block' : 'sealed';
    const shelf = await CacheShelf.open({ files, form, clock: options.clock, limits });
    return new DiskCache(options, limits, shelf);
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
    const cached = await this.#hits.run(id, () => this.#readWhole(id), signal);
    return cached ?? await this.#fetch(id, signal);
  }

  async read(
    id: BlockId, offsetBytes: number, lengthBytes: number, signal?: AbortSignal,
  ): Promise<Buffer> {
    this.#check('read', signal);
    const op = 'storage/DiskCache.read';
    const range = { offsetBytes, lengthBytes };
    const isSealed = this.#sealer !== undefined;
    const cached = isSealed
      ? undefined : await orAbort(this.#shelf.readPart(id, range, op), signal);
    if (cached !== undefined) return cached;
    // The whole block: whoever reads one part of a file mostly reads the next one too.
    const bytes = isSealed ? await this.#getOften(id, signal) : await this.#fetch(id, signal);
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
    this.#unpacked.forget(id);
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
    if (this.#sealer === undefined) {
      this.#shelf.keep(id, bytes.pieces, bytes.sizeBytes);
    } else if (this.#sealings.size < SEALINGS_MAX) {
      const sealing = this.#keepSealed(this.#sealer, id, bytes).finally(() => {
        this.#sealings.delete(sealing);
      });
      this.#sealings.add(sealing);
    }
  }

  /** Never rejects: what cannot be encrypted, as its keys were destroyed, is not cached. */
  async #keepSealed(
    sealer: BlockSealer, id: BlockId, { pieces, sizeBytes, forgottenCount }: Keepable,
  ): Promise<void> {
    try {
      const packed = await sealer.pack(Block.hashed(id, pieces, sizeBytes));
      if (packed === undefined || forgottenCount !== this.#forgottenCount) return;
      const sealed = encodeSealed({ id, sizeBytes }, packed);
      this.#shelf.keep(id, sealed, sealed.reduce((sum, { length }) => sum + length, 0));
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
  }

  /** Undefined: it is not cached, or cannot be opened any more. */
  async #readWhole(id: BlockId): Promise<Buffer | undefined> {
    const cached = await this.#shelf.readWhole(id);
    if (cached === undefined || this.#sealer === undefined) return cached;
    const record = decodeSealed(cached, id);
    try {
      const bytes = record && await this.#sealer.unpack(record);
      if (bytes !== undefined) return bytes;
    } catch (error) {
      if (!isKeyFault(error)) throw error;
    }
    await this.#shelf.forget(id);
    return undefined;
  }

  /** Who streams a block asks for one part after the other. */
  async #getOften(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    const known = this.#unpacked.find(id);
    if (known !== undefined) return known;
    const bytes = await this.get(id, signal);
    this.#unpacked.add(id, bytes);
    return bytes;
  }

  async #close(): Promise<void> {
    try {
      await Promise.all(this.#sealings);
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

function sealerOf({ sealer }: DiskCacheOptions): BlockSealer | undefined {
  return sealer?.encrypts === true ? sealer : undefined;
}
