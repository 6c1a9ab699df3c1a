/**
 * Folders that a reader has met, so that a path of seven names costs one look into the tree and not
 * seven. Only folders that exist are remembered, each with the `folders_rev` of its space at that
 * time: an entry counts as long as that has not moved on, and the reader reads it in the very
 * snapshot it works on. So a stale entry is never used, whoever writes, and nobody has to tell.
 */
import type { SpaceId } from '../../../../base/ids.ts';
import type { NodeRow } from '../rows.ts';

const FOLDERS_MAX = 20_000;

/** A space as the reader's snapshot shows it. */
export interface SpaceMoment {
  id: SpaceId;
  foldersRev: number;
}

interface Entry {
  row: NodeRow;
  spaceId: SpaceId;
  foldersRev: number;
}

export class FolderCache {
  readonly #byName = new Map<string, Entry>();
  readonly #byId = new Map<number, Entry>();

  find(space: SpaceMoment, parentId: number, canon: string): NodeRow | undefined {
    const entry = this.#byName.get(`${space.id}/${parentId}/${canon}`);
    return entry?.foldersRev === space.foldersRev ? entry.row : undefined;
  }

  findById(space: SpaceMoment, id: number): NodeRow | undefined {
    const entry = this.#byId.get(id);
    const isRight = entry?.spaceId === space.id && entry.foldersRev === space.foldersRev;
    return isRight ? entry.row : undefined;
  }

  note(space: SpaceMoment, row: NodeRow): void {
    if (this.#byId.size >= FOLDERS_MAX) {
      this.#byId.clear();
      this.#byName.clear();
    }
    const entry = { row, spaceId: space.id, foldersRev: space.foldersRev };
    this.#byName.set(`${space.id}/${row.parentId}/${row.canon}`, entry);
    this.#byId.set(row.id, entry);
  }
}
