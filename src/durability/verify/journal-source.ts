/** A journal and the tree that users see, for verifiers: read straight from where they are kept. */
import type { JournalScratch } from './journal-scratch.ts';
import type { Soon } from './manifest-source.ts';

export interface JournalSpace {
  id: number;
  rootId: number;
  rev: number;
  casePolicy: 'sensitive' | 'insensitive';
}

export interface JournalEvent {
  rev: number;
  nodeId: number;
  isFolder: boolean;
  /** A place at which another space is seen: copies leave it out. */
  isMount: boolean;
  /** Where the node is afterwards; undefined: nowhere, or it is the root. */
  parentAfter: number | undefined;
  nameAfter: string | undefined;
  contentRev: number;
  copiedFrom: JournalOrigin | undefined;
}

/** Only of the `create` of a copy: `count` nodes, from `nodeId` as it was at `rev`. */
export interface JournalOrigin {
  nodeId: number;
  rev: number;
  count: number;
  /** When it came from another space: that one, and the content revision of all copied files. */
  across: { spaceId: number; contentRev: number } | undefined;
}

export interface ShownNode {
  id: number;
  canon: string;
  name: string;
  isFolder: boolean;
  contentRev: number;
  /** Of a folder: as its own figure says. */
  sizeBytes: number;
}

/** @throws unavailable, corrupt: the metadata cannot be read. */
export interface JournalSource {
  /** Ids of all spaces, ascending. */
  spaces(): Soon<readonly number[]>;
  space(id: number): Soon<JournalSpace | undefined>;
  /** Ascending from after `rev`, at most `limit`. */
  events(spaceId: number, afterRev: number, limit: number): Soon<readonly JournalEvent[]>;
  /** By canonical name, strictly after `afterCanon`, at most `limit`. */
  members(
    spaceId: number, page: { folderId: number; afterCanon: string; limit: number },
  ): Soon<readonly ShownNode[]>;
  /** The same as the folder was at a revision, from `pastFloor` on. Figures of folders are not kept
   *  for the past. */
  membersAt(
    spaceId: number,
    page: { folderId: number; rev: number; afterCanon: string; limit: number },
  ): Soon<readonly ShownNode[]>;
  /** The oldest revision of which the tree is known; what was before may be forgotten. */
  pastFloor(spaceId: number): Soon<number>;
  /** Room for a replay. The caller closes it. */
  openScratch(): JournalScratch;
  /** What the figure of a folder says. */
  folderBytes(spaceId: number, folderId: number): Soon<number | undefined>;
}
