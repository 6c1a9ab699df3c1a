import type { BlockId } from '../../base/ids.ts';
import type { QueueRecord } from './queue-record.ts';
import type { QueueWriter } from './queue-writer.ts';

/**
 * How far the two stores have been compared, and whether they must be: durable, so that a pass goes
 * on after a restart where it was.
 *
 * A pass may miss blocks that are put while it runs. Those are queued one by one; when the queue
 * has no room for one, it demands another pass, and the one that runs does not count as the last.
 */
export class ComparisonMark {
  readonly #writer: QueueWriter;
  #isDue = false;
  /** Compared up to here, by a pass that began at or after the last demand. */
  #cursor: BlockId | undefined;
  #comparedMs: number | undefined;
  /** Counts the demands, to know whether one came after a pass began. */
  #demandCount = 0;
  #passDemand: number | undefined;
  /** Puts that are not queued and have not ended, by the demand that stands for them. */
  readonly #unqueuedPuts = new Map<number, number>();
  #onQuiet: (() => void)[] = [];

  constructor(writer: QueueWriter) {
    this.#writer = writer;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  /** When the last complete pass began, or undefined. */
  get comparedMs(): number | undefined {
    return this.#comparedMs;
  }

  /** Where a pass goes on. */
  get cursor(): BlockId | undefined {
    return this.#cursor;
  }

  /** Not durable by itself: for who would notice again. */
  demand(): void {
    const isNew = this.#raise();
    if (isNew) this.#writer.writeLazily({ kind: 'compare' });
  }

  /** For a put that is not queued: resolves when the demand is durable, with its number. */
  async beginUnqueuedPut(): Promise<number> {
    const isNew = this.#raise();
    const demand = this.#demandCount;
    this.#unqueuedPuts.set(demand, (this.#unqueuedPuts.get(demand) ?? 0) + 1);
    try {
      if (isNew) await this.#writer.write({ kind: 'compare' });
      else await this.#writer.flush(); // Another's demand may still be on its way to the disk.
      return demand;
    } catch (error) {
      this.endUnqueuedPut(demand);
      throw error;
    }
  }

  endUnqueuedPut(demand: number): void {
    const leftCount = (this.#unqueuedPuts.get(demand) ?? 1) - 1;
    if (leftCount > 0) {
      this.#unqueuedPuts.set(demand, leftCount);
      return;
    }
    this.#unqueuedPuts.delete(demand);
    for (const look of this.#onQuiet.splice(0)) look();
  }

  /** Begins a pass, or goes on with one: resolves when every put that it stands for has ended. */
  async beginPass(): Promise<{ demand: number; after: BlockId | undefined }> {
    // From here on the puts that find no room demand a pass after this one.
    const demand = this.#demandCount;
    this.#passDemand = demand;
    while ([...this.#unqueuedPuts.keys()].some((earlier) => earlier <= demand)) {
      await new Promise<void>((resolve) => this.#onQuiet.push(resolve));
    }
    return { demand, after: demand === this.#demandCount ? this.#cursor : undefined };
  }

  /** Everything up to `id` has been compared, and what lacked is copied or queued. */
  advance(demand: number, id: BlockId): void {
    if (demand !== this.#demandCount) return;
    this.#cursor = id;
    this.#writer.writeLazily({ kind: 'compared-to', id });
  }

  /** The pass has come to its end; `beganMs` is when it began. */
  async finish(demand: number, beganMs: number): Promise<void> {
    this.#comparedMs = beganMs;
    this.#passDemand = undefined;
    if (demand !== this.#demandCount) return; // It was demanded again meanwhile.
    this.#isDue = false;
    this.#cursor = undefined;
    await this.#writer.write({ kind: 'compared', timeMs: beganMs });
  }

  replay(record: QueueRecord): void {
    if (record.kind === 'compare') {
      this.#isDue = true;
      this.#cursor = undefined;
    } else if (record.kind === 'compared-to') {
      this.#cursor = record.id;
    } else if (record.kind === 'compared') {
      this.#isDue = false;
      this.#cursor = undefined;
      this.#comparedMs = record.timeMs;
    }
  }

  *snapshot(): Generator<QueueRecord> {
    if (this.#comparedMs !== undefined) yield { kind: 'compared', timeMs: this.#comparedMs };
    if (this.#isDue) yield { kind: 'compare' };
    if (this.#cursor !== undefined) yield { kind: 'compared-to', id: this.#cursor };
  }

  /** False when a demand stands already that no pass has begun to serve. */
  #raise(): boolean {
    const isServed = this.#passDemand === this.#demandCount;
    if (this.#isDue && !isServed && this.#cursor === undefined) return false;
    this.#demandCount += 1;
    this.#isDue = true;
    this.#cursor = undefined;
    return true;
  }
}
