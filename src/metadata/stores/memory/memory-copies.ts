/** Copies, and moves to another space, on the in-memory model. */
import type { NodeId } from '../../../base/ids.ts';
import { GRANTS_PER_SPACE_MAX } from '../../access-changes.ts';
import { COPY_NODES_MAX } from '../../changes.ts';
import type { ChangeResult, Copy, Move } from '../../changes.ts';
import { checkLocks } from '../../lock-rules.ts';
import {
  copyTooLarge, cycle, isMount, nameClash, otherTenant, rootStays, tooManyGrants,
} from '../../refusals.ts';
import { removeGrant, writeGrant } from './memory-access.ts';
import { checkTarget, live, resultOf } from './memory-changes.ts';
import type { MemoryNode, MemorySpace } from './memory-space.ts';

/** The nodes that a copy is made of: breadth first, members by canonical name, no mounts. */
function nodesToCopy(
  space: MemorySpace, source: MemoryNode, depth: '0' | 'infinity',
): MemoryNode[] {
  const nodes = [source];
  if (depth === '0') return nodes;
  for (const node of nodes) {
    nodes.push(...space.membersOf(node).filter(({ kind }) => kind !== 'mount'));
  }
  return nodes;
}

/** Names of one folder that differ where they come from must differ where they go to. */
function checkNames(to: MemorySpace, source: MemoryNode, nodes: readonly MemoryNode[]): void {
  const taken = new Set<string>();
  for (const node of nodes) {
    if (node === source) continue;
    const key = `${node.parent?.id}/${to.canon(node.name)}`;
    if (taken.has(key)) throw nameClash(node.id);
    taken.add(key);
  }
}

function grantCount(from: MemorySpace, nodes: readonly MemoryNode[]): number {
  const ids = new Set(nodes.map(({ id }) => id));
  return [...from.grants.values()].filter(({ nodeId }) => ids.has(nodeId)).length;
}

interface CopyMark {
  at: number;
  /** Mark of all below the copied root. */
  mark: number;
  /** Content revision of the copies; undefined: that of the originals. */
  contentRev: number | undefined;
}

function copyNode(
  source: MemoryNode, place: { id: NodeId; space: MemorySpace }, { at, mark, contentRev }: CopyMark,
): MemoryNode {
  const { id, space } = place;
  const versions = source.versions.filter((each) => each.contentRev === source.contentRev);
  const newRev = source.kind === 'folder' ? 0 : contentRev ?? source.contentRev;
  return {
    ...source, id, createdAt: at, mark, members: new Map(), contentRev: newRev,
    modifiedAt: source.kind === 'folder' ? at : source.modifiedAt,
    properties: [...source.properties], history: [],
    versions: versions.map((version) =>
      ({ ...version, spaceId: space.id, nodeId: id, contentRev: newRev })),
  };
}

interface CopyPlace {
  from: MemorySpace;
  to: MemorySpace;
  source: MemoryNode;
  toParent: MemoryNode;
  target: MemoryNode | undefined;
}

/** Makes the copies and shows them. */
function copyInto(
  { from, to, source, toParent, target }: CopyPlace, change: Copy | Move,
  nodes: readonly MemoryNode[], takeId: () => NodeId,
): { result: ChangeResult; copies: ReadonlyMap<MemoryNode, MemoryNode> } {
  const { actor, toName } = change;
  const isAcross = from !== to;
  const contentRev = isAcross ? Math.max(1, to.record.rev) : undefined;
  const made: CopyMark = { at: actor.at, mark: contentRev ?? from.record.rev, contentRev };
  const snapshotRev = from.record.rev;
  const copies = new Map<MemoryNode, MemoryNode>();
  for (const node of nodes) copies.set(node, copyNode(node, { id: takeId(), space: to }, made));
  if (target !== undefined) to.moveToTrash(target, actor);
  for (const [original, copied] of copies) {
    const parent = original === source ? toParent : copies.get(original.parent as MemoryNode);
    const name = original === source ? toName : original.name;
    to.attach(copied, parent as MemoryNode, name);
  }
  const root = copies.get(source) as MemoryNode;
  const rev = to.addEvent('create', root, actor, {
    after: { parent: toParent, name: toName },
    copiedFrom: {
      nodeId: source.id, rev: snapshotRev, nodeCount: nodes.length,
      ...(contentRev !== undefined && { spaceId: from.id, contentRev }),
    },
  });
  root.mark = rev;
  to.touch(toParent, rev, actor.at);
  return { result: resultOf(to, root, target === undefined), copies };
}

/** Takes the grants of nodes over to their copies, under their ids. */
function moveGrants(
  { from, to }: { from: MemorySpace; to: MemorySpace },
  copies: ReadonlyMap<MemoryNode, MemoryNode>, { actor, heir }: Move,
): void {
  for (const grant of [...from.grants.values()].toSorted((a, b) => a.id - b.id)) {
    const node = from.nodes.get(grant.nodeId);
    const copied = node && copies.get(node);
    if (copied === undefined) continue;
    removeGrant(from, { op: 'remove-grant', spaceId: from.id, grantId: grant.id, actor });
    const { subject, role, isShown, expiresAt, terms } = grant;
    const change = {
      op: 'put-grant', spaceId: to.id, nodeId: copied.id, subject, role, isShown, expiresAt, terms,
      actor,
    } as const;
    const createdBy = grant.createdBy === heir?.of ? heir.is : grant.createdBy;
    const existing = { ...grant, createdBy };
    writeGrant(to, change, { node: copied, existing, id: grant.id });
  }
}

export function copy(
  spaces: { from: MemorySpace; to: MemorySpace }, change: Copy, takeId: () => NodeId,
): ChangeResult {
  const { from, to } = spaces;
  const { actor, depth } = change;
  const source = live(from, change.nodeId);
  if (from.record.tenant !== to.record.tenant) throw otherTenant();
  if (source.kind === 'mount') throw isMount(source.id);
  const toParent = to.parentFor(change.toParentId);
  const whole = source.kind === 'folder' && depth === 'infinity';
  if (from === to && whole && from.isWithin(toParent, source)) throw cycle(source.id);
  const target = checkTarget(to, source, toParent, change);
  checkLocks(to.lockView, actor, {
    nodes: [toParent.id], trees: target === undefined ? [] : [target.id],
  });
  const nodes = nodesToCopy(from, source, depth);
  const addedBytes = nodes.reduce((sum, node) => sum + node.ownBytes, 0);
  const replacedBytes = target === undefined ? 0 : to.sizeOf(target);
  to.checkQuota(addedBytes - replacedBytes, { at: actor.at });
  if (nodes.length > COPY_NODES_MAX) throw copyTooLarge(COPY_NODES_MAX);
  checkNames(to, source, nodes);
  return copyInto({ ...spaces, source, toParent, target }, change, nodes, takeId).result;
}

/** A copy there and a deletion here. */
export function moveAcross(
  spaces: { from: MemorySpace; to: MemorySpace }, change: Move, takeId: () => NodeId,
): ChangeResult {
  const { from, to } = spaces;
  const { actor } = change;
  const source = live(from, change.nodeId);
  if (from.record.tenant !== to.record.tenant) throw otherTenant();
  if (source.parent === undefined) throw rootStays();
  if (source.kind === 'mount') throw isMount(source.id);
  if (change.expect !== 'absent') from.checkExpected(change.expect, source);
  const toParent = to.parentFor(change.toParentId);
  const target = checkTarget(to, source, toParent, change);
  checkLocks(from.lockView, actor, { nodes: [source.parent.id], trees: [source.id] });
  checkLocks(to.lockView, actor, {
    nodes: [toParent.id], trees: target === undefined ? [] : [target.id],
  });
  const nodes = nodesToCopy(from, source, 'infinity');
  const addedBytes = from.sizeOf(source);
  const replacedBytes = target === undefined ? 0 : to.sizeOf(target);
  to.checkQuota(addedBytes - replacedBytes, {
    at: actor.at, tenantAddedBytes: -replacedBytes,
  });
  if (nodes.length > COPY_NODES_MAX) throw copyTooLarge(COPY_NODES_MAX);
  checkNames(to, source, nodes);
  const moved = change.withGrants === true ? grantCount(from, nodes) : 0;
  if (to.grants.size + moved > GRANTS_PER_SPACE_MAX) throw tooManyGrants(GRANTS_PER_SPACE_MAX);
  const place = { ...spaces, source, toParent, target };
  const { result, copies } = copyInto(place, change, nodes, takeId);
  if (change.withGrants === true) moveGrants(spaces, copies, change);
  from.moveToTrash(source, actor);
  return result;
}
