import Database from 'better-sqlite3';
import { prepareTexts, sqliteText } from '../../../../platform/index.ts';
import type { PreparedTexts } from '../../../../platform/index.ts';
import { EVER } from '../../journal-scratch.ts';
import type { JournalScratch, ReplayedNode } from '../../journal-scratch.ts';
import { explained } from './open-verify-database.ts';

const OP = 'durability/SqliteJournalScratch';
/** What does not fit is in a file without a name, which is gone when it is closed. */
const CACHE_KIB = 16 * 1024;

export const SCRATCH_SCHEMA = `
CREATE TABLE row (
  space_id INTEGER NOT NULL, id INTEGER NOT NULL, parent_id INTEGER NOT NULL,
  canon TEXT NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, content_rev INTEGER NOT NULL,
  from_rev INTEGER NOT NULL, to_rev INTEGER NOT NULL
);
CREATE INDEX row_by_node ON row (space_id, id, to_rev);
CREATE INDEX row_by_parent ON row (space_id, parent_id, canon, to_rev);
CREATE TABLE sum (
  number INTEGER PRIMARY KEY, id INTEGER NOT NULL, parent INTEGER NOT NULL,
  said INTEGER NOT NULL, bytes INTEGER NOT NULL
);`;

/** Bits of `kind`. */
const FOLDER = 1;
const MOUNT = 2;

interface Row {
  id: number;
  parentId: number;
  canon: string;
  name: string;
  kind: number;
  contentRev: number;
  fromRev: number;
  toRev: number;
}

const COLUMNS = `id, parent_id AS parentId, canon, name, kind, content_rev AS contentRev,
  from_rev AS fromRev, to_rev AS toRev`;

/** What writes more than it may is not undone here: it ends the replay, of which nothing stays. */
export const SCRATCH_TEXTS = {
  add: sqliteText<[number, number, number, string, string, number, number, number, number]>(
    'INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ),
  live: sqliteText<[number, number, number], Row>(
    `SELECT ${COLUMNS} FROM row WHERE space_id = ? AND id = ? AND to_rev = ?`,
  ),
  end: sqliteText<[number, number, number, number]>(
    'UPDATE row SET to_rev = ? WHERE space_id = ? AND id = ? AND to_rev = ?',
  ),
  membersAt: sqliteText<[number, number, string, number, number, number], Row>(
    `SELECT ${COLUMNS} FROM row WHERE space_id = ? AND parent_id = ? AND canon > ?
      AND to_rev > ? AND from_rev <= ? ORDER BY canon LIMIT ?`,
  ),
  folderAt: sqliteText<[number, number, number, number], number>(
    `SELECT id FROM row WHERE space_id = ? AND id >= ? AND to_rev > ? AND from_rev <= ?
      AND kind & ${FOLDER} = ${FOLDER} ORDER BY id LIMIT 1`, { rowAs: 'value' },
  ),
  pushFolder: sqliteText<[number, number, number]>(
    'INSERT INTO sum (id, parent, said, bytes) VALUES (?, ?, ?, 0)',
  ),
  findFolder: sqliteText<[number], { id: number }>('SELECT id FROM sum WHERE number = ?'),
  addBytes: sqliteText<[number, number]>('UPDATE sum SET bytes = bytes + ? WHERE number = ?'),
  sum: sqliteText<[number], { id: number; parent: number; said: number; bytes: number }>(
    'SELECT id, parent, said, bytes FROM sum WHERE number = ?',
  ),
  forgetFolders: sqliteText<[]>('DELETE FROM sum', { rowsMax: Infinity }),
};

/** Rows in a private database of SQLite that no other connection can open. */
export class SqliteJournalScratch implements JournalScratch {
  readonly #database: Database.Database;
  readonly #sql: PreparedTexts<typeof SCRATCH_TEXTS>;

  private constructor(database: Database.Database) {
    this.#database = database;
    this.#sql = prepareTexts(database, 'durability.replay', SCRATCH_TEXTS);
  }

  static open(): SqliteJournalScratch {
    return explained(OP, () => {
      const database = new Database('');
      database.pragma('journal_mode = OFF');
      database.pragma('synchronous = OFF');
      database.pragma(`cache_size = -${CACHE_KIB}`);
      database.exec(SCRATCH_SCHEMA);
      database.exec('BEGIN'); // Never committed: nobody will ever read it again.
      return new SqliteJournalScratch(database);
    });
  }

  add(spaceId: number, node: Omit<ReplayedNode, 'toRev'>): void {
    const { id, parentId, canon, name, isFolder, isMount, contentRev, fromRev } = node;
    const kind = (isFolder ? FOLDER : 0) | (isMount ? MOUNT : 0);
    explained(OP, () => this.#sql.add.run(
      spaceId, id, parentId, canon, name, kind, contentRev, fromRev, EVER,
    ));
  }

  end(spaceId: number, nodeId: number, rev: number): ReplayedNode | undefined {
    return explained(OP, () => {
      const row = this.#sql.live.get(spaceId, nodeId, EVER);
      if (row === undefined) return undefined;
      this.#sql.end.run(rev, spaceId, nodeId, EVER);
      return nodeOf(row);
    });
  }

  membersAt(
    spaceId: number,
    { folderId, rev, afterCanon, limit }: {
      folderId: number; rev: number; afterCanon: string; limit: number;
    },
  ): ReplayedNode[] {
    return explained(OP, () =>
      this.#sql.membersAt.all(spaceId, folderId, afterCanon, rev, rev, limit).map(nodeOf));
  }

  folderAt(spaceId: number, { fromId, rev }: { fromId: number; rev: number }): number | undefined {
    return explained(OP, () => this.#sql.folderAt.get(spaceId, fromId, rev, rev));
  }

  pushFolder({ id, parent, saidBytes }: { id: number; parent: number; saidBytes: number }): number {
    return explained(OP, () =>
      Number(this.#sql.pushFolder.run(id, parent, saidBytes).lastInsertRowid));
  }

  findFolder(number: number): { id: number } | undefined {
    return explained(OP, () => this.#sql.findFolder.get(number));
  }

  addBytes(number: number, sizeBytes: number): void {
    explained(OP, () => this.#sql.addBytes.run(sizeBytes, number));
  }

  sumFolders(from: number, count: number): number[] {
    return explained(OP, () => {
      const wrong: number[] = [];
      for (let number = from; number > Math.max(0, from - count); number--) {
        const folder = this.#sql.sum.get(number);
        if (folder === undefined) continue;
        this.#sql.addBytes.run(folder.bytes, folder.parent);
        if (folder.said !== folder.bytes) wrong.push(folder.id);
      }
      return wrong;
    });
  }

  forgetFolders(): void {
    explained(OP, () => this.#sql.forgetFolders.run());
  }

  close(): void {
    this.#database.close();
  }
}

function nodeOf({ kind, ...row }: Row): ReplayedNode {
  return { ...row, isFolder: (kind & FOLDER) !== 0, isMount: (kind & MOUNT) !== 0 };
}
