/** Where a replay keeps what it builds: as much as there is, with little memory. */

/** What a node was from one revision on up to another, not included. */
export interface ReplayedNode {
  id: number;
  parentId: number;
  name: string;
  canon: string;
  isFolder: boolean;
  isMount: boolean;
  contentRev: number;
  fromRev: number;
  toRev: number;
}

/** Of a node that is so still. */
export const EVER = Number.MAX_SAFE_INTEGER;

/**
 * All methods answer at once. Nothing of it outlives `close`, and nobody else sees it.
 * @throws full, unavailable: the disk on which it lies.
 */
export interface JournalScratch {
  add(spaceId: number, node: Omit<ReplayedNode, 'toRev'>): void;
  /** Ends the row that is live now, and answers it. */
  end(spaceId: number, nodeId: number, rev: number): ReplayedNode | undefined;
  /** What lay in a folder at a revision, by canonical name, strictly after `afterCanon`. */
  membersAt(
    spaceId: number,
    page: { folderId: number; rev: number; afterCanon: string; limit: number },
  ): ReplayedNode[];
  /** The folder with the lowest id from `fromId` on that there was at a revision. */
  folderAt(spaceId: number, place: { fromId: number; rev: number }): number | undefined;

  /** Folders in a row, for sums; answers the number of this one, from 1. */
  pushFolder(folder: { id: number; parent: number; saidBytes: number }): number;
  findFolder(number: number): { id: number } | undefined;
  addBytes(number: number, sizeBytes: number): void;
  /** Adds the bytes of the folders numbered up to `from`, from there down and at most `count`, to
   *  those that hold them, and answers the ids of those that say otherwise. */
  sumFolders(from: number, count: number): number[];
  forgetFolders(): void;
  close(): void;
}
