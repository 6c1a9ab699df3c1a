import type { BlockId } from '../../base/ids.ts';
import type { Clock } from '../../platform/index.ts';
import { ComparisonMark } from './comparison-mark.ts';
import type { QueueFile } from './queue-file.ts';
import { readRecords, type QueueRecord } from './queue-record.ts';
import { QueueWriter } from './queue-writer.ts';

/** How many ready ids are taken out of the set at once: its front has holes to step over. */
const READY_AT_ONCE = 256;

export interface CopyQueueOptions {
  readonly file: QueueFile;
  /** Names the two stores, so that a new second store is not taken for the old one. */
  readonly pair: string;
  readonly clock: Clock;
  /** Beyond it blocks are not queued one by one; the stores will be compared instead. */
  readonly blocksMax: number;
}

export interface QueuedBlock {
  readonly id: BlockId;
  readonly sizeBytes: number;
  /** When it was first queued. */
  readonly sinceMs: number;
  /** True when the block may not be in the first store, or may be in the second already. */
  isDoubtful: boolean;
  /** Puts into the first store that have not ended. */
  putCount: number;
  /** How often it was queued: tells whether it was, again, while it was being copied. */
  addCount: number;
  isInHand: boolean;
}

/** From `add` to `settle`: a put into the first store, known here before it begins. */
export interface PutTicket {
  readonly id: BlockId;
  /** When it found no room in the queue: the demand to compare that stands for it. */
  readonly demand?: number;
}

export interface Lag {
  blocks: number;
  bytes: number;
  /** How long the oldest queued block has waited; 0 when none does. */
  oldestAgeMs: number;
  /** False while a comparison is due or runs: then blocks may lack that are not counted. */
  isComplete: boolean;
}

/**
 * What the second store still lacks. A block is durably queued before it is put into the first
 * store, so no crash loses one; its memory and its file are bounded, and when they are full, one
 * durable record says that the stores must be compared.
 */
export class CopyQueue {
  readonly comparison: ComparisonMark;
  readonly #options: CopyQueueOptions;
  readonly #writer: QueueWriter;
  /** In the order of their first queueing. */
  readonly #blocks = new Map<BlockId, QueuedBlock>();
  readonly #ready = new Set<BlockId>();
  #next: BlockId[] = [];
  /** Cannot be copied now; asked again at the time given. */
  readonly #stuck = new Map<BlockId, number>();
  #bytes = 0;

  private constructor(options: CopyQueueOptions, records: readonly QueueRecord[]) {
    this.#options = options;
    this.#writer = new QueueWriter({
      file: options.file,
      snapshot: () => this.#snapshot(),
      snapshotLength: () => this.#blocks.size,
    });
    this.comparison = new ComparisonMark(this.#writer);
    for (const record of records) this.#replay(record);
    for (const id of this.#blocks.keys()) this.#ready.add(id);
  }

  /** @throws unavailable: the file cannot be written. */
  static async open(options: CopyQueueOptions): Promise<CopyQueue> {
    // A file that cannot be read is as good as none: then all is compared, and a new one is made.
    const bytes = await options.file.read().catch(() => undefined);
    const { records, isSound } = readRecords(bytes, options.pair);
    const queue = new CopyQueue(options, records);
    if (!isSound) queue.comparison.replay({ kind: 'compare' });
    await queue.#writer.flush();
    return queue;
  }

  /** Before a put into the first store. Resolves when the block, or the need to compare, is
   *  durable; a ticket must be settled. @throws unavailable: the queue could not be written. */
  async add(id: BlockId, sizeBytes: number): Promise<PutTicket> {
    const timeMs = this.#options.clock.now();
    if (!this.#blocks.has(id) && this.#blocks.size >= this.#options.blocksMax) {
      return { id, demand: await this.comparison.beginUnqueuedPut() };
    }
    this.#insert(id, sizeBytes, timeMs).putCount += 1;
    try {
      await this.#writer.write({ kind: 'add', id, sizeBytes, timeMs });
    } catch (error) {
      this.settle({ id }, 'unknown');
      throw error;
    }
    return { id };
  }

  /** For a block that may be in the first store only. Not durable by itself. */
  addLazily(id: BlockId, sizeBytes: number): void {
    if (!this.#blocks.has(id) && this.#blocks.size >= this.#options.blocksMax) {
      this.comparison.demand();
      return;
    }
    const timeMs = this.#options.clock.now();
    this.#insert(id, sizeBytes, timeMs).isDoubtful = true;
    this.#writer.writeLazily({ kind: 'add', id, sizeBytes, timeMs });
    this.#offer(id);
  }

  /** After the put: it may be copied now. `unknown` when the put has failed. */
  settle(ticket: PutTicket, outcome: 'stored' | 'unknown'): void {
    if (ticket.demand !== undefined) {
      this.comparison.endUnqueuedPut(ticket.demand);
      return;
    }
    const block = this.#blocks.get(ticket.id);
    if (block === undefined) return;
    block.putCount -= 1;
    if (outcome === 'unknown') block.isDoubtful = true;
    this.#offer(ticket.id);
  }

  /** The next block to copy, which is then in the caller's hand until `done`, `putBack` or `park`.
   *  The oldest first, as a rule. */
  take(): QueuedBlock | undefined {
    for (;;) {
      if (this.#next.length === 0) this.#refill();
      const id = this.#next.pop();
      if (id === undefined) return undefined;
      const block = this.#blocks.get(id);
      if (block === undefined || block.isInHand || block.putCount > 0) continue;
      block.isInHand = true;
      return { ...block };
    }
  }

  /** The second store has the block, or neither has. A block that was queued anew while it was in
   *  hand stays when it was in neither. */
  done(taken: QueuedBlock, why: 'copied' | 'absent'): void {
    const block = this.#blocks.get(taken.id);
    if (block === undefined) return;
    block.isInHand = false;
    if (block.putCount > 0 || (why === 'absent' && block.addCount !== taken.addCount)) {
      this.#offer(taken.id);
      return;
    }
    this.#blocks.delete(taken.id);
    this.#bytes -= block.sizeBytes;
    this.#writer.writeLazily({ kind: 'done', id: taken.id });
  }

  /** To be tried again, after the others. */
  putBack(taken: QueuedBlock): void {
    const block = this.#blocks.get(taken.id);
    if (block === undefined) return;
    block.isInHand = false;
    block.isDoubtful = true;
    this.#offer(taken.id);
  }

  /** To be tried again after `delayMs`: the first store cannot read it. */
  park(taken: QueuedBlock, delayMs: number): void {
    const block = this.#blocks.get(taken.id);
    if (block === undefined) return;
    block.isInHand = false;
    block.isDoubtful = true;
    this.#stuck.set(taken.id, this.#options.clock.monotonic() + delayMs);
  }

  has(id: BlockId): boolean {
    return this.#blocks.has(id);
  }

  get stuckCount(): number {
    return this.#stuck.size;
  }

  lag(): Lag {
    const [oldest] = this.#blocks.values();
    const nowMs = this.#options.clock.now();
    return {
      blocks: this.#blocks.size,
      bytes: this.#bytes,
      // A clock that was set back must not show a negative age.
      oldestAgeMs: oldest === undefined ? 0 : Math.max(0, nowMs - oldest.sinceMs),
      isComplete: !this.comparison.isDue,
    };
  }

  async close(): Promise<void> {
    try {
      await this.#writer.flush();
    } finally {
      await this.#writer.close();
    }
  }

  #insert(id: BlockId, sizeBytes: number, sinceMs: number): QueuedBlock {
    const known = this.#blocks.get(id);
    if (known !== undefined) {
      known.addCount += 1;
      return known;
    }
    const block = {
      id, sizeBytes, sinceMs, isDoubtful: false, putCount: 0, addCount: 1, isInHand: false,
    };
    this.#blocks.set(id, block);
    this.#bytes += sizeBytes;
    return block;
  }

  #offer(id: BlockId): void {
    const block = this.#blocks.get(id);
    if (block === undefined || block.isInHand || block.putCount > 0) return;
    this.#stuck.delete(id);
    this.#ready.add(id);
  }

  #refill(): void {
    if (this.#ready.size === 0) this.#wakeStuck();
    for (const id of this.#ready) {
      this.#next.push(id);
      if (this.#next.length === READY_AT_ONCE) break;
    }
    for (const id of this.#next) this.#ready.delete(id);
    this.#next.reverse();
  }

  #wakeStuck(): void {
    const nowMs = this.#options.clock.monotonic();
    for (const [id, dueMs] of this.#stuck) if (dueMs <= nowMs) this.#offer(id);
  }

  #replay(record: QueueRecord): void {
    if (record.kind === 'add') {
      const { id, sizeBytes, timeMs } = record;
      this.#insert(id, sizeBytes, timeMs).isDoubtful = true;
    } else if (record.kind === 'done') {
      this.#bytes -= this.#blocks.get(record.id)?.sizeBytes ?? 0;
      this.#blocks.delete(record.id);
    } else {
      this.comparison.replay(record);
    }
  }

  *#snapshot(): Generator<QueueRecord> {
    yield { kind: 'begin', pair: this.#options.pair };
    yield* this.comparison.snapshot();
    for (const { id, sizeBytes, sinceMs } of this.#blocks.values()) {
      yield { kind: 'add', id, sizeBytes, timeMs: sinceMs };
    }
  }
}
