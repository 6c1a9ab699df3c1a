/**
 * Reads a volume in long stretches, the next ones while the present one is looked at, and hands
 * each stretch on when it is left: to threads that check what is in it, until they have done so.
 */
import type { ReadableVolume } from './volume-folder.ts';
import { CARRY_BYTES, pagesDown, pagesUp, STRETCH_BYTES_MAX } from './slab.ts';
import type { Slab, SlabShelf } from './slab.ts';
import { findWord } from './volume-window.ts';
import type { Pace, RecordWindow } from './volume-window.ts';

export interface StretchPlan {
  /** At most STRETCH_BYTES_MAX, whole pages. */
  stretchBytes: number;
  /** Stretches that are read ahead. 0: a stretch is asked for when it is needed, and only after
   *  all that was left has been checked. */
  aheadMax: number;
  /** In memory at once: read ahead, looked at, and being checked. At least aheadMax + 2. */
  slabsMax: number;
}

/** As fast as disk and processors can. */
export const EAGER_PLAN: StretchPlan = {
  stretchBytes: STRETCH_BYTES_MAX, aheadMax: 2, slabsMax: 5,
};
/** In slices that are short beside users. */
export const CALM_PLAN: StretchPlan = { stretchBytes: 1024 * 1024, aheadMax: 0, slabsMax: 2 };

/** Short, since what lies across the seam of two stretches is copied. */
const SEARCH_BYTES = 64 * 1024;

export interface StretchWindowParts {
  file: ReadableVolume;
  sizeBytes: number;
  pace: Pace;
  plan: StretchPlan;
  shelf: SlabShelf;
  /** Told of each slab that is left for good; its memory stays as it is until this resolves. */
  leaving: (slab: Slab) => Promise<void> | undefined;
}

interface Stretch {
  slab: Slab;
  /** Where in the file what was read begins, and ends. */
  from: number;
  end: number;
  /** Where what is in memory begins: before `from`, when something was carried over. */
  start: number;
}

export class StretchWindow implements RecordWindow {
  readonly #parts: StretchWindowParts;
  #current: Stretch | undefined;
  #coming: Promise<Stretch>[] = [];
  #orderedEnd = 0;
  #slabCount = 0;
  /** Slabs that are being checked, in the order in which they were left. */
  readonly #checking = new Set<Promise<void>>();
  /** The first check that could not be made. */
  #failure: { reason: unknown } | undefined;

  constructor(parts: StretchWindowParts) {
    this.#parts = parts;
  }

  get bytes(): Buffer {
    return this.#current?.slab.bytes ?? NOTHING;
  }

  async at(position: number, lengthBytes: number): Promise<number> {
    const end = position + lengthBytes;
    const known = this.#current;
    if (known === undefined || position < known.start || end > known.end) {
      if (end > this.#parts.sizeBytes || !(await this.#bring(position, end))) return -1;
    }
    return CARRY_BYTES + position - (this.#current as Stretch).from;
  }

  find(word: Buffer, position: number): Promise<number> {
    const { sizeBytes } = this.#parts;
    return findWord(this, { word, position, sizeBytes, pieceBytes: SEARCH_BYTES });
  }

  /** Resolves when all that was left, and the present stretch, has been checked. */
  async finish(): Promise<void> {
    if (this.#current !== undefined) this.#letGo(this.#current);
    this.#current = undefined;
    while (this.#checking.size > 0) await Promise.allSettled(this.#checking);
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  /** Resolves when nobody uses file and memory any more; whatever went wrong is of no interest. */
  async close(): Promise<void> {
    if (this.#current !== undefined) this.#giveBack(this.#current.slab);
    this.#current = undefined;
    await this.#dropComing();
    await Promise.allSettled(this.#checking);
  }

  async #bring(position: number, end: number): Promise<boolean> {
    const { stretchBytes } = this.#parts.plan;
    const known = this.#current;
    const isNear = known !== undefined && position >= known.start
      && position < known.end + stretchBytes;
    if (!isNear) await this.#restart(position);
    while ((this.#current as Stretch).end < end) {
      if (!(await this.#advance(position))) return false;
    }
    return true;
  }

  async #restart(position: number): Promise<void> {
    if (this.#current !== undefined) this.#letGo(this.#current);
    this.#current = undefined;
    await this.#dropComing();
    this.#orderedEnd = pagesDown(position);
    this.#current = await this.#next();
  }

  /** To the next stretch, with what is needed of this one from `position` on. */
  async #advance(position: number): Promise<boolean> {
    const before = this.#current as Stretch;
    const expected = Math.min(before.from + this.#parts.plan.stretchBytes, this.#parts.sizeBytes);
    // A file that ends before its length has been cut meanwhile.
    if (before.end < expected || before.end >= this.#parts.sizeBytes) return false;
    const checked = this.#parts.leaving(before.slab);
    this.#current = undefined;
    try {
      if (this.#parts.plan.aheadMax === 0) await checked;
      const next = await this.#next();
      const carried = Math.max(0, before.end - position);
      const from = CARRY_BYTES + before.end - carried - before.from;
      before.slab.bytes.copy(next.slab.bytes, CARRY_BYTES - carried, from, from + carried);
      next.start = next.from - carried;
      this.#current = next;
    } finally {
      this.#keepUntil(before.slab, checked);
    }
    return true;
  }

  async #next(): Promise<Stretch> {
    const { aheadMax } = this.#parts.plan;
    const coming = this.#coming.shift() ?? this.#order();
    while (this.#coming.length < aheadMax && this.#orderedEnd < this.#parts.sizeBytes) {
      this.#coming.push(this.#order());
    }
    return coming;
  }

  #order(): Promise<Stretch> {
    const from = this.#orderedEnd;
    this.#orderedEnd = Math.min(from + this.#parts.plan.stretchBytes, this.#parts.sizeBytes);
    const stretch = this.#read(from, this.#orderedEnd);
    stretch.catch(() => undefined); // Told where the stretch is waited for.
    return stretch;
  }

  async #read(from: number, end: number): Promise<Stretch> {
    const { file, pace, shelf, plan } = this.#parts;
    while (this.#slabCount >= plan.slabsMax && this.#checking.size > 0) {
      await Promise.race(this.#checking);
    }
    pace.signal.throwIfAborted();
    this.#slabCount++;
    const slab = shelf.take();
    try {
      await pace.budget?.take(end - from, pace.signal);
      const length = pagesUp(end - from);
      const into = slab.bytes.subarray(CARRY_BYTES, CARRY_BYTES + length);
      const filled = await file.read(into, from);
      return { slab, from, end: Math.min(end, from + filled), start: from };
    } catch (error) {
      this.#giveBack(slab);
      throw error;
    }
  }

  #letGo({ slab }: Stretch): void {
    this.#keepUntil(slab, this.#parts.leaving(slab));
  }

  #keepUntil(slab: Slab, checked: Promise<void> | undefined): void {
    if (checked === undefined) {
      this.#giveBack(slab);
      return;
    }
    const done = checked.catch((reason: unknown) => {
      this.#failure ??= { reason }; // Told by `finish`.
    }).then(() => {
      this.#checking.delete(done);
      this.#giveBack(slab);
    });
    this.#checking.add(done);
  }

  #giveBack(slab: Slab): void {
    this.#slabCount--;
    this.#parts.shelf.giveBack(slab);
  }

  async #dropComing(): Promise<void> {
    for (const result of await Promise.allSettled(this.#coming.splice(0))) {
      if (result.status === 'fulfilled') this.#giveBack(result.value.slab);
    }
  }
}

const NOTHING = Buffer.alloc(0);
