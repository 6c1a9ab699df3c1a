import { HoldfastError, isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import type { Clock, Random } from '../../platform/index.ts';
import type { Block } from '../block.ts';
import type { BlockStore, BlockStoreState } from '../block-store.ts';
import { Copier } from './copier.ts';
import { isShredded } from '../sealing/block-sealer.ts';
import { CopyPace } from './copy-pace.ts';
import { CopyQueue, type PutTicket } from './copy-queue.ts';
import {
  MIRROR_DEFAULTS, noCounts, type MirrorCounters, type MirrorLimits, type MirrorPolicy,
  type MirrorStatus,
} from './mirror-limits.ts';
import { NodeQueueFile } from './node-queue-file.ts';
import type { QueueFile } from './queue-file.ts';
import { Repairer } from './repairer.ts';

const QUEUE_NAME = 'mirror.queue';

export interface MirrorOptions {
  /** Both are taken over: closing the mirror closes them. */
  readonly first: BlockStore;
  readonly second: BlockStore;
  readonly policy: MirrorPolicy;
  /** Where the queue is kept, durably; for this mirror alone. */
  readonly folder: string;
  /** Names the two stores, for example by their addresses. When it changes, all is compared. */
  readonly pair: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<MirrorLimits>;
  /** Instead of a file in the folder, for tests. */
  readonly file?: QueueFile;
}

/**
 * A BlockStore over two: the first is the one that counts, the second has a copy of everything.
 *
 * Durability: with `sync` a put resolves when the block is durable in both stores, and is refused
 * while one of them refuses. With `async` it resolves when the block is durable in the first, and
 * its copying is durably queued: a crash at any point leaves the block copied, queued, or not
 * acknowledged. Where the queue cannot be written, a put waits for both stores instead.
 *
 * Reads that the first store answers with `unavailable`, `corrupt` or `not-found` are asked of the
 * second. A block that the first lacks or has damaged is then written anew there. `not-found` is
 * said only when both stores say it. `list` and `state` are those of the first store; what it does
 * not list is never deleted anywhere.
 */
export class MirrorStore implements BlockStore {
  readonly #options: MirrorOptions;
  readonly #queue: CopyQueue;
  readonly #pace: CopyPace;
  readonly #repairer: Repairer;
  readonly #copier: Copier;
  readonly #counts: MirrorCounters = noCounts();
  readonly #puts = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  private constructor(options: MirrorOptions, queue: CopyQueue) {
    const { first, second, clock, random } = options;
    const limits = { ...MIRROR_DEFAULTS, ...options.limits };
    const counts = this.#counts;
    const { repairsMax } = limits;
    this.#options = options;
    this.#queue = queue;
    this.#pace = new CopyPace(limits, clock, random);
    this.#repairer = new Repairer({ first, second, repairsMax, counts });
    const pace = this.#pace;
    const repairer = this.#repairer;
    this.#copier = new Copier({ first, second, queue, pace, repairer, limits, clock, counts });
  }

  /** Reads the queue and goes on where the last run was. A new queue compares the stores first.
   *  @throws unavailable: the queue cannot be written. */
  static async open(options: MirrorOptions): Promise<MirrorStore> {
    const { pair, clock } = options;
    const { queueBlocksMax: blocksMax } = { ...MIRROR_DEFAULTS, ...options.limits };
    const file = options.file ?? new NodeQueueFile(options.folder, QUEUE_NAME);
    const mirror = new MirrorStore(options, await CopyQueue.open({ file, pair, clock, blocksMax }));
    mirror.#copier.wake();
    return mirror;
  }

  /** Each place by itself, for who moves all blocks from one to the other. */
  get places(): Readonly<Record<'first' | 'second', BlockStore>> {
    const { first, second } = this.#options;
    return { first, second };
  }

  async put(block: Block, signal?: AbortSignal): Promise<void> {
    this.#check('put', signal);
    const isSync = this.#options.policy === 'sync';
    const put = isSync ? this.#putBoth(block, signal) : this.#putQueued(block, signal);
    this.#puts.add(put);
    try {
      await put;
    } finally {
      this.#puts.delete(put);
    }
  }

  get(id: BlockId, signal?: AbortSignal): Promise<Buffer> {
    return this.#read('get', id, (store) => store.get(id, signal), signal);
  }

  read(
    id: BlockId, offsetBytes: number, lengthBytes: number, signal?: AbortSignal,
  ): Promise<Buffer> {
    const read = (store: BlockStore): Promise<Buffer> => {
      return store.read(id, offsetBytes, lengthBytes, signal);
    };
    return this.#read('read', id, read, signal);
  }

  /**
   * With `sync` a block is found when both stores have it, and with `async` when the first has:
   * what was not found is put again, which is right. Only when the first is unavailable the second
   * is asked for it, and what that lacks is `unavailable`, not absent.
   */
  async find(id: BlockId): Promise<{ sizeBytes: number } | undefined> {
    this.#check('find');
    const { first, second, policy } = this.#options;
    try {
      const found = await first.find(id);
      if (policy === 'async' || found === undefined) return found;
      return await second.find(id);
    } catch (error) {
      if (policy === 'sync' || !isKind(error, 'unavailable')) throw error;
      const found = await second.find(id);
      if (found === undefined) throw error;
      return found;
    }
  }

  async *list(after?: BlockId): AsyncGenerator<BlockId> {
    this.#check('list');
    yield* this.#options.first.list(after);
  }

  state(): BlockStoreState {
    const { first, second, policy } = this.#options;
    const state = first.state();
    if (this.#closing !== undefined) return { ...state, refusesWrites: 'closed' };
    if (policy === 'async') return state;
    const other = second.state();
    return {
      ...state,
      refusesWrites: state.refusesWrites ?? other.refusesWrites,
      queuedBytes: state.queuedBytes + other.queuedBytes,
    };
  }

  /** What an operator wants to know of the mirror. Cheap. */
  status(): MirrorStatus {
    const { isDue, comparedMs, cursor } = this.#queue.comparison;
    // Ids are spread evenly, so the first digits say what share of them lies before.
    const share = cursor === undefined ? 0 : Number.parseInt(cursor.slice(0, 8), 16) / 2 ** 32;
    return {
      ...this.#counts,
      policy: this.#options.policy,
      lag: this.#queue.lag(),
      stuckBlocks: this.#queue.stuckCount,
      comparison: { isDue, progress: isDue ? share : 1, comparedMs },
      refusal: this.#pace.refusal,
    };
  }

  /** Has all blocks of both stores compared soon, as after a copy was restored or replaced. */
  compareSoon(): void {
    this.#check('compareSoon');
    this.#queue.comparison.demand();
    this.#copier.wake();
  }

  /** Waits for puts, not for the queue: that is durable, and goes on after the next start. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #putQueued(block: Block, signal?: AbortSignal): Promise<void> {
    const { first } = this.#options;
    let ticket: PutTicket;
    try {
      ticket = await this.#queue.add(block.id, block.sizeBytes);
    } catch (error) {
      if (!isKind(error, 'unavailable')) throw error;
      await this.#putBoth(block, signal);
      this.#counts.unqueuedPuts += 1;
      return;
    }
    let outcome: 'stored' | 'unknown' = 'unknown';
    try {
      signal?.throwIfAborted();
      await first.put(block, signal);
      outcome = 'stored';
    } finally {
      this.#queue.settle(ticket, outcome);
      this.#copier.wake();
    }
  }

  async #putBoth(block: Block, signal?: AbortSignal): Promise<void> {
    const { first, second } = this.#options;
    const puts = [first.put(block, signal), second.put(block, signal)];
    const failed = (await Promise.allSettled(puts)).find(({ status }) => status === 'rejected');
    if (failed?.status !== 'rejected') return;
    // Not acknowledged, yet maybe in the first store: nobody must go on to rely on one copy.
    this.#queue.addLazily(block.id, block.sizeBytes);
    this.#copier.wake();
    throw failed.reason as Error;
  }

  async #read(
    method: string, id: BlockId, read: (store: BlockStore) => Promise<Buffer>,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    this.#check(method, signal);
    const { first, second } = this.#options;
    try {
      return await read(first);
    } catch (error) {
      if (!isFailover(error) || this.#closing !== undefined) throw error;
      const bytes = await read(second).catch((other: unknown) => {
        signal?.throwIfAborted();
        throw moreHopeful(error, other);
      });
      this.#counts.failovers += 1;
      if (error.kind !== 'unavailable') this.#repairer.offer(id);
      return bytes;
    }
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#puts);
    await this.#copier.close();
    await this.#repairer.close();
    const { first, second } = this.#options;
    const ends = await Promise.allSettled([this.#queue.close(), first.close(), second.close()]);
    const failed = ends.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason as Error;
  }

  #check(method: string, signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (this.#closing === undefined) return;
    const op = `storage/MirrorStore.${method}`;
    throw new HoldfastError('unavailable', op, 'The store is closed.');
  }
}

function isFailover(error: unknown): error is HoldfastError {
  // What was destroyed on purpose is not looked for elsewhere.
  if (isShredded(error)) return false;
  return isKind(error, 'unavailable') || isKind(error, 'corrupt') || isKind(error, 'not-found');
}

/** Of what the two stores said, what leaves most open: gone only if both say so. Anything but the
 *  three kinds, such as a range that is not inside the block, is the truth about the request. */
function moreHopeful(first: HoldfastError, second: unknown): unknown {
  if (!isFailover(second)) return second;
  for (const kind of ['unavailable', 'corrupt'] as const) {
    const found = [first, second].find((error) => error.kind === kind);
    if (found !== undefined) return found;
  }
  return first;
}
