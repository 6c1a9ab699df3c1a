/** What the file service answers. */
import type { GrantRecord } from '../metadata/index.ts';
import type { Access } from './access.ts';
import type { SeenNode } from './view/sight.ts';
import type { SeenEntry } from './view/views.ts';

/** A node with what the caller may do with it. */
export interface Found {
  node: SeenNode;
  access: Access;
}

export interface Written {
  node: SeenNode;
  /** False when something was replaced. */
  created: boolean;
}

export interface FolderListing {
  folder: SeenNode;
  access: Access;
  /** Pages in order of canonical name, all as of one moment. */
  pages: AsyncIterable<readonly SeenEntry[]>;
  /** All of it is the caller's own: no entry has a `sight`. */
  isPlain: boolean;
}

/** Grants in force at a node; none at one where the caller may not say who may what. */
export type SharesAt = (node: Pick<SeenNode, 'id' | 'sight'>) => readonly GrantRecord[];
