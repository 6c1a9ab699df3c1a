/** Making and naming spaces, on SQLite. */
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import type { MakeSpace, RenameSpace } from '../../../access-changes.ts';
import type { ChangeResult } from '../../../changes.ts';
import type { Instant } from '../../../records.ts';
import { personalSpace } from '../../../refusals.ts';
import type { EnsureSpace } from '../messages.ts';
import { KIND_FOLDER, NO_PARENT } from '../rows.ts';
import { checkUserOf, writeGrant } from './grant-changes.ts';
import { addEvent, insertFolderNode, resultOf } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { TreeState } from './tree-state.ts';

/** Takes ids for a space and its root. */
function takeIds(state: TreeState): { id: SpaceId; rootId: NodeId } {
  const [id] = state.sql.getMeta.get('next_space_id') as [SpaceId];
  state.sql.setMeta.run(id + 1, 'next_space_id');
  return { id, rootId: state.takeNodeIds(1) };
}

/** The root of a space whose row is there. */
function makeRoot(
  state: TreeState, { id, rootId }: { id: SpaceId; rootId: NodeId }, at: Instant,
): void {
  insertFolderNode(state, state.space(id), {
    id: rootId, parentId: NO_PARENT, canon: '', name: '', createdAt: at, revFrom: 0,
  });
  state.addFolder(id, rootId, NO_PARENT, { mark: 0, sizeBytes: 0, changedAt: at });
}

export function ensureSpace(state: TreeState, { wanted }: EnsureSpace): Write {
  const { tenant, owner, casePolicy, quotaBytes, at } = wanted;
  const answer: ChangeResult = { node: undefined, created: false, rev: 0, count: 0 };
  checkUserOf(state, tenant, owner);
  if (state.sql.findSpaceByOwner.get(owner) !== undefined) return () => answer;
  return () => {
    const ids = takeIds(state);
    state.sql.insertSpace.run(ids.id, tenant, owner, ids.rootId, casePolicy,
      quotaBytes ?? null, at);
    makeRoot(state, ids, at);
    return { ...answer, created: true };
  };
}

export function makeSpace(state: TreeState, change: MakeSpace): Write {
  const { tenant, name, firstOwner, casePolicy, quotaBytes, actor } = change;
  checkUserOf(state, tenant, firstOwner);
  return () => {
    const ids = takeIds(state);
    const { id, rootId } = ids;
    state.sql.insertTeamSpace.run(id, tenant, name, rootId, casePolicy, quotaBytes ?? null,
      actor.at);
    makeRoot(state, ids, actor.at);
    const node = state.live(id, rootId);
    return writeGrant(state, state.space(id), {
      node, existing: undefined,
      change: {
        op: 'put-grant', spaceId: id, nodeId: rootId, role: 'owner', isShown: true,
        subject: { kind: 'user', id: firstOwner }, expiresAt: undefined, terms: '{}', actor,
      },
    });
  };
}

export function renameSpace(state: TreeState, change: RenameSpace): Write {
  const space = state.space(change.spaceId);
  const [kind] = state.sql.getSpaceKind.get(space.id) as [string];
  if (kind === 'personal') throw personalSpace();
  const { row, folder } = state.live(space.id, space.rootId);
  return () => {
    state.sql.updateSpaceName.run(change.name, space.id);
    const place = { parentId: NO_PARENT, name: '' };
    const rev = addEvent(state, space, change.actor, {
      kind: 'update', nodeId: space.rootId, nodeKind: KIND_FOLDER, contentRev: 0, before: place,
      after: place,
    });
    if (folder !== undefined) state.touchMarks([folder], rev);
    return resultOf(state, space, { row, folder }, false);
  };
}
