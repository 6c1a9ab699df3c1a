/** The emptying of shards, for tests of whoever has it noted. */
import { drainChanged } from '../../drain-journal.ts';
import type { DrainJournal, DrainRecord } from '../../drain-journal.ts';

export class MemoryDrainJournal implements DrainJournal {
  readonly #records = new Map<number, DrainRecord>();

  async list(): Promise<DrainRecord[]> {
    return [...this.#records.values()].toSorted((a, b) => a.shard - b.shard);
  }

  async put(record: DrainRecord): Promise<DrainRecord> {
    const { shard, rev } = record;
    if ((this.#records.get(shard)?.rev ?? 0) !== rev) throw drainChanged(shard);
    const noted = { ...record, rev: rev + 1 };
    this.#records.set(shard, noted);
    return noted;
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
