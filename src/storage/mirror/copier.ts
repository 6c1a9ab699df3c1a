import { HoldfastError, isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import type { Clock } from '../../platform/index.ts';
import { Block } from '../block.ts';
import type { BlockStore } from '../block-store.ts';
import { isShredded } from '../sealing/block-sealer.ts';
import { orAbort } from '../waiting.ts';
import type { CopyPace } from './copy-pace.ts';
import type { CopyQueue, QueuedBlock } from './copy-queue.ts';
import { missingFrom } from './comparison.ts';
import type { MirrorCounters, MirrorLimits } from './mirror-limits.ts';
import type { Repairer } from './repairer.ts';

/** A comparison records how far it is after so many blocks at the latest. */
const COMPARED_AT_ONCE = 4096;
/** So often it is looked whether a comparison is due or a stuck block may be tried again. */
const LOOK_EVERY_MS = 60_000;

export interface CopierParts {
  readonly first: BlockStore;
  readonly second: BlockStore;
  readonly queue: CopyQueue;
  readonly pace: CopyPace;
  readonly repairer: Repairer;
  readonly limits: MirrorLimits;
  readonly clock: Clock;
  readonly counts: MirrorCounters;
}

/**
 * Brings to the second store what it lacks: what is queued, and what a comparison of the two lists
 * finds. It only ever adds. A difference of the lists says that a block is to be copied or that
 * one store knows more; that something was deleted it never says.
 */
export class Copier {
  readonly #parts: CopierParts;
  readonly #closing = new AbortController();
  readonly #copies = new Set<Promise<void>>();
  #pass: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(parts: CopierParts) {
    this.#parts = parts;
  }

  /** Looks for work; cheap. To be called once at the start, and whenever there may be some. */
  wake(): void {
    if (this.#closing.signal.aborted) return;
    const { queue, pace, limits } = this.#parts;
    this.#demandWhenOld();
    while (pace.waitMs === 0 && this.#copies.size < limits.copiesMax) {
      const block = queue.take();
      if (block === undefined) break;
      const copy = this.#copyQueued(block).finally(() => {
        this.#copies.delete(copy);
        this.wake();
      });
      this.#copies.add(copy);
    }
    if (pace.waitMs === 0 && queue.comparison.isDue) this.#pass ??= this.#runPass();
    this.#sleep();
  }

  /** Gives up what is under way and waits for its end. What was queued stays queued. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the mirror is being closed'));
    this.#cancelTimer?.();
    await Promise.all([...this.#copies, this.#pass]);
  }

  #sleep(): void {
    this.#cancelTimer?.();
    const { clock, pace } = this.#parts;
    const delayMs = pace.waitMs > 0 ? Math.ceil(pace.waitMs) : LOOK_EVERY_MS;
    this.#cancelTimer = clock.after(Math.min(delayMs, LOOK_EVERY_MS), () => this.wake());
  }

  #demandWhenOld(): void {
    const { queue, clock, limits } = this.#parts;
    const { isDue, comparedMs } = queue.comparison;
    if (isDue || comparedMs === undefined) return;
    if (clock.now() - comparedMs >= limits.compareEveryMs) queue.comparison.demand();
  }

  /** Never rejects: whatever happens, the block is done or stays queued. */
  async #copyQueued(block: QueuedBlock): Promise<void> {
    const { queue, pace, counts, limits } = this.#parts;
    try {
      const outcome = await this.#copyOnce(block);
      if (outcome === 'stuck') queue.park(block, limits.stuckRetryMs);
      else queue.done(block, outcome);
    } catch (error) {
      queue.putBack(block);
      if (this.#closing.signal.aborted) return;
      counts.failedCopies += 1;
      pace.failed(error);
    }
  }

  async #copyOnce({ id, isDoubtful }: QueuedBlock): Promise<'copied' | 'absent' | 'stuck'> {
    const { first, second, counts } = this.#parts;
    if (isDoubtful) {
      if (await this.#within(() => second.find(id)) !== undefined) return 'copied';
      if (await this.#within(() => first.find(id)) === undefined) {
        counts.absent += 1;
        return 'absent';
      }
    }
    return await this.#copy(id) ? 'copied' : 'stuck';
  }

  /** False when the first store cannot read the block and the second has none. Rejects when the
   *  second store, or for now the first, refuses. */
  async #copy(id: BlockId): Promise<boolean> {
    const { first, second, pace, counts, repairer } = this.#parts;
    let bytes: Buffer;
    try {
      bytes = await this.#within((signal) => first.get(id, signal));
    } catch (error) {
      if (isShredded(error)) return true; // Nobody can read it; there is nothing to copy.
      if (!isKind(error, 'corrupt') && !isKind(error, 'not-found')) throw error;
      const isThere = await this.#within(() => second.find(id)) !== undefined;
      if (isThere) repairer.offer(id);
      return isThere;
    }
    await this.#within((signal) => {
      return second.put(Block.hashed(id, [bytes], bytes.length), signal);
    });
    counts.copied += 1;
    counts.copiedBytes += bytes.length;
    pace.succeeded(bytes.length);
    return true;
  }

  /** Never rejects. A pass that fails goes on later from where it was. */
  async #runPass(): Promise<void> {
    const { pace, counts } = this.#parts;
    try {
      await this.#compare();
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        counts.failedCopies += 1;
        pace.failed(error);
      }
    }
    this.#pass = undefined;
    // Not at once: when it failed the pace says when, and a pass that was demanded anew can wait.
    if (!this.#closing.signal.aborted) this.#sleep();
  }

  async #compare(): Promise<void> {
    const { first, second, queue, clock, counts } = this.#parts;
    const beganMs = clock.now();
    const { demand, after } = await orAbort(queue.comparison.beginPass(), this.#closing.signal);
    const found = { missing: [] as BlockId[], comparedCount: 0, last: after };
    const settle = async (): Promise<void> => {
      await this.#copyFound(found.missing.splice(0));
      if (found.last !== undefined) queue.comparison.advance(demand, found.last);
      found.comparedCount = 0;
    };
    for await (const { id, where } of missingFrom(first.list(after), second.list(after))) {
      this.#closing.signal.throwIfAborted();
      if (where === 'second') counts.foundExtra += 1;
      // A queued block is safe with the queue, wherever the comparison goes on from.
      if (where === 'first' && !queue.has(id)) found.missing.push(id);
      found.last = id;
      found.comparedCount += 1;
      const isMuch = found.missing.length >= this.#parts.limits.copiesMax;
      if (isMuch || found.comparedCount >= COMPARED_AT_ONCE) await settle();
    }
    await settle();
    await queue.comparison.finish(demand, beganMs);
    counts.comparisons += 1;
  }

  async #copyFound(ids: readonly BlockId[]): Promise<void> {
    const { queue, counts, pace, clock } = this.#parts;
    if (ids.length === 0) return;
    if (pace.waitMs > 0) {
      await orAbort(new Promise<void>((resolve) => {
        clock.after(pace.waitMs, resolve);
      }), this.#closing.signal);
    }
    const copies = ids.map(async (id) => {
      counts.foundMissing += 1;
      // In the queue it stays in sight, and is tried again.
      if (!await this.#copy(id)) queue.addLazily(id, 0);
    });
    const outcomes = await Promise.allSettled(copies);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason as Error;
  }

  /** Ends when the mirror is closed or the deadline has passed, whatever the store does. */
  async #within<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, limits } = this.#parts;
    const late = new AbortController();
    const message = 'A copy to the second store took too long.';
    const cancel = clock.after(limits.copyDeadlineMs, () => {
      late.abort(new HoldfastError('unavailable', 'storage/MirrorStore.copy', message));
    });
    const signal = AbortSignal.any([late.signal, this.#closing.signal]);
    try {
      return await orAbort(act(signal), signal);
    } finally {
      cancel();
    }
  }
}
