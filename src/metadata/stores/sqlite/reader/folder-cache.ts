/**
 * Folders that a reader has met, so that a path of seven names costs one look into the tree and not
 * seven. Only folders that exist are remembered, each with the `folders_rev` of its space at that
 * time: an entry counts as long as that has not moved on, and the reader reads it in the very
 * snapshot it works on. So a stale entry is never used, whoever writes, and nobody has to tell.
 */
import type { NodeRow } from '../rows.ts';

const FOLDERS_MAX = 20_000;

interface Entry {
  row: NodeRow;
  foldersRev: number;
}

export class FolderCache {
  readonly #byName = new Map<string, Entry>();
  readonly #byId = new Map<number, Entry>();

  find(parentId: number, canon: string, foldersRev: number): NodeRow | undefined {
    const entry = this.#byName.get(`${parentId}/${canon}`);
    return entry?.foldersRev === foldersRev ? entry.row : undefined;
  }

  findById(id: number, foldersRev: number): NodeRow | undefined {
    const entry = this.#byId.get(id);
    return entry?.foldersRev === foldersRev ? entry.row : undefined;
  }

  note(row: NodeRow, foldersRev: number): void {
    if (this.#byId.size >= FOLDERS_MAX) {
      this.#byId.clear();
      this.#byName.clear();
    }
    const entry = { row, foldersRev };
    this.#byName.set(`${row.parentId}/${row.canon}`, entry);
    this.#byId.set(row.id, entry);
  }
}
