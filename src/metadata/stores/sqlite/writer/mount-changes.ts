/** The changes of mounts, on SQLite. */
import { canonicalName } from '../../../../base/names.ts';
import type { Name } from '../../../../base/names.ts';
import type { NodeId } from '../../../../base/ids.ts';
import { MOUNTS_PER_SPACE_MAX } from '../../../access-changes.ts';
import type { Mount, Unmount } from '../../../access-changes.ts';
import { MOUNT_NAMES_TRIED_MAX, mountName } from '../../../mount-name.ts';
import { cycle, nameClash, nodeMissing, otherTenant, tooManyMounts } from '../../../refusals.ts';
import { KIND_FILE, KIND_MOUNT, storedName, toTarget } from '../rows.ts';
import type { NodeRow, TargetTuple } from '../rows.ts';
import { addEvent, dropLocksWithin, parentsFor, resultOf } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { Chain, LiveNode, SpaceState, TreeState } from './tree-state.ts';

/** The live mount of a target, if there is one. */
function findMounted(
  state: TreeState, space: SpaceState, { target }: Mount,
): LiveNode | undefined {
  const rows = state.sql.findMounts.all(target.spaceId, target.nodeId, space.id) as [NodeId][];
  for (const [nodeId] of rows) {
    const node = state.findLive(space.id, nodeId);
    if (node !== undefined) return node;
  }
  return undefined;
}

function freeName(
  state: TreeState, space: SpaceState, { parentId, name }: Mount, isFile: boolean,
): Name {
  for (let attempt = 1; attempt <= MOUNT_NAMES_TRIED_MAX; attempt += 1) {
    const tried = mountName(name, attempt, isFile);
    const canon = canonicalName(tried, space.casePolicy);
    if (state.child(space.id, parentId, canon) === undefined) return tried;
  }
  throw nameClash(parentId);
}

export function mount(state: TreeState, change: Mount): Write {
  const { parentId, target } = change;
  const space = state.space(change.spaceId);
  const targetSpace = state.space(target.spaceId);
  const leadsTo = state.live(targetSpace.id, target.nodeId);
  if (targetSpace === space || leadsTo.row.kind === KIND_MOUNT) throw cycle(target.nodeId);
  if (targetSpace.tenant !== space.tenant) throw otherTenant();
  const there = findMounted(state, space, change);
  if (there !== undefined) return () => resultOf(state, space, there, false);
  const parents = parentsFor(state, space, parentId);
  const [count] = state.sql.countMounts.get(space.id) as [number];
  if (count >= MOUNTS_PER_SPACE_MAX) throw tooManyMounts(MOUNTS_PER_SPACE_MAX);
  const name = freeName(state, space, change, leadsTo.row.kind === KIND_FILE);
  return () => {
    const row = insertMount(state, space, { change, name, parents });
    return resultOf(state, space, { row }, true);
  };
}

function insertMount(
  state: TreeState, space: SpaceState,
  { change, name, parents }: { change: Mount; name: Name; parents: Chain },
): NodeRow {
  const { parentId, target, actor } = change;
  const id = state.takeNodeIds(1);
  const rev = addEvent(state, space, actor, {
    kind: 'create', nodeId: id, nodeKind: KIND_MOUNT, contentRev: 0, after: { parentId, name },
  });
  const canon = canonicalName(name, space.casePolicy);
  state.sql.insertNode.run(space.id, parentId, canon, id, storedName(name, canon), KIND_MOUNT,
    0, actor.at, actor.at, rev, 0, '', rev);
  state.sql.insertMount.run(space.id, id, target.spaceId, target.nodeId);
  state.sql.deleteDeclined.run(space.id, target.spaceId, target.nodeId);
  state.touch(parents, rev, actor.at, 0);
  return {
    id, parentId, canon, name, kind: KIND_MOUNT, sizeBytes: 0, modifiedAt: actor.at,
    createdAt: actor.at, mark: rev, contentRev: 0, checksums: '',
  };
}

export function unmount(state: TreeState, change: Unmount): Write {
  const { nodeId, isDeclined, actor } = change;
  const space = state.space(change.spaceId);
  const node = state.findLive(space.id, nodeId);
  if (node?.row.kind !== KIND_MOUNT) throw nodeMissing(nodeId);
  const { row: { parentId, canon, name }, parents } = node;
  const target = toTarget(state.sql.getMount.get(space.id, nodeId) as TargetTuple);
  const key = [space.id, target.spaceId, target.nodeId] as const;
  const isNewlyDeclined = isDeclined && state.sql.findDeclined.get(...key) === undefined;
  if (isNewlyDeclined) {
    const [count] = state.sql.countDeclined.get(space.id) as [number];
    if (count >= MOUNTS_PER_SPACE_MAX) throw tooManyMounts(MOUNTS_PER_SPACE_MAX);
  }
  return () => {
    dropLocksWithin(state, space, nodeId);
    const rev = addEvent(state, space, actor, {
      kind: 'delete', nodeId, nodeKind: KIND_MOUNT, contentRev: 0, before: { parentId, name },
    });
    state.sql.closeNode.run(rev, space.id, parentId, canon);
    state.sql.deleteNode.run(space.id, parentId, canon);
    if (isNewlyDeclined) state.sql.insertDeclined.run(...key);
    state.touch(parents, rev, actor.at, 0);
    return resultOf(state, space, undefined, false);
  };
}
