/** What is known of the copies of each volume while the store runs. */
import type { CopyList } from './copy-list.ts';

/**
 * - `good`: has everything that was acknowledged, as far as known. Only these count.
 * - `damaged`: some of its bytes could not be read, or were wrong; the others are right.
 * - `stale`: did not take a write. It has the beginning of the volume, perhaps with a torn end.
 * - `unchecked`: on a disk that was away; not looked at since.
 * - `differs`: sound, and not the same as the others. Never read, never written, kept.
 */
export type CopyState = 'good' | 'damaged' | 'stale' | 'unchecked' | 'differs';

/** The copies of one volume. */
export class VolumeCopies {
  readonly volumeId: number;
  list: CopyList;
  /** For each disk on which there is a file: how it is. */
  readonly states: Map<string, CopyState> = new Map();
  /** How often the file on each disk was replaced: an open handle may still show the old one. */
  readonly #replaced = new Map<string, number>();
  /** Handles through which it is being written. */
  writers = 0;
  /** More copies of it can be made than it was opened with: nothing more goes into it. */
  isToEnd = false;
  /** Up to here, at least, its bytes were acknowledged. */
  markEnd = 0;
  /** Nothing behind `markEnd` was: what lies there is left from a write that failed. */
  isMarkExact = false;
  /** The last bytes of the volume, once it is sealed, as all copies must have them. Undefined: it
   *  is not sealed, or nobody has told. */
  trailerBytes: Buffer | undefined;
  /** Disks on which the footer was not read since the start. */
  readonly unproven: Set<string> = new Set();
  /** The disk whose hint the copies were compared by: the store above must start from the same. */
  hintDiskId: string | undefined;
  /** How big a copy is, as last seen; for telling how much there is to do. */
  sizeBytes = 0;

  constructor(list: CopyList) {
    this.volumeId = list.volumeId;
    this.list = list;
  }

  /** No copy that is made goes beyond this. */
  get endMax(): number {
    return this.isMarkExact ? this.markEnd : Infinity;
  }

  get good(): string[] {
    return [...this.states].filter(([, state]) => state === 'good').map(([id]) => id);
  }

  isGood(diskId: string): boolean {
    return this.states.get(diskId) === 'good';
  }

  /** No other copy is as good as this one: the only good one, or where none is, the only one that
   *  is merely damaged. */
  isLastOfItsKind(diskId: string): boolean {
    const best = this.good.length > 0 ? 'good' : 'damaged';
    const alike = [...this.states].filter(([, state]) => state === best);
    return alike.length === 1 && alike[0]?.[0] === diskId;
  }

  replacedCount(diskId: string): number {
    return this.#replaced.get(diskId) ?? 0;
  }

  noteReplaced(diskId: string): void {
    this.#replaced.set(diskId, this.replacedCount(diskId) + 1);
  }

  /** Counts it out, unless it is known to be worse already. True when it was good. */
  demote(diskId: string, to: Exclude<CopyState, 'good'>): boolean {
    const was = this.states.get(diskId);
    if (was === undefined || was === 'differs' || was === to) return false;
    if (was === 'stale' && to === 'damaged') return false;
    this.states.set(diskId, to);
    return was === 'good';
  }
}

export class CopyTable {
  readonly #volumes = new Map<number, VolumeCopies>();

  find(volumeId: number | undefined): VolumeCopies | undefined {
    return volumeId === undefined ? undefined : this.#volumes.get(volumeId);
  }

  /** In the order of their numbers. */
  all(): VolumeCopies[] {
    return [...this.#volumes.values()].sort((a, b) => a.volumeId - b.volumeId);
  }

  add(copies: VolumeCopies): void {
    this.#volumes.set(copies.volumeId, copies);
  }

  delete(volumeId: number): void {
    this.#volumes.delete(volumeId);
  }
}
