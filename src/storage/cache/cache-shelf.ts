import type { BlockId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { checkRange, type BlockRange } from '../block-range.ts';
import { Gate } from '../waiting.ts';
import {
  areSoundSegments, diskBytesOf, entryBytesOf, headBytesOf, makeHead, openEntry,
  segmentsAround,
} from './cache-entry.ts';
import { codeOf, type CacheFiles, type FilePart } from './cache-files.ts';
import { CacheIndex, nameOf, parseName } from './cache-index.ts';
import type { CachedBlock, CacheForm } from './cache-index.ts';
import type { CacheCounters, CacheLimits, CachePause } from './cache-limits.ts';
import { DRAFT } from './node-cache-files.ts';

/** When the disk has no room, others need it too: one part in so many of the cache goes. */
const GIVEN_BACK_SHARE = 8;
const PAUSE_DOUBLINGS_MAX = 6;

interface Fill {
  readonly pieces: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** Set by who wants the block forgotten while it waits or is written; called afterwards. */
  forgotten?: () => void;
}

export interface ShelfOptions {
  files: CacheFiles;
  /** What is kept here; a part can be read of blocks as they are only. */
  form: CacheForm;
  clock: Clock;
  limits: CacheLimits;
}

interface Listed {
  /** Used longest ago first. */
  readonly kept: readonly CachedBlock[];
  readonly lastOrder: number;
}

class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Keeps blocks in files that nobody misses. Whatever goes wrong with them is an absent block here,
 * never an error and never wrong bytes: a read either answers checked bytes or undefined.
 *
 * Blocks are written one after the other in the background. What waits for it is answered from
 * memory, and is bounded; what finds no room in the line is not cached.
 */
export class CacheShelf {
  readonly #files: CacheFiles;
  readonly #form: CacheForm;
  readonly #clock: Clock;
  readonly #limits: CacheLimits;
  readonly #gate: Gate;
  readonly #index = new CacheIndex();
  readonly #counts = {
    hits: 0, hitBytes: 0, misses: 0, fills: 0, skippedFills: 0, failedFills: 0,
    evictions: 0, evictedBytes: 0, bad: 0, gone: 0,
  };
  /** What waits to be written, in order of arrival. */
  readonly #fills = new Map<BlockId, Fill>();
  #fillBytes = 0;
  #filling: Promise<void> | undefined;
  #lastOrder = 0;
  #isLoaded = false;
  #reloading: Promise<void> | undefined;
  #pause: { why: CachePause; untilMs: number } | undefined;
  #slowCount = 0;

  private constructor({ files, form, clock, limits }: ShelfOptions) {
    this.#files = files;
    this.#form = form;
    this.#clock = clock;
    this.#limits = limits;
    const { readsMax: activeMax, waitingMax } = limits;
    this.#gate = new Gate({ op: 'storage/DiskCache.get', activeMax, waitingMax });
  }

  /** Reads the folder's listing, opens no file, removes entries of the other form. A folder that
   *  cannot be used is no error: the cache starts empty, and paused. */
  static async open(options: ShelfOptions): Promise<CacheShelf> {
    const shelf = new CacheShelf(options);
    await shelf.#load();
    return shelf;
  }

  /** The whole block, checked against its id, or the sealed one by its checksums; or undefined. */
  async readWhole(id: BlockId): Promise<Buffer | undefined> {
    const waiting = this.#fills.get(id);
    if (waiting !== undefined) return this.#hit(Buffer.concat(waiting.pieces));
    const block = this.#usable(id);
    if (block === undefined) return this.#miss();
    const lengthBytes = entryBytesOf(block.sizeBytes);
    const [entry] = await this.#readParts(block, [{ position: 0, lengthBytes }]) ?? [];
    if (entry === undefined) return this.#miss();
    const bytes = openEntry(entry, block);
    if (bytes !== undefined) return this.#hit(bytes);
    await this.#dropBad(block);
    return this.#miss();
  }

  /** A part of a block, from segments that were checked, or undefined.
   *  @throws invalid: the block is there, the range is not inside it. */
  async readPart(id: BlockId, range: BlockRange, op: string): Promise<Buffer | undefined> {
    const waiting = this.#fills.get(id);
    if (waiting !== undefined) {
      checkRange(op, waiting.sizeBytes, range);
      const end = range.offsetBytes + range.lengthBytes;
      return this.#hit(Buffer.concat(waiting.pieces).subarray(range.offsetBytes, end));
    }
    const block = this.#usable(id);
    if (block === undefined) return this.#miss();
    checkRange(op, block.sizeBytes, range);
    const headBytes = headBytesOf(block.sizeBytes);
    const around = segmentsAround(range, block.sizeBytes);
    const [head, segments] = await this.#readParts(block, [
      { position: 0, lengthBytes: headBytes },
      { position: headBytes + around.offsetBytes, lengthBytes: around.lengthBytes },
    ]) ?? [];
    if (head === undefined || segments === undefined) return this.#miss();
    const isWhole = segments.length === around.lengthBytes;
    if (!isWhole || !areSoundSegments(head, segments, around.offsetBytes, block)) {
      await this.#dropBad(block);
      return this.#miss();
    }
    const from = range.offsetBytes - around.offsetBytes;
    return this.#hit(segments.subarray(from, from + range.lengthBytes));
  }

  /** Has the block written in the background, if there is room in the line. Resolves nothing: a
   *  cache has nothing to promise. The pieces must be the block in the form of this shelf, and must
   *  not change. */
  keep(id: BlockId, pieces: readonly Uint8Array[], sizeBytes: number): void {
    if (this.#fills.has(id) || this.#index.has(id)) return;
    const isTooMuch = this.#fillBytes + sizeBytes > this.#limits.fillBytesMax
      || diskBytesOf(sizeBytes) > this.#limits.bytesMax;
    if (isTooMuch || this.#pausedFor() !== undefined) {
      this.#counts.skippedFills += 1;
      return;
    }
    this.#fills.set(id, { pieces, sizeBytes });
    this.#fillBytes += sizeBytes;
    this.#filling ??= this.#writeFills();
  }

  /** Removes the block, if it is cached.
   *  @throws unavailable: the file is there and cannot be removed. */
  async forget(id: BlockId): Promise<void> {
    const waiting = this.#fills.get(id);
    if (waiting !== undefined) {
      await new Promise<void>((resolve) => {
        const others = waiting.forgotten;
        waiting.forgotten = () => {
          others?.();
          resolve();
        };
      });
    }
    const block = this.#index.find(id);
    if (block === undefined && this.#isLoaded) return;
    try {
      if (block === undefined) throw new Error('the folder could not be listed');
      await this.#within(this.#files.remove(nameOf(block)));
      this.#index.drop(block);
    } catch (error) {
      const message = 'A cached copy of a block could not be removed. Check the disk of the cache.';
      const facts = { blockId: id };
      throw new HoldfastError('unavailable', 'storage/DiskCache.forget', message, {
        facts, cause: error,
      });
    }
  }

  /** Waits until nothing waits to be written. */
  async settled(): Promise<void> {
    await this.#reloading;
    await this.#filling;
  }

  counters(): CacheCounters {
    const { blockCount, storedBytes } = this.#index;
    return { ...this.#counts, blockCount, storedBytes, paused: this.#pausedFor() };
  }

  async #load(): Promise<void> {
    try {
      const { kept, lastOrder } = await this.#within(this.#list(), this.#limits.openDeadlineMs);
      for (const block of kept) this.#index.add(block);
      this.#lastOrder = lastOrder;
      this.#isLoaded = true;
      this.#pause = undefined;
    } catch (error) {
      this.#stop(error);
    }
  }

  async #list(): Promise<Listed> {
    await this.#files.prepare();
    const found: CachedBlock[] = [];
    const useless: string[] = [];
    for await (const name of this.#files.list()) {
      const block = parseName(name);
      if (block !== undefined) found.push(block);
      else if (isDraft(name)) useless.push(name);
    }
    // Newest first, so that of two entries of one block the newer one stays.
    found.sort((a, b) => b.order - a.order);
    const kept: CachedBlock[] = [];
    const seen = new Set<BlockId>();
    let storedBytes = 0;
    for (const block of found) {
      const diskBytes = diskBytesOf(block.sizeBytes);
      const isRoom = storedBytes + diskBytes <= this.#limits.bytesMax
        && kept.length < this.#limits.blocksMax;
      if (!isRoom || seen.has(block.id) || block.form !== this.#form) {
        useless.push(nameOf(block));
        continue;
      }
      storedBytes += diskBytes;
      seen.add(block.id);
      kept.push(block);
    }
    for (const name of useless) await this.#files.remove(name);
    return { kept: kept.reverse(), lastOrder: found[0]?.order ?? 0 };
  }

  #usable(id: BlockId): CachedBlock | undefined {
    return this.#pausedFor() === 'slow' ? undefined : this.#index.use(id);
  }

  #hit(bytes: Buffer): Buffer {
    this.#counts.hits += 1;
    this.#counts.hitBytes += bytes.length;
    return bytes;
  }

  #miss(): undefined {
    this.#counts.misses += 1;
  }

  /** Undefined when the file is gone or cannot be read; then it is no longer in the index. */
  async #readParts(
    block: CachedBlock, parts: readonly FilePart[],
  ): Promise<Buffer[] | undefined> {
    try {
      const read = (): Promise<Buffer[]> => this.#files.read(nameOf(block), parts);
      const bytes = await this.#gate.run(() => this.#within(read()));
      this.#slowCount = 0;
      return bytes;
    } catch (error) {
      if (error instanceof HoldfastError) throw error; // The line is too long.
      if (error instanceof DeadlineError) {
        this.#stop(error);
      } else if (codeOf(error) === 'ENOENT') {
        if (this.#index.drop(block)) this.#counts.gone += 1;
      } else {
        await this.#dropBad(block);
      }
      return undefined;
    }
  }

  async #dropBad(block: CachedBlock): Promise<void> {
    if (!this.#index.has(block.id)) return;
    this.#counts.bad += 1;
    await this.#remove(block);
  }

  /** What cannot be removed is forgotten all the same: it must not be read again. */
  async #remove(block: CachedBlock): Promise<void> {
    this.#index.drop(block);
    try {
      await this.#within(this.#files.remove(nameOf(block)));
    } catch (error) {
      this.#stop(error);
    }
  }

  async #writeFills(): Promise<void> {
    for (;;) {
      const [next] = this.#fills;
      if (next === undefined) break;
      const [id, fill] = next;
      const { pieces, sizeBytes } = fill;
      const block = { id, sizeBytes, form: this.#form, order: this.#lastOrder += 1 };
      const isUnwanted = fill.forgotten !== undefined || this.#pausedFor() !== undefined;
      if (isUnwanted) this.#counts.skippedFills += 1;
      else await this.#writeFill(block, pieces);
      this.#fills.delete(id);
      this.#fillBytes -= sizeBytes;
      fill.forgotten?.();
    }
    this.#filling = undefined;
  }

  async #writeFill(block: CachedBlock, pieces: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#shrinkTo(this.#limits.bytesMax - diskBytesOf(block.sizeBytes));
      await this.#write(block, [makeHead(block.id, pieces, block.sizeBytes), ...pieces]);
      this.#index.add(block);
      this.#counts.fills += 1;
      this.#slowCount = 0;
    } catch (error) {
      this.#counts.failedFills += 1;
      this.#stop(error);
      if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') await this.#giveBack();
    }
  }

  async #write(block: CachedBlock, pieces: readonly Uint8Array[]): Promise<void> {
    const name = nameOf(block);
    const write = async (): Promise<void> => {
      try {
        await this.#files.write(name, pieces);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
        await this.#files.prepare(); // Somebody has removed the folder.
        await this.#files.write(name, pieces);
      }
    };
    const written = write();
    try {
      await this.#within(written);
    } catch (error) {
      if (error instanceof DeadlineError) {
        // A file that comes after all is in nobody's index, so it must not stay.
        written.then(() => this.#files.remove(name)).catch(() => undefined);
      }
      throw error;
    }
  }

  /** Evicts until the rest fits and there is room for one more. A file leaves the index only when
   *  it has left the disk, so the cap holds for what is there. */
  async #shrinkTo(bytesMax: number): Promise<void> {
    const isOver = (): boolean => this.#index.storedBytes > bytesMax
      || this.#index.blockCount >= this.#limits.blocksMax;
    while (isOver()) {
      const oldest = this.#index.oldest();
      if (oldest === undefined) return;
      await this.#within(this.#files.remove(nameOf(oldest)));
      if (!this.#index.drop(oldest)) continue;
      this.#counts.evictions += 1;
      this.#counts.evictedBytes += diskBytesOf(oldest.sizeBytes);
    }
  }

  async #giveBack(): Promise<void> {
    try {
      const { storedBytes } = this.#index;
      await this.#shrinkTo(storedBytes - Math.ceil(storedBytes / GIVEN_BACK_SHARE));
    } catch (error) {
      this.#stop(error);
    }
  }

  #pausedFor(): CachePause | undefined {
    if (this.#pause === undefined) return undefined;
    const { why, untilMs } = this.#pause;
    if (this.#clock.monotonic() < untilMs) return why;
    if (this.#isLoaded) {
      this.#pause = undefined;
      return undefined;
    }
    // Nothing is written before it is known what is there: else the cap would not hold.
    if (this.#reloading !== undefined) return why;
    this.#reloading = this.#load().finally(() => {
      this.#reloading = undefined;
    });
    return why;
  }

  #stop(error: unknown): void {
    const code = codeOf(error);
    const isSlow = error instanceof DeadlineError;
    const why = isSlow ? 'slow' : ['ENOSPC', 'EDQUOT'].includes(code) ? 'full' : 'failed';
    // A call that hangs holds one of the few threads for files, so a slow disk is asked ever less.
    const doublings = isSlow ? Math.min(this.#slowCount, PAUSE_DOUBLINGS_MAX) : 0;
    if (isSlow) this.#slowCount += 1;
    const untilMs = this.#clock.monotonic() + this.#limits.pauseMs * 2 ** doublings;
    if (this.#pause?.why === 'slow' && this.#pause.untilMs > untilMs) return;
    this.#pause = { why, untilMs };
  }

  #within<T>(work: Promise<T>, deadlineMs = this.#limits.deadlineMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new DeadlineError('the disk of the cache does not answer'));
      const cancel = this.#clock.after(deadlineMs, late);
      work.finally(cancel).then(resolve, reject);
    });
  }
}

function isDraft(name: string): boolean {
  return name.endsWith(DRAFT) && parseName(name.slice(0, -DRAFT.length)) !== undefined;
}
