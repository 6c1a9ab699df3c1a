/** How a node looks to one caller. */
import type { NodeId, UserId } from '../../base/ids.ts';
import type { Role } from '../../base/roles.ts';
import type { NodeRecord } from '../../metadata/index.ts';
import { EVERYTHING } from '../access.ts';
import type { Access } from '../access.ts';
import type { Received } from './received.ts';

export interface Sight {
  readonly role: Role;
  readonly access: Access;
  /** It lives in a space that is not the caller's own. */
  readonly isShared: boolean;
  /** It is the very node that was shared: its name and place are the caller's to choose. */
  readonly isMountRoot: boolean;
  /** What the ETag of a folder says besides its own mark; '' for nothing. */
  readonly mark: string;
  /** Whose space it lives in; undefined for a team's. */
  readonly owner: UserId | undefined;
}

/** A node as a caller sees it. A mount is seen as what is mounted, under the mount's name. Without
 *  `sight` it is the caller's own, with nothing of others below it. */
export type SeenNode = NodeRecord & { readonly sight?: Sight };

export function accessAt(node: { readonly sight?: Sight }): Access {
  return node.sight?.access ?? EVERYTHING;
}

export function roleAt(node: { readonly sight?: Sight }): Role {
  return node.sight?.role ?? 'owner';
}

/** Where a path of a view leads. */
export interface Walk {
  /** One node for each name that was found, the view's root first: complete when its length is that
   *  of the path plus one. Only the last node of a complete walk has a `sight.mark` that can be
   *  relied on. */
  readonly nodes: readonly SeenNode[];
  /** Ids from the root of the space where the last node lives, down to that node. */
  readonly ids: readonly NodeId[];
  /** True when something is there under the next name that the caller must not know of. */
  readonly isHidden: boolean;
  /** What is there under the next name, and held as deleted: the device does not see it. */
  readonly held?: SeenNode;
  /** The mount that the walk went through. */
  readonly mount: MountCrossing | undefined;
  /** What others share with the caller, as far as it was looked at: for what follows at once. */
  readonly shared?: { readonly received: Received | undefined } | undefined;
}

export interface MountCrossing {
  /** Its place in `nodes`. */
  readonly depth: number;
  /** The mount in the caller's own space; undefined where a link begins. */
  readonly node: NodeRecord | undefined;
  /** What is mounted, under its own name and in its own folder. */
  readonly target: NodeRecord;
}
