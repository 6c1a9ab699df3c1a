/**
 * A window is a part of one space in the tree of one caller: all of the caller's own, or what is
 * seen at one mount. The same node may be seen by several windows.
 */
import type { NodeId, SpaceId } from '../../base/ids.ts';
import type { Role } from '../../base/roles.ts';
import type { MountTarget, NodeRecord } from '../../metadata/index.ts';
import { isVisible } from '../access.ts';
import type { Ground } from '../view/ground.ts';
import type { SeenNode } from '../view/sight.ts';

type Chain = readonly NodeRecord[];

/** A node as a window shows it. */
export interface InWindow {
  key: string;
  parentKey: string | undefined;
  node: SeenNode;
  role: Role;
  path: string[];
  /** Chain from the window's root to the node. */
  below: Chain;
}

export interface Window {
  readonly spaceId: SpaceId;
  /** undefined: the caller does not see the node by this window. */
  find(chain: Chain | undefined): InWindow | undefined;
  keyOf(nodeId: NodeId): string;
  /** The role at a child of what `found` is. */
  roleBelow(found: InWindow, child: NodeId): Role;
  /** The role at the end of a chain, by other grants; `none` where not all on the way is seen. */
  roleBy(ground: Ground, chain: Chain | undefined): Role;
}

/** All of the caller's own space. What is mounted in it is seen by windows of its own. */
export function ownWindow(spaceId: SpaceId): Window {
  return {
    spaceId,
    find(chain) {
      const node = chain?.at(-1);
      if (chain === undefined || node === undefined || node.kind === 'mount') return undefined;
      return {
        key: String(node.id), node, role: 'owner', below: chain,
        parentKey: node.parentId === undefined ? undefined : String(node.parentId),
        path: chain.slice(1).map(({ name }) => name),
      };
    },
    keyOf: String,
    roleBelow: () => 'owner',
    roleBy: () => 'owner',
  };
}

/** A mount, where it is. */
export interface MountPlace {
  /** In the caller's own space, the mount itself last. */
  chain: Chain;
  target: MountTarget;
}

/** As a listing shows it too: there a mount has the id of what is mounted. */
export function mountKey({ nodeId }: MountTarget): string {
  return String(nodeId);
}

/** What is seen at a mount. `ground`: of the space that it leads to. */
export function mountWindow({ chain: own, target }: MountPlace, ground: Ground): Window {
  const mount = own.at(-1);
  const rootKey = mountKey(target);
  const path = own.slice(1).map(({ name }) => name);
  const indexIn = (chain: Chain | undefined): number =>
    chain?.findIndex(({ id }) => id === target.nodeId) ?? -1;
  const keyOf = (id: NodeId): string => (id === target.nodeId ? rootKey : `${rootKey}/${id}`);
  return {
    spaceId: target.spaceId,
    find(chain) {
      const at = indexIn(chain);
      if (chain === undefined || at < 0) return undefined;
      const below = chain.slice(at);
      const node = below.at(-1);
      const role = roleIn(ground, chain, at);
      if (node === undefined || !isVisible(role) || node.kind === 'mount') return undefined;
      const isRoot = below.length === 1;
      const seen = isRoot
        ? { ...node, name: mount?.name ?? '', sight: ground.rootSight(role) }
        : { ...node, sight: ground.sight(role) };
      return {
        key: keyOf(node.id), node: seen, role, below,
        parentKey: isRoot || node.parentId === undefined ? String(mount?.parentId)
          : keyOf(node.parentId),
        path: [...path, ...below.slice(1).map(({ name }) => name)],
      };
    },
    keyOf,
    roleBelow: ({ role }, child) => ground.step(role, child),
    roleBy(other, chain) {
      const at = indexIn(chain);
      return chain === undefined || at < 0 ? 'none' : roleIn(other, chain, at);
    },
  };
}

/** The role at the end of a chain, if all of it from `from` on is seen; else `none`. */
function roleIn(ground: Ground, chain: Chain, from: number): Role {
  let role = ground.roleAt(chain.slice(0, from + 1).map(({ id }) => id));
  for (const { id } of chain.slice(from + 1)) {
    if (!isVisible(role)) return 'none';
    role = ground.step(role, id);
  }
  return role;
}
