/** Grants and mounts of the in-memory model. Each change checks everything before it changes. */
import type { GrantId, NodeId, TenantId } from '../../../base/ids.ts';
import { GRANTS_PER_SPACE_MAX, MOUNTS_PER_SPACE_MAX } from '../../access-changes.ts';
import type {
  CountDownload, Mount, PutGrant, RemoveGrant, RenameSpace, Unmount,
} from '../../access-changes.ts';
import type {
  GrantRecord, MountRecord, MountTarget, SpaceMounts, Subject,
} from '../../access-records.ts';
import type { ChangeResult } from '../../changes.ts';
import { MOUNT_NAMES_TRIED_MAX, mountName } from '../../mount-name.ts';
import {
  cycle, downloadsSpent, grantMissing, grantThere, isMount, linkTaken, nameClash, nodeMissing,
  otherTenant, outOfRange, personalSpace, tooManyGrants, tooManyMounts,
} from '../../refusals.ts';
import { shardOfId } from '../../shard-number.ts';
import { resultOf } from './memory-changes.ts';
import type { MemoryIds } from './memory-ids.ts';
import { newNode } from './memory-space.ts';
import type { MemoryNode, MemorySpace } from './memory-space.ts';

export function isSameSubject(a: Subject, b: Subject): boolean {
  if (a.kind === 'link' || b.kind === 'link') {
    return a.kind === 'link' && b.kind === 'link' && a.tokenHash === b.tokenHash;
  }
  return a.kind === b.kind && a.id === b.id;
}

/** The grant that is to be changed; undefined: there is to be a new one. */
function grantToChange(space: MemorySpace, change: PutGrant): GrantRecord | undefined {
  const { nodeId, grantId, subject } = change;
  if (grantId !== undefined) {
    const grant = space.grants.get(grantId);
    if (grant === undefined || grant.nodeId !== nodeId) throw grantMissing(grantId);
    if (grant.subject.kind !== subject.kind) throw outOfRange('subject');
    return grant;
  }
  if (subject.kind === 'link' || change.revives !== undefined) return undefined;
  return [...space.grants.values()].find((grant) =>
    grant.nodeId === nodeId && isSameSubject(grant.subject, subject));
}

function checkUnique(
  change: PutGrant, existing: GrantRecord | undefined, spaces: readonly MemorySpace[],
): void {
  const others: GrantRecord[] = [];
  for (const space of spaces) {
    for (const grant of space.grants.values()) {
      if (grant !== existing && isSameSubject(grant.subject, change.subject)) others.push(grant);
    }
  }
  if (change.subject.kind === 'link') {
    if (others.length > 0) throw linkTaken();
    return;
  }
  const there = others.find((grant) => grant.nodeId === change.nodeId);
  if (there !== undefined) throw grantThere(there.id);
}

/** Whether somebody is of a tenant is known by their personal space, if they have one.
 *  @throws denied `other-tenant`. */
export function checkUserOf(
  spaces: Iterable<MemorySpace>, tenant: TenantId, user: string,
): void {
  for (const { record } of spaces) {
    if (record.owner === user && record.tenant !== tenant) throw otherTenant();
  }
}

export function putGrant(
  space: MemorySpace, change: PutGrant,
  { spaces, ids: { lastGrantId, takeGrantId } }: {
    spaces: readonly MemorySpace[]; ids: Pick<MemoryIds, 'lastGrantId' | 'takeGrantId'>;
  },
): ChangeResult {
  const { nodeId } = change;
  const node = space.findLive(nodeId);
  if (node === undefined) throw nodeMissing(nodeId);
  if (node.kind === 'mount') throw isMount(nodeId);
  if (change.subject.kind === 'user') {
    checkUserOf(spaces, space.record.tenant, change.subject.id);
  }
  const existing = grantToChange(space, change);
  checkUnique(change, existing, spaces);
  if (change.revives !== undefined) checkRevived(change.revives.id, spaces, lastGrantId);
  if (existing === undefined && space.grants.size >= GRANTS_PER_SPACE_MAX) {
    throw tooManyGrants(GRANTS_PER_SPACE_MAX);
  }
  const id = existing?.id ?? change.revives?.id ?? takeGrantId();
  return writeGrant(space, change, { node, existing, id });
}

function checkRevived(id: GrantId, spaces: readonly MemorySpace[], lastGrantId: number): void {
  const isOurs = shardOfId(id) === shardOfId(lastGrantId + 1);
  if (id > lastGrantId && isOurs) throw outOfRange('grantId');
  if (spaces.some(({ grants }) => grants.has(id))) throw grantThere(id);
}

/** Writes a grant that was checked. */
export function writeGrant(
  space: MemorySpace, change: PutGrant,
  { node, existing, id }: { node: MemoryNode; existing: GrantRecord | undefined; id: GrantId },
): ChangeResult {
  const { nodeId, subject, role, isShown, expiresAt, terms, actor, revives } = change;
  const place = { parent: node.parent, name: node.name };
  const rev = space.addEvent('grant', node, actor, { before: place, after: place, grantId: id });
  if (existing?.spaceId === space.id) space.grantsPast.push({ grant: existing, revTo: rev });
  const grant: GrantRecord = {
    id, spaceId: space.id, nodeId, subject, role, isShown, expiresAt, terms,
    createdBy: (existing ?? revives)?.createdBy ?? actor.user,
    createdAt: (existing ?? revives)?.createdAt ?? actor.at,
    revFrom: rev, downloads: existing?.downloads ?? space.downloadsOf.get(id) ?? 0,
  };
  space.grants.set(id, grant);
  space.record.accessRev = rev;
  space.touchMarks(node.kind === 'folder' ? node : node.parent, rev);
  return { ...resultOf(space, node, existing === undefined), grant: structuredClone(grant) };
}

function liveGrant(space: MemorySpace, grantId: GrantId): GrantRecord {
  const grant = space.grants.get(grantId);
  if (grant === undefined) throw grantMissing(grantId);
  return grant;
}

export function removeGrant(space: MemorySpace, change: RemoveGrant): ChangeResult {
  const { grantId, actor } = change;
  const grant = liveGrant(space, grantId);
  const node = space.nodes.get(grant.nodeId);
  const shown = node ?? newNode({
    id: grant.nodeId, parent: undefined, name: '', canon: '', kind: 'file', createdAt: 0,
  });
  const isPlaced = node !== undefined && space.isPlaced(node);
  const place = { parent: shown.parent, name: shown.name };
  const rev = space.addEvent('revoke', isPlaced ? shown : { ...shown, contentRev: 0 }, actor, {
    ...(isPlaced && { before: place, after: place }), grantId,
  });
  space.grants.delete(grantId);
  space.grantsPast.push({ grant, revTo: rev });
  space.record.accessRev = rev;
  const live = space.findLive(grant.nodeId);
  if (live !== undefined) space.touchMarks(live.kind === 'folder' ? live : live.parent, rev);
  return resultOf(space, undefined, false);
}

export function countDownload(space: MemorySpace, change: CountDownload): ChangeResult {
  const grant = liveGrant(space, change.grantId);
  const count = grant.downloads + 1;
  if (change.countMax !== undefined && count > change.countMax) throw downloadsSpent(grant.id);
  grant.downloads = count;
  space.downloadsOf.set(grant.id, count);
  // It has no past: whatever shows an earlier state of the grant shows this number.
  for (const past of space.grantsPast) {
    if (past.grant.id === grant.id) past.grant.downloads = count;
  }
  return { ...resultOf(space, undefined, false), count };
}

export function renameSpace(space: MemorySpace, change: RenameSpace): ChangeResult {
  if (space.record.kind === 'personal') throw personalSpace();
  space.record.name = change.name;
  const place = { parent: undefined, name: '' };
  const rev = space.addEvent('update', space.root, change.actor, { before: place, after: place });
  space.touchMarks(space.root, rev);
  return resultOf(space, space.root, false);
}

function isSameTarget(a: MountTarget, b: MountTarget | undefined): boolean {
  return a.spaceId === b?.spaceId && a.nodeId === b.nodeId;
}

function mountNodes(space: MemorySpace): MemoryNode[] {
  return [...space.nodes.values()].filter((node) => node.kind === 'mount')
    .toSorted((a, b) => a.id - b.id);
}

export function mount(
  space: MemorySpace, change: Mount,
  { targetSpace, takeId }: { targetSpace: MemorySpace; takeId: () => NodeId },
): ChangeResult {
  const { parentId, target, actor } = change;
  const leadsTo = targetSpace.findLive(target.nodeId);
  if (leadsTo === undefined) throw nodeMissing(target.nodeId);
  if (targetSpace === space || leadsTo.kind === 'mount') throw cycle(target.nodeId);
  if (targetSpace.record.tenant !== space.record.tenant) throw otherTenant();
  const mounts = mountNodes(space);
  const there = mounts.find((node) =>
    isSameTarget(target, node.target) && space.findLive(node.id) !== undefined);
  if (there !== undefined) return resultOf(space, there, false);
  const parent = space.parentFor(parentId);
  const placed = mounts.filter((node) => space.isPlaced(node));
  if (placed.length >= MOUNTS_PER_SPACE_MAX) throw tooManyMounts(MOUNTS_PER_SPACE_MAX);
  const name = freeName(space, parent, change, leadsTo.kind === 'file');
  const node = newNode({
    id: takeId(), parent, name, canon: space.canon(name), kind: 'mount', createdAt: actor.at,
  });
  node.target = { ...target };
  space.attach(node, parent, name);
  const rev = space.addEvent('create', node, actor, { after: { parent, name } });
  node.mark = rev;
  space.declined = space.declined.filter((each) => !isSameTarget(target, each));
  space.touch(parent, rev, actor.at);
  return resultOf(space, node, true);
}

function freeName(
  space: MemorySpace, parent: MemoryNode, { name }: Mount, isFile: boolean,
): string {
  for (let attempt = 1; attempt <= MOUNT_NAMES_TRIED_MAX; attempt += 1) {
    const tried = mountName(name, attempt, isFile);
    if (!parent.members.has(space.canon(tried))) return tried;
  }
  throw nameClash(parent.id);
}

export function unmount(space: MemorySpace, change: Unmount): ChangeResult {
  const { nodeId, isDeclined, actor } = change;
  const node = space.findLive(nodeId);
  const { parent, target, name } = node ?? {};
  if (node === undefined || parent === undefined || target === undefined) throw nodeMissing(nodeId);
  const others = space.declined.filter((each) => !isSameTarget(target, each));
  if (isDeclined && others.length >= MOUNTS_PER_SPACE_MAX) {
    throw tooManyMounts(MOUNTS_PER_SPACE_MAX);
  }
  space.dropLocksWithin(node);
  const rev = space.addEvent('delete', node, actor, { before: { parent, name: name ?? '' } });
  space.detach(node);
  if (isDeclined) space.declined = [...others, { ...target }];
  space.touch(parent, rev, actor.at);
  return resultOf(space, undefined, false);
}

export function mountsOf(space: MemorySpace): SpaceMounts {
  const mounts = mountNodes(space).flatMap((node): MountRecord[] => {
    const [, parent, ...others] = space.chainOf(node.id) ?? [];
    if (parent === undefined || node.target === undefined) return [];
    const above = [parent, ...others].reverse().map(({ id }) => id);
    return [{
      spaceId: space.id, nodeId: node.id, parentId: parent.id, name: node.name,
      target: { ...node.target }, above,
    }];
  });
  const declined = space.declined.map((each) => ({ ...each }))
    .toSorted((a, b) => a.spaceId - b.spaceId || a.nodeId - b.nodeId);
  return { mounts, declined };
}
