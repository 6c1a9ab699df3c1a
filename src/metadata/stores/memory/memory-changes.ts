/** The changes of a tree, on the in-memory model. Each checks everything before it changes. */
import type { NodeId } from '../../../base/ids.ts';
import type {
  ChangeResult, Copy, Delete, MakeFolder, Move, PutFile, Restore, SetChecksums, SetProperties,
  SetTimes,
} from '../../changes.ts';
import { changedProperties } from '../../dead-properties.ts';
import { checkLocks } from '../../lock-rules.ts';
import {
  alreadyThere, contentChanged, cycle, isFolder, isMount, nameClash, nodeMissing, rootStays,
  targetExists, trashMissing,
} from '../../refusals.ts';
import { newNode } from './memory-space.ts';
import type { MemoryNode, MemorySpace } from './memory-space.ts';

export function live(space: MemorySpace, id: NodeId): MemoryNode {
  const node = space.findLive(id);
  if (node === undefined) throw nodeMissing(id);
  return node;
}

export function resultOf(
  space: MemorySpace, node: MemoryNode | undefined, created: boolean,
): ChangeResult {
  const record = node === undefined ? undefined : space.recordOf(node);
  return { node: record, created, rev: space.record.rev, count: 0 };
}

export function putFile(
  space: MemorySpace, change: PutFile, takeId: () => NodeId,
): ChangeResult {
  const { name, content, actor } = change;
  const parent = space.parentFor(change.parentId);
  const existing = parent.members.get(space.canon(name));
  if (existing !== undefined && existing.name !== name) throw nameClash(existing.id);
  if (existing !== undefined && existing.kind !== 'file') throw isFolder(existing.id);
  space.checkExpected(change.expect, existing);
  checkLocks(space.lockView, actor, { nodes: [existing?.id ?? parent.id], trees: [] });
  const { reservationId } = change;
  space.checkQuota(content.sizeBytes - (existing?.ownBytes ?? 0), { at: actor.at, reservationId });
  const node = existing ?? newNode({
    id: takeId(), parent, name, canon: space.canon(name), kind: 'file', createdAt: actor.at,
  });
  if (reservationId !== undefined) space.reservations.delete(reservationId);
  const current = existing?.versions.find((each) => each.contentRev === existing.contentRev);
  const isSame = current?.sizeBytes === content.sizeBytes
    && Buffer.compare(current.manifest, content.manifest) === 0;
  if (existing !== undefined && isSame) return keepContent(space, existing, change);
  const rev = space.record.rev + 1;
  node.ownBytes = content.sizeBytes;
  node.modifiedAt = change.modifiedAt ?? actor.at;
  node.createdAt = change.createdAt ?? node.createdAt;
  node.checksums = content.checksums;
  node.contentRev = rev;
  node.mark = rev;
  node.versions.push({
    spaceId: space.id, nodeId: node.id, contentRev: rev, sizeBytes: node.ownBytes,
    modifiedAt: node.modifiedAt, checksums: node.checksums,
    manifest: Uint8Array.from(content.manifest), savedAt: actor.at, savedBy: actor.user,
  });
  space.attach(node, parent, name);
  const place = { parent, name };
  space.addEvent(existing ? 'update' : 'create', node, actor, {
    ...(existing && { before: place }), after: place,
  });
  space.touch(parent, rev, actor.at);
  return resultOf(space, node, existing === undefined);
}

/** The bytes are there already: what is new are the times, and checksums where there are any. */
function keepContent(space: MemorySpace, node: MemoryNode, change: PutFile): ChangeResult {
  const { actor, content: { checksums } } = change;
  node.modifiedAt = change.modifiedAt ?? actor.at;
  node.createdAt = change.createdAt ?? node.createdAt;
  node.checksums = checksums || node.checksums;
  const current = node.versions.find((version) => version.contentRev === node.contentRev);
  if (current !== undefined) {
    current.modifiedAt = node.modifiedAt;
    current.checksums = node.checksums;
  }
  const place = { parent: node.parent, name: node.name };
  node.mark = space.addEvent('update', node, actor, { before: place, after: place });
  space.touch(node.parent, node.mark, actor.at);
  return resultOf(space, node, false);
}

export function makeFolder(
  space: MemorySpace, change: MakeFolder, takeId: () => NodeId,
): ChangeResult {
  const { name, actor } = change;
  const parent = space.parentFor(change.parentId);
  const existing = parent.members.get(space.canon(name));
  if (existing !== undefined && existing.name !== name) throw nameClash(existing.id);
  if (existing !== undefined) throw alreadyThere(existing.id);
  checkLocks(space.lockView, actor, { nodes: [parent.id], trees: [] });
  const createdAt = change.createdAt ?? actor.at;
  const node = newNode({
    id: takeId(), parent, name, canon: space.canon(name), kind: 'folder', createdAt,
  });
  space.attach(node, parent, name);
  const rev = space.addEvent('create', node, actor, { after: { parent, name } });
  space.touch(node, rev, actor.at);
  return resultOf(space, node, true);
}

/** What stands at the target of a move or copy and has to make way; undefined: nothing. */
export function checkTarget(
  space: MemorySpace, node: MemoryNode, parent: MemoryNode, change: Move | Copy,
): MemoryNode | undefined {
  const target = parent.members.get(space.canon(change.toName));
  if (target === undefined) return undefined;
  if (target === node && change.op === 'move') {
    if (target.name === change.toName) throw cycle(node.id);
    return undefined;
  }
  if (target.name !== change.toName) throw nameClash(target.id);
  if (space.isWithin(node, target)) throw cycle(node.id);
  if (!change.replace || (change.op === 'move' && change.expect === 'absent')) {
    throw targetExists(target.id);
  }
  if (target.kind === 'mount') throw isMount(target.id);
  return target;
}

export function move(space: MemorySpace, change: Move): ChangeResult {
  const { actor, toName } = change;
  const node = live(space, change.nodeId);
  if (change.expect !== 'absent') space.checkExpected(change.expect, node);
  const toParent = space.parentFor(change.toParentId);
  if (space.isWithin(toParent, node)) throw cycle(node.id);
  const target = checkTarget(space, node, toParent, change);
  const from = { parent: node.parent, name: node.name };
  const fromIds = from.parent === undefined ? [] : [from.parent.id];
  checkLocks(space.lockView, actor, {
    nodes: [...fromIds, toParent.id], trees: [node.id, ...(target ? [target.id] : [])],
  });
  if (target !== undefined) space.moveToTrash(target, actor);
  space.dropLocksWithin(node);
  space.detach(node);
  space.attach(node, toParent, toName);
  const rev = space.addEvent('move', node, actor, {
    before: from, after: { parent: toParent, name: toName },
  });
  space.touch(from.parent, rev, actor.at);
  space.touch(toParent, rev, actor.at);
  return resultOf(space, node, target === undefined);
}

export function deleteNode(space: MemorySpace, change: Delete): ChangeResult {
  const node = live(space, change.nodeId);
  if (node.parent === undefined) throw rootStays();
  if (node.kind === 'mount') throw isMount(node.id);
  space.checkExpected(change.expect, node);
  checkLocks(space.lockView, change.actor, { nodes: [node.parent.id], trees: [node.id] });
  space.moveToTrash(node, change.actor);
  return resultOf(space, undefined, false);
}

export function restore(space: MemorySpace, change: Restore): ChangeResult {
  const { actor, toName } = change;
  const entry = space.trash.find(({ record }) =>
    record.nodeId === change.nodeId && record.deletedRev === change.deletedRev);
  if (entry === undefined) throw trashMissing(change.nodeId);
  const toParent = space.parentFor(change.toParentId);
  const existing = toParent.members.get(space.canon(toName));
  if (existing !== undefined && existing.name !== toName) throw nameClash(existing.id);
  if (existing !== undefined) throw alreadyThere(existing.id);
  checkLocks(space.lockView, actor, { nodes: [toParent.id], trees: [] });
  space.checkQuota(space.sizeOf(entry.node), { at: actor.at });
  space.trash = space.trash.filter((other) => other !== entry);
  space.attach(entry.node, toParent, toName);
  const rev = space.addEvent('restore', entry.node, actor, {
    after: { parent: toParent, name: toName },
  });
  space.touch(toParent, rev, actor.at);
  return resultOf(space, entry.node, true);
}

export function setTimes(space: MemorySpace, change: SetTimes): ChangeResult {
  const { actor } = change;
  const node = live(space, change.nodeId);
  if (node.kind === 'mount') throw isMount(node.id);
  checkLocks(space.lockView, actor, { nodes: [node.id], trees: [] });
  const place = { parent: node.parent, name: node.name };
  node.modifiedAt = change.modifiedAt ?? node.modifiedAt;
  node.createdAt = change.createdAt ?? node.createdAt;
  const current = node.versions.find((version) => version.contentRev === node.contentRev);
  if (current !== undefined) current.modifiedAt = node.modifiedAt;
  node.mark = space.addEvent('update', node, actor, { before: place, after: place });
  space.touch(node.parent, node.mark, actor.at);
  return resultOf(space, node, false);
}

export function setChecksums(space: MemorySpace, change: SetChecksums): ChangeResult {
  const node = live(space, change.nodeId);
  const version = node.versions.find((each) => each.contentRev === change.contentRev);
  if (version === undefined || node.contentRev !== change.contentRev) throw contentChanged(node.id);
  node.checksums = change.checksums;
  version.checksums = change.checksums;
  const state = node.history.at(-1);
  if (state !== undefined) state.checksums = change.checksums;
  return resultOf(space, node, false);
}

export function setProperties(space: MemorySpace, change: SetProperties): ChangeResult {
  const { actor } = change;
  const node = live(space, change.nodeId);
  checkLocks(space.lockView, actor, { nodes: [node.id], trees: [] });
  node.properties = changedProperties(node.properties, change);
  const place = { parent: node.parent, name: node.name };
  space.addEvent('properties', node, actor, { before: place, after: place });
  return resultOf(space, node, false);
}
