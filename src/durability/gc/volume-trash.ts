/** Where each volume in the trash stands, as the ledger tells it. */
import type { LedgerEntry } from './ledger/ledger-entry.ts';

export const TRASH_MS = 14 * 24 * 60 * 60 * 1000;
/** Between the two inspections. */
export const INSPECT_AGAIN_MS = 24 * 60 * 60 * 1000;

export interface TrashRecord {
  volume: number;
  sizeBytes: number;
  /** Since when its time runs. */
  since: number;
  /** Inspections that it has passed since then, in order. */
  passed: { seq: number; at: number }[];
}

export class VolumeTrash {
  readonly #records = new Map<number, TrashRecord>();
  #lastAt = 0;

  constructor(entries: readonly LedgerEntry[]) {
    for (const entry of entries) this.apply(entry);
  }

  /** Time of the newest entry: the clock must not be behind it. */
  get lastAt(): number {
    return this.#lastAt;
  }

  apply(entry: LedgerEntry): void {
    const { volume, at } = entry;
    this.#lastAt = Math.max(this.#lastAt, at);
    switch (entry.act) {
      case 'trash':
      case 'found':
        this.#records.set(volume, { volume, sizeBytes: entry.sizeBytes, since: at, passed: [] });
        break;
      case 'inspect': this.#inspected(entry.rescued > 0, { seq: entry.seq, at }, volume); break;
      case 'restore':
      case 'unlink':
        this.#records.delete(volume);
        break;
      case 'erase': // A copy of it: that says nothing of the volume.
    }
  }

  #inspected(isNeeded: boolean, inspection: { seq: number; at: number }, volume: number): void {
    const record = this.#records.get(volume);
    if (record === undefined) return;
    if (isNeeded) this.#records.set(volume, { ...record, since: inspection.at, passed: [] });
    else record.passed.push(inspection);
  }

  find(volume: number): TrashRecord | undefined {
    return this.#records.get(volume);
  }

  list(): TrashRecord[] {
    return [...this.#records.values()].sort((a, b) => a.since - b.since);
  }
}

/** `wait`: its time is not over. `inspect`: the first inspection that counts is due. `unlink`: the
 *  second one is due, and if nothing is needed then either, the volume goes. */
export type TrashStage = 'wait' | 'inspect' | 'unlink';

export function stageOf(record: TrashRecord, now: number): TrashStage {
  if (now < record.since + TRASH_MS) return 'wait';
  const first = firstThatCounts(record);
  if (first === undefined) return 'inspect';
  return now >= first.at + INSPECT_AGAIN_MS ? 'unlink' : 'wait';
}

/** The two inspections that allow to unlink, or undefined. The later one must be of just now. */
export function justification(record: TrashRecord): [number, number] | undefined {
  const first = firstThatCounts(record);
  const last = record.passed.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return last.at >= first.at + INSPECT_AGAIN_MS ? [first.seq, last.seq] : undefined;
}

/** Earlier ones were made to look for something that was missing. */
function firstThatCounts({ since, passed }: TrashRecord): { seq: number; at: number } | undefined {
  return passed.find(({ at }) => at >= since + TRASH_MS);
}
