/** What the file service answers. */
import type { NodeId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import type { GrantRecord } from '../metadata/index.ts';
import type { Access } from './access.ts';
import { notFound } from './deal.ts';
import { accessAt } from './view/sight.ts';
import type { SeenNode, Walk } from './view/sight.ts';
import type { SeenEntry } from './view/views.ts';

/** A node with what the caller may do with it. */
export interface Found {
  node: SeenNode;
  access: Access;
  /** From the root of the space where it lives down to it. */
  ids: readonly NodeId[];
}

/** @throws not-found: the walk ended before the end of its path. */
export function getIn(walk: Walk, path: readonly Name[], deed: string): Found {
  const found = findIn(walk, path);
  if (found === undefined) throw notFound(deed);
  return found;
}

export function findIn({ nodes, ids }: Walk, path: readonly Name[]): Found | undefined {
  const node = nodes[path.length];
  return node && { node, access: accessAt(node), ids };
}

export interface Written {
  node: SeenNode;
  /** False when something was replaced. */
  created: boolean;
}

export interface FolderListing {
  folder: SeenNode;
  access: Access;
  /** See Found. */
  ids: readonly NodeId[];
  /** Pages in order of canonical name, all as of one moment. */
  pages: AsyncIterable<readonly SeenEntry[]>;
  /** All of it is the caller's own: no entry has a `sight`. */
  isPlain: boolean;
}

/** Grants in force at a node; none at one where the caller may not say who may what. */
export type SharesAt = (node: Pick<SeenNode, 'id' | 'sight'>) => readonly GrantRecord[];
