/** The emptying of shards as files of the data directory, of one process: see
 *  docs/formats/shard-drains.md. */
import { NoteFolder } from '../../platform/index.ts';
import { drainChanged, parseDrainNote, textOfDrain } from './drain-journal.ts';
import type { DrainJournal, DrainRecord } from './drain-journal.ts';

const OPTIONS = {
  idPattern: '\\d{1,4}',
  filesMax: 10_000,
  op: 'metadata/NotedDrainJournal',
  messages: {
    full: 'There is no room left to note how far the emptying of a shard has come.',
    unavailable: 'It could not be noted how far the emptying of a shard has come. Look at the '
      + 'disk of the data directory.',
  },
};

export class NotedDrainJournal implements DrainJournal {
  readonly #folder: NoteFolder;
  readonly #records: Map<number, DrainRecord>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(folder: NoteFolder, found: readonly DrainRecord[]) {
    this.#folder = folder;
    this.#records = new Map(found.map((record) => [record.shard, record]));
  }

  /** @throws invalid: noted by another version. */
  static async open(path: string): Promise<NotedDrainJournal> {
    const { folder, notes } = await NoteFolder.open(path, OPTIONS);
    return new NotedDrainJournal(folder, notes.map(({ text }) => parseDrainNote(text, 1)));
  }

  async list(): Promise<DrainRecord[]> {
    return [...this.#records.values()].toSorted((a, b) => a.shard - b.shard);
  }

  put(record: DrainRecord): Promise<DrainRecord> {
    const mine = this.#last.then(() => this.#put(record));
    this.#last = mine.catch(() => undefined); // Who asked hears of it.
    return mine;
  }

  async #put(record: DrainRecord): Promise<DrainRecord> {
    const { shard, rev } = record;
    if ((this.#records.get(shard)?.rev ?? 0) !== rev) throw drainChanged(shard);
    await this.#folder.write({ id: String(shard), text: textOfDrain(record) });
    const noted = { ...record, rev: rev + 1 };
    this.#records.set(shard, noted);
    return noted;
  }

  /** Takes all that is noted over to another journal, and notes nothing any more. What is known
   *  there of a shard is newer. May be done again after a death in between. */
  async carryTo(journal: DrainJournal): Promise<void> {
    const known = new Set((await journal.list()).map(({ shard }) => shard));
    for (const record of await this.list()) {
      if (!known.has(record.shard)) await journal.put({ ...record, rev: 0 });
      await this.#folder.delete(String(record.shard));
      this.#records.delete(record.shard);
    }
  }

  async close(): Promise<void> {
    await this.#last;
  }
}
