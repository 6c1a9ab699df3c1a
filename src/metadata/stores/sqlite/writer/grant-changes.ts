/** The changes of grants, on SQLite. */
import type { GrantId, NodeId, SpaceId, TenantId } from '../../../../base/ids.ts';
import { ROLES } from '../../../../base/roles.ts';
import { GRANTS_PER_SPACE_MAX } from '../../../access-changes.ts';
import type { CountDownload, PutGrant, RemoveGrant } from '../../../access-changes.ts';
import type { GrantRecord } from '../../../access-records.ts';
import type { Actor, ChangeResult, Move } from '../../../changes.ts';
import {
  downloadsSpent, grantMissing, grantThere, isMount, linkTaken, otherTenant, outOfRange,
  tooManyGrants,
} from '../../../refusals.ts';
import { shardOfId } from '../../../shard-number.ts';
import {
  KIND_FILE, KIND_FOLDER, KIND_MOUNT, SUBJECT_KINDS, subjectText, toGrant,
} from '../rows.ts';
import type { GrantTuple } from '../rows.ts';
import { addEvent, resultOf } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { Chain, LiveNode, SpaceState, TreeState } from './tree-state.ts';

function grantOf(tuple: unknown): GrantRecord | undefined {
  return tuple === undefined ? undefined : toGrant(tuple as GrantTuple);
}

/** @throws not-found. */
function liveGrant(state: TreeState, space: SpaceState, grantId: GrantId): GrantRecord {
  const grant = grantOf(state.sql.getGrant.get(grantId));
  if (grant?.spaceId !== space.id) throw grantMissing(grantId);
  return grant;
}

function grantCount(state: TreeState, space: SpaceState): number {
  space.grantCount ??= (state.sql.countGrants.get(space.id) as [number])[0];
  return space.grantCount;
}

/** The grant that is to be changed; undefined: there is to be a new one. */
function grantToChange(
  state: TreeState, space: SpaceState, change: PutGrant,
): GrantRecord | undefined {
  const { nodeId, grantId, subject } = change;
  if (grantId !== undefined) {
    const grant = liveGrant(state, space, grantId);
    if (grant.nodeId !== nodeId) throw grantMissing(grantId);
    if (grant.subject.kind !== subject.kind) throw outOfRange('subject');
    return grant;
  }
  if (subject.kind === 'link' || change.revives !== undefined) return undefined;
  return grantOf(state.sql.findGrantAt.get(
    space.id, nodeId, SUBJECT_KINDS.indexOf(subject.kind), subject.id));
}

function checkUnique(
  state: TreeState, change: PutGrant, existing: GrantRecord | undefined,
): void {
  const { subject, spaceId, nodeId } = change;
  const kind = SUBJECT_KINDS.indexOf(subject.kind);
  if (subject.kind === 'link') {
    const other = state.sql.findGrantOf.get(kind, subject.tokenHash, existing?.id ?? 0);
    if (other !== undefined) throw linkTaken();
    return;
  }
  const there = grantOf(state.sql.findGrantAt.get(spaceId, nodeId, kind, subject.id));
  if (there !== undefined && there.id !== existing?.id) throw grantThere(there.id);
}

/** Whether somebody is of a tenant is known by their personal space, if they have one.
 *  @throws denied `other-tenant`. */
export function checkUserOf(state: TreeState, tenant: TenantId, user: string): void {
  const [ofUser] = state.sql.findSpaceByOwner.get(user) as [TenantId] | undefined ?? [tenant];
  if (ofUser !== tenant) throw otherTenant();
}

/** The folders whose view changes with a grant at a node: never a file itself. */
function foldersAround({ folder, parents }: LiveNode): Chain {
  return folder === undefined ? parents : [folder, ...parents];
}

function takeGrantId(state: TreeState): GrantId {
  const [id] = state.sql.getMeta.get('next_grant_id') as [GrantId];
  state.sql.setMeta.run(id + 1, 'next_grant_id');
  return id;
}

function noteAccess(state: TreeState, space: SpaceState, rev: number): void {
  state.sql.updateAccessRev.run(rev, space.id);
}

export function putGrant(state: TreeState, change: PutGrant): Write {
  const space = state.space(change.spaceId);
  const node = state.live(space.id, change.nodeId);
  if (node.row.kind === KIND_MOUNT) throw isMount(node.row.id);
  const { subject } = change;
  if (subject.kind === 'user') checkUserOf(state, space.tenant, subject.id);
  const existing = grantToChange(state, space, change);
  checkUnique(state, change, existing);
  if (change.revives !== undefined) checkRevived(state, change.revives.id);
  if (existing === undefined) {
    if (grantCount(state, space) >= GRANTS_PER_SPACE_MAX) throw tooManyGrants(GRANTS_PER_SPACE_MAX);
  }
  return () => writeGrant(state, space, { change, node, existing });
}

function checkRevived(state: TreeState, id: GrantId): void {
  const [next] = state.sql.getMeta.get('next_grant_id') as [number];
  // What another shard has given out, only that one knows.
  if (id >= next && shardOfId(id) === shardOfId(next)) throw outOfRange('grantId');
  if (state.sql.getGrant.get(id) !== undefined) throw grantThere(id);
}

function downloadsOf(state: TreeState, id: GrantId): number {
  const [downloads] = state.sql.getGrantCount.get(id) as [number] | undefined ?? [0];
  return downloads;
}

/** Writes a grant that was checked. */
export function writeGrant(
  state: TreeState, space: SpaceState,
  { change, node, existing }: {
    change: PutGrant; node: LiveNode; existing: GrantRecord | undefined;
  },
): ChangeResult {
  const { nodeId, subject, role, isShown, expiresAt, terms, actor, revives } = change;
  const { row, folder } = node;
  const id = existing?.id ?? revives?.id ?? takeGrantId(state);
  const place = { parentId: row.parentId, name: row.name };
  const rev = addEvent(state, space, actor, {
    kind: 'grant', nodeId, nodeKind: row.kind, contentRev: row.contentRev, before: place,
    after: place, grantId: id,
  });
  if (existing?.spaceId === space.id) {
    state.sql.closeGrant.run(rev, id);
    state.sql.deleteGrant.run(id);
  } else {
    space.grantCount = grantCount(state, space) + 1;
  }
  const grant: GrantRecord = {
    id, spaceId: space.id, nodeId, subject, role, isShown, expiresAt, terms,
    createdBy: (existing ?? revives)?.createdBy ?? actor.user,
    createdAt: (existing ?? revives)?.createdAt ?? actor.at,
    revFrom: rev, downloads: existing?.downloads ?? (revives ? downloadsOf(state, id) : 0),
  };
  state.sql.insertGrant.run(id, space.id, nodeId, SUBJECT_KINDS.indexOf(subject.kind),
    subjectText(subject), ROLES.indexOf(role), isShown ? 1 : 0, expiresAt ?? null, terms,
    grant.createdBy, grant.createdAt, rev);
  noteAccess(state, space, rev);
  state.touchMarks(foldersAround(node), rev);
  return { ...resultOf(state, space, { row, folder }, existing === undefined), grant };
}

/** Nodes of a space that have grants. */
export function grantedNodes(state: TreeState, spaceId: SpaceId): Set<number> {
  const grants = (state.sql.listGrants.all(spaceId) as GrantTuple[]).map(toGrant);
  return new Set(grants.map(({ nodeId }) => nodeId));
}

/** Takes the grants of nodes over to their copies in another space, under their ids. Belongs to the
 *  writing of a move; the nodes are still live. @throws too-large: the batch is undone. */
export function moveGrants(
  state: TreeState,
  { from, to, copyOf, actor, heir }: {
    from: SpaceState; to: SpaceState; copyOf: ReadonlyMap<NodeId, NodeId>; actor: Actor;
    heir: Move['heir'];
  },
): void {
  for (const grant of (state.sql.listGrants.all(from.id) as GrantTuple[]).map(toGrant)) {
    const newId = copyOf.get(grant.nodeId);
    if (newId === undefined) continue;
    if (grantCount(state, to) >= GRANTS_PER_SPACE_MAX) throw tooManyGrants(GRANTS_PER_SPACE_MAX);
    const end = { op: 'remove-grant', spaceId: from.id, grantId: grant.id, actor } as const;
    removeGrant(state, end)();
    const { subject, role, isShown, expiresAt, terms } = grant;
    const change = {
      op: 'put-grant', spaceId: to.id, nodeId: newId, subject, role, isShown, expiresAt, terms,
      actor,
    } as const;
    const createdBy = grant.createdBy === heir?.of ? heir.is : grant.createdBy;
    writeGrant(state, to, {
      change, node: state.live(to.id, newId), existing: { ...grant, createdBy },
    });
  }
}

export function removeGrant(state: TreeState, change: RemoveGrant): Write {
  const { grantId, actor } = change;
  const space = state.space(change.spaceId);
  const { nodeId } = liveGrant(state, space, grantId);
  const row = state.node(space.id, nodeId);
  const live = row && state.findLiveRow(space.id, row);
  return () => {
    const isFolder = state.sql.getFolder.get(space.id, nodeId) !== undefined;
    const place = row && { parentId: row.parentId, name: row.name };
    const rev = addEvent(state, space, actor, {
      kind: 'revoke', nodeId, nodeKind: isFolder ? KIND_FOLDER : KIND_FILE,
      contentRev: row?.contentRev ?? 0, grantId, ...(place && { before: place, after: place }),
    });
    state.sql.closeGrant.run(rev, grantId);
    state.sql.deleteGrant.run(grantId);
    space.grantCount = undefined;
    noteAccess(state, space, rev);
    if (live !== undefined) state.touchMarks(foldersAround(live), rev);
    return resultOf(state, space, undefined, false);
  };
}

export function countDownload(state: TreeState, change: CountDownload): Write {
  const { grantId, countMax } = change;
  const space = state.space(change.spaceId);
  const { downloads } = liveGrant(state, space, grantId);
  const count = downloads + 1;
  if (countMax !== undefined && count > countMax) throw downloadsSpent(grantId);
  return () => {
    if (downloads === 0) state.sql.insertGrantCount.run(grantId, count);
    else state.sql.updateGrantCount.run(count, grantId);
    return { ...resultOf(state, space, undefined, false), count };
  };
}
