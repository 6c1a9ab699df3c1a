/** From a path of a caller's view to the place in a space where a change is to be made. */
import { HoldfastError } from '../base/errors.ts';
import type { NodeId, SpaceId } from '../base/ids.ts';
import { parseName } from '../base/names.ts';
import type { Name } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import type { Expectation } from '../metadata/index.ts';
import { checkAccess } from './access.ts';
import type { Deed } from './access.ts';
import { exists, judge, nameTaken, notFound, parentMissing } from './deal.ts';
import type { Deal } from './deal.ts';
import { isLinkCaller } from './view/link-caller.ts';
import { accessAt } from './view/sight.ts';
import type { MountCrossing, SeenNode } from './view/sight.ts';
import type { Views } from './view/views.ts';

/** An existing node that something is to be done with. */
export interface Taken {
  node: SeenNode;
  expect: Expectation | undefined;
  /** Set when the node is the root of a mount or of a link. */
  mount: MountCrossing | undefined;
  /** From its space's root down to the node. */
  ids: readonly NodeId[];
}

/** A place where something is to appear. */
export interface Target {
  spaceId: SpaceId;
  parentId: NodeId;
  name: Name;
  current: SeenNode | undefined;
  /** What the tree has there and the device does not see, because its deletion is held. */
  held?: SeenNode;
  expect: Expectation | undefined;
  /** By whose sight what appears there is seen. */
  near: SeenNode;
  /** What was asked for, to be asked for again. */
  path: readonly Name[];
  replacing: Replacing;
}

/** What may be done with what is there already, beside adding where nothing is. */
type Replacing = 'update' | 'delete' | 'nothing';

/** @throws not-found; denied. */
export async function takeNode(
  views: Views, caller: Caller, { path, deed, deal }: {
    path: readonly Name[]; deed: Deed; deal: Deal;
  },
): Promise<Taken> {
  const { nodes, mount, ids } = await views.walk(caller, path);
  const node = nodes[path.length];
  if (node === undefined) throw notFound(deed);
  checkAccess(accessAt(node), deed);
  const isRoot = mount?.depth === path.length;
  return { node, expect: judge(deal, node), mount: isRoot ? mount : undefined, ids };
}

/** @throws exists: nothing may be there; conflict `parent-missing`, `name-clash`; denied;
 *  precondition. */
export async function aimAt(
  views: Views, caller: Caller, { path, deal, replacing }: {
    path: readonly Name[]; deal: Deal; replacing: Replacing;
  },
): Promise<Target> {
  const isDrop = isLinkCaller(caller) && caller.terms.fileDrop === true;
  // Whether the name is taken would be told by the answer.
  if (isDrop && replacing === 'nothing') throw filesOnly();
  const { nodes, mount, isHidden, held } = await views.walk(caller, path);
  const current = nodes[path.length];
  if (current !== undefined) {
    if (replacing === 'nothing') {
      judge(deal, current);
      throw exists('aim');
    }
    if (mount?.depth === path.length) {
      return aimAtMounted({ current, mount, deal, replacing, path });
    }
    if (path.length === 0) throw rootStays();
    checkAccess(accessAt(current), replacing);
  }
  const parent = nodes[path.length - 1];
  const name = path.at(-1);
  if (parent?.kind !== 'folder' || name === undefined) throw parentMissing('aim');
  if (parent.id !== (deal.intoFolder ?? parent.id)) throw parentMissing('aim');
  if (current === undefined) {
    checkAccess(accessAt(parent), 'create');
    if (isHidden) throw nameTaken('aim');
  }
  return {
    spaceId: parent.spaceId, parentId: parent.id, name, current, near: parent, path, replacing,
    ...(held !== undefined && { held }),
    // Who may only add must not overwrite what somebody else adds at the same moment.
    expect: judge(deal, current) ?? (accessAt(parent).update ? undefined : asSeen(current)),
  };
}

function asSeen(current: SeenNode | undefined): Expectation {
  return current === undefined ? 'absent' : { nodeId: current.id, mark: current.mark };
}

/** Asks again where something of others is to be changed: while a body was on its way, what was
 *  allowed may have been taken back. undefined: it is the caller's own. @throws as aimAt. */
export function aimAgain(
  views: Views, caller: Caller, target: Target,
): Promise<void> | undefined {
  return target.near.sight?.isShared === true ? checkAim(views, caller, target) : undefined;
}

async function checkAim(
  views: Views, caller: Caller, { path, replacing, spaceId, parentId }: Target,
): Promise<void> {
  const now = await aimAt(views, caller, { path, deal: {}, replacing });
  if (now.spaceId !== spaceId || now.parentId !== parentId) throw parentMissing('aimAgain');
}

/** Whether what turns up at the target of a copy or move goes to the trash; not where it was free
 *  and the caller may only add. @throws denied: not all of it is the caller's to delete. */
export async function mayReplace(
  views: Views, caller: Caller, { current, expect }: Target, wanted: boolean,
): Promise<boolean> {
  if (wanted && current !== undefined) await views.checkAllBelow(caller, current, 'delete');
  return wanted && expect !== 'absent';
}

/** What lies in a folder goes along with it, mounts as well: so it cannot go to one of those.
 *  @throws denied `cycle`. */
export async function checkNotInside(
  views: Views, caller: Caller, { node }: Taken, to: readonly Name[],
): Promise<void> {
  const { nodes } = await views.walk(caller, to);
  if (nodes.every(({ id, spaceId }) => id !== node.id || spaceId !== node.spaceId)) return;
  const message = 'Nothing can be put into or onto itself.';
  throw new HoldfastError('denied', 'files/move', message, { code: 'cycle' });
}

/** What is mounted has its own name and folder where it lives: its content is replaced there. */
function aimAtMounted(
  { current, mount, deal, replacing, path }: {
    current: SeenNode; mount: MountCrossing; deal: Deal; replacing: 'update' | 'delete';
    path: readonly Name[];
  },
): Target {
  const { spaceId, parentId, name } = mount.target;
  if (replacing === 'delete' || current.kind === 'folder' || parentId === undefined) {
    throw mountStays();
  }
  checkAccess(accessAt(current), 'update');
  const expect = judge(deal, current) ?? asSeen(current);
  return {
    spaceId, parentId, name: parseName(name), current, near: current, path, replacing, expect,
  };
}

function filesOnly(): HoldfastError {
  const message = 'Only files can be left here, no folders.';
  return new HoldfastError('denied', 'files/aim', message, { code: 'files-only' });
}

function rootStays(): HoldfastError {
  return new HoldfastError('denied', 'files/aim', 'The root folder itself cannot be replaced.');
}

export function mountStays(): HoldfastError {
  const message = 'What others share with you cannot be replaced, and stays in your own folders. '
    + 'Copy it, or move it by itself.';
  return new HoldfastError('denied', 'files/aim', message, { code: 'is-mount' });
}
