/** The records of moves as files of the data directory: docs/formats/tenant-moves.md. */
import { parseTenantId } from '../../base/ids.ts';
import { NoteFolder } from '../../platform/index.ts';
import { parseMoveNote, textOfMove } from './move-note.ts';
import type { MoveJournal, MoveRecord } from './move-record.ts';

const OPTIONS = {
  idPattern: '[a-z][a-z0-9-]{0,31}',
  filesMax: 100_000,
  op: 'metadata/NotedMoveJournal',
  messages: {
    full: 'There is no room left to note how far the move of a tenant has come.',
    unavailable: 'It could not be noted how far the move of a tenant has come. Look at the disk of '
      + 'the data directory.',
  },
};

export class NotedMoveJournal implements MoveJournal {
  readonly #folder: NoteFolder;
  readonly #found: MoveRecord[];

  private constructor(folder: NoteFolder, found: MoveRecord[]) {
    this.#folder = folder;
    this.#found = found;
  }

  /** @throws invalid: written by a newer version of the program. */
  static async open(path: string): Promise<NotedMoveJournal> {
    const { folder, notes } = await NoteFolder.open(path, OPTIONS);
    return new NotedMoveJournal(folder, notes.map(({ id, text }) =>
      parseMoveNote(parseTenantId(id), text)));
  }

  /** As they were when it was opened. */
  async list(): Promise<MoveRecord[]> {
    return this.#found;
  }

  async put(record: MoveRecord): Promise<void> {
    await this.#folder.write({ id: record.tenant, text: textOfMove(record) });
  }

  /** Takes all that is noted over to another journal, and notes nothing any more. What is known
   *  there of a tenant is newer. May be done again after a death in between. */
  async carryTo(journal: MoveJournal): Promise<void> {
    const known = new Set((await journal.list()).map(({ tenant }) => tenant));
    for (const record of this.#found) {
      if (!known.has(record.tenant)) await journal.put(record);
      await this.#folder.delete(record.tenant);
    }
  }
}
