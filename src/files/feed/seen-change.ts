/**
 * What a feed says has changed, and how a follower applies it.
 *
 * A follower keeps a copy of the caller's tree: for each key a node, with the key of its folder. An
 * entry speaks of one node as it is when the page is made, not as it was at the event: so a page
 * never shows what the caller may not see any more, and an entry that comes twice does no harm. In
 * the order in which they come:
 *
 * - `removed`: the node is forgotten, with all below it. It may never have been known.
 * - All others: the node is put where the entry says. If it is a folder and `isWhole`, or if it was
 *   not known and the entry is not `added`, what is below it is listed anew and takes the place of
 *   what was known there.
 *
 * While a page says that there are more, a folder may be missing that a later page brings. When it
 * does not, the copy is what the caller sees. A folder's size, time and ETag speak of all below it
 * and are no part of this: they are asked for when they are needed.
 */
import type { NodeId, UserId } from '../../base/ids.ts';
import type { Instant } from '../../metadata/index.ts';
import type { SeenNode } from '../view/sight.ts';

export type SeenChangeKind = 'added' | 'changed' | 'moved' | 'removed';

export interface SeenChange {
  kind: SeenChangeKind;
  /** The node's id; for what lies in something mounted, the id of what is mounted, a slash, and the
   *  node's own. The same node may be seen at two places: by its own share, and by that of a folder
   *  above it. */
  key: string;
  /** undefined: it is removed and nothing but the key is known. */
  nodeId: NodeId | undefined;
  /** undefined: it is removed. */
  node: SeenNode | undefined;
  /** Key of the folder it lies in; undefined for the root of the tree, and when removed. */
  parentKey: string | undefined;
  /** Names from the root, itself last; where it was when it is removed, if that is known. */
  path: readonly string[] | undefined;
  /** Where it was, when it was moved out of a folder that the caller sees. */
  oldPath: readonly string[] | undefined;
  /** All below it may be otherwise than it was: it came, moved or is seen otherwise as a whole. */
  isWhole: boolean;
  /** Who did it last, and when; undefined where time or permission alone has changed it. */
  by: UserId | undefined;
  at: Instant | undefined;
}
