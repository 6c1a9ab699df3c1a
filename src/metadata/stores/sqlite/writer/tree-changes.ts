/**
 * The changes of files and folders, on SQLite. Each function checks everything first and answers a
 * closure that writes: so a refused change has written nothing, and needs no savepoint.
 */
import { assert } from '../../../../base/assert.ts';
import type { GrantId, NodeId } from '../../../../base/ids.ts';
import { PATH_DEPTH_MAX, canonicalName } from '../../../../base/names.ts';
import type {
  Actor, ChangeResult, Copy, Delete, Expectation, MakeFolder, Move, NewContent, PutFile,
  Restore,
} from '../../../changes.ts';
import { checkLocks, locksWithin } from '../../../lock-rules.ts';
import type { CopyOrigin, EventKind } from '../../../records.ts';
import {
  alreadyThere, changedMeanwhile, cycle, isFolder, isMount, nameClash, parentMissing, rootStays,
  targetExists, tooDeep, trashMissing,
} from '../../../refusals.ts';
import {
  EVENT_KINDS, KIND_FILE, KIND_FOLDER, KIND_MOUNT, NO_PARENT, storedName, toMore,
} from '../rows.ts';
import type { NodeRow } from '../rows.ts';
import type { Chain, FolderState, LiveNode, SpaceState, TreeState } from './tree-state.ts';
import { checkUploadOpen, endUpload } from './upload-changes.ts';

/** Writes a change that was checked. What it throws is unexpected and undoes the whole batch. */
export type Write = () => ChangeResult;

interface EventFacts {
  kind: EventKind;
  nodeId: NodeId;
  nodeKind: number;
  contentRev: number;
  before?: { parentId: number; name: string };
  after?: { parentId: number; name: string };
  copiedFrom?: CopyOrigin;
  grantId?: GrantId;
}

function orNull(parentId: number | undefined): number | null {
  return parentId === undefined || parentId === NO_PARENT ? null : parentId;
}

/** Takes the next revision and notes what happened. */
export function addEvent(
  state: TreeState, space: SpaceState, actor: Actor, facts: EventFacts,
): number {
  const at = state.timeOfEvent(space, actor.at);
  const rev = state.nextRev(space);
  const { before, after, copiedFrom } = facts;
  state.sql.insertEvent.run(
    space.id, rev, EVENT_KINDS.indexOf(facts.kind), facts.nodeId, facts.nodeKind,
    orNull(before?.parentId), orNull(after?.parentId), before?.name ?? null, after?.name ?? null,
    facts.contentRev, actor.user, actor.device, at,
    copiedFrom?.nodeId ?? null, copiedFrom?.rev ?? null, copiedFrom?.nodeCount ?? null,
    actor.batchId ?? null, toMore(facts), actor.from ?? null,
  );
  return rev;
}

export function resultOf(
  state: TreeState, space: SpaceState,
  node: { row: NodeRow; folder?: FolderState | undefined } | undefined, created: boolean,
): ChangeResult {
  const record = node && state.recordOf(space.id, node.row, node.folder);
  return { node: record, created, rev: space.rev, count: 0 };
}

/** The live folder that is to take something, and those above it. */
export function parentsFor(state: TreeState, space: SpaceState, parentId: NodeId): Chain {
  const chain = state.chain(space.id, parentId);
  if (chain === undefined) throw parentMissing(parentId);
  if (chain.length > PATH_DEPTH_MAX) throw tooDeep();
  return chain;
}

export function checkExpected(
  expect: Expectation | undefined, found: { id: NodeId; mark: number } | undefined,
): void {
  if (expect === undefined) return;
  const holds = expect === 'absent' ? found === undefined
    : found?.id === expect.nodeId && found.mark === expect.mark;
  if (!holds) throw changedMeanwhile();
}

export function markOf({ row, folder }: LiveNode): number {
  return folder?.mark ?? row.mark;
}

export function sizeOf({ row, folder }: LiveNode): number {
  return folder?.sizeBytes ?? row.sizeBytes;
}

export function putFile(state: TreeState, change: PutFile): Write {
  const { name, content, actor, parentId, upload } = change;
  const space = state.space(change.spaceId);
  if (upload !== undefined) checkUploadOpen(state.sql, upload);
  const parents = parentsFor(state, space, parentId);
  const canon = canonicalName(name, space.casePolicy);
  const existing = state.child(space.id, parentId, canon);
  if (existing !== undefined && existing.name !== name) throw nameClash(existing.id);
  if (existing !== undefined && existing.kind !== KIND_FILE) throw isFolder(existing.id);
  checkExpected(change.expect, existing);
  checkLocks(state.lockView(space), actor, { nodes: [existing?.id ?? parentId], trees: [] });
  const addedBytes = content.sizeBytes - (existing?.sizeBytes ?? 0);
  const { reservationId, heldId } = change;
  state.quotas.checkRoom(state, space, addedBytes, { at: actor.at, reservationId, heldId });
  if (existing !== undefined && hasContent(state, space, existing, content)) {
    return () => keepContent(state, space, change, { row: existing, parents });
  }
  return () => {
    const row = existing === undefined
      ? insertFile(state, space, change, canon) : overwriteFile(state, space, change, existing);
    state.sql.insertVersion.run(space.id, row.id, row.contentRev, row.sizeBytes, row.modifiedAt,
      row.checksums, content.manifest, actor.at, actor.user);
    state.touch(parents, row.mark, actor.at, addedBytes);
    const created = existing === undefined;
    if (upload !== undefined) endUpload(state.sql, upload, { space, row, created });
    return resultOf(state, space, { row }, created);
  };
}

/** Whether a file has these very bytes already. */
function hasContent(
  state: TreeState, space: SpaceState, { id, contentRev, sizeBytes }: NodeRow, content: NewContent,
): boolean {
  if (sizeBytes !== content.sizeBytes) return false;
  const found = state.sql.getManifest.get(space.id, id, contentRev) as [Uint8Array] | undefined;
  return found !== undefined && Buffer.compare(found[0], content.manifest) === 0;
}

/** The bytes are there already: what is new are the times, and checksums where there are any. */
function keepContent(
  state: TreeState, space: SpaceState, change: PutFile,
  { row: old, parents }: { row: NodeRow; parents: Chain },
): ChangeResult {
  const { actor, upload } = change;
  const { id, parentId, canon, name, contentRev } = old;
  const place = { parentId, name };
  const rev = addEvent(state, space, actor, {
    kind: 'update', nodeId: id, nodeKind: KIND_FILE, contentRev, before: place, after: place,
  });
  const modifiedAt = change.modifiedAt ?? actor.at;
  const createdAt = change.createdAt ?? old.createdAt;
  const checksums = change.content.checksums || old.checksums;
  const row = { ...old, modifiedAt, createdAt, mark: rev, checksums };
  state.sql.closeNode.run(rev, space.id, parentId, canon);
  state.sql.updateContent.run(row.sizeBytes, modifiedAt, createdAt, rev, contentRev, checksums, rev,
    space.id, parentId, canon);
  state.sql.updateVersionTime.run(modifiedAt, space.id, id, contentRev);
  state.sql.updateVersionChecksums.run(checksums, space.id, id, contentRev);
  state.touch(parents, rev, actor.at, 0);
  if (upload !== undefined) endUpload(state.sql, upload, { space, row, created: false });
  return resultOf(state, space, { row }, false);
}

function insertFile(
  state: TreeState, space: SpaceState, change: PutFile, canon: string,
): NodeRow {
  const { name, parentId, actor, content: { sizeBytes, checksums } } = change;
  const id = state.takeNodeIds(1);
  const rev = addEvent(state, space, actor, {
    kind: 'create', nodeId: id, nodeKind: KIND_FILE, contentRev: space.rev + 1,
    after: { parentId, name },
  });
  const modifiedAt = change.modifiedAt ?? actor.at;
  const createdAt = change.createdAt ?? actor.at;
  state.sql.insertNode.run(space.id, parentId, canon, id, storedName(name, canon), KIND_FILE,
    sizeBytes, modifiedAt, createdAt, rev, rev, checksums, rev);
  return {
    id, parentId, canon, name, kind: KIND_FILE, sizeBytes, modifiedAt, createdAt, mark: rev,
    contentRev: rev, checksums,
  };
}

function overwriteFile(
  state: TreeState, space: SpaceState, change: PutFile, old: NodeRow,
): NodeRow {
  const { actor, content: { sizeBytes, checksums } } = change;
  const { parentId, name, canon } = old;
  const rev = addEvent(state, space, actor, {
    kind: 'update', nodeId: old.id, nodeKind: KIND_FILE, contentRev: space.rev + 1,
    before: { parentId, name }, after: { parentId, name },
  });
  const modifiedAt = change.modifiedAt ?? actor.at;
  const createdAt = change.createdAt ?? old.createdAt;
  state.sql.closeNode.run(rev, space.id, parentId, canon);
  state.sql.updateContent.run(sizeBytes, modifiedAt, createdAt, rev, rev, checksums, rev,
    space.id, parentId, canon);
  return { ...old, sizeBytes, modifiedAt, createdAt, mark: rev, contentRev: rev, checksums };
}

export function makeFolder(state: TreeState, change: MakeFolder): Write {
  const { name, actor, parentId } = change;
  const space = state.space(change.spaceId);
  const parents = parentsFor(state, space, parentId);
  const canon = canonicalName(name, space.casePolicy);
  const existing = state.child(space.id, parentId, canon);
  if (existing !== undefined && existing.name !== name) throw nameClash(existing.id);
  if (existing !== undefined) throw alreadyThere(existing.id);
  checkLocks(state.lockView(space), actor, { nodes: [parentId], trees: [] });
  return () => {
    const id = state.takeNodeIds(1);
    const createdAt = change.createdAt ?? actor.at;
    const rev = addEvent(state, space, actor, {
      kind: 'create', nodeId: id, nodeKind: KIND_FOLDER, contentRev: 0, after: { parentId, name },
    });
    const row = insertFolderNode(state, space, {
      id, parentId, canon, name, createdAt, revFrom: rev,
    });
    const figures = { mark: rev, sizeBytes: 0, changedAt: actor.at };
    const folder = state.addFolder(space.id, id, parentId, figures);
    state.touch(parents, rev, actor.at, 0);
    return resultOf(state, space, { row, folder }, true);
  };
}

export function insertFolderNode(
  state: TreeState, space: SpaceState,
  node: Pick<NodeRow, 'id' | 'parentId' | 'canon' | 'name' | 'createdAt'> & { revFrom: number },
): NodeRow {
  const { id, parentId, canon, name, createdAt, revFrom } = node;
  state.sql.insertNode.run(space.id, parentId, canon, id, storedName(name, canon), KIND_FOLDER,
    0, 0, createdAt, 0, 0, '', revFrom);
  return {
    id, parentId, canon, name, kind: KIND_FOLDER, sizeBytes: 0, modifiedAt: 0, createdAt, mark: 0,
    contentRev: 0, checksums: '',
  };
}

/** What stands at the target of a move or copy and has to make way; undefined: nothing. */
export function checkTarget(
  state: TreeState, space: SpaceState, source: LiveNode, change: Move | Copy,
): LiveNode | undefined {
  const { toParentId, toName } = change;
  const canon = canonicalName(toName, space.casePolicy);
  const row = state.child(space.id, toParentId, canon);
  if (row === undefined) return undefined;
  if (row.id === source.row.id && change.op === 'move') {
    if (row.name === toName) throw cycle(row.id);
    return undefined;
  }
  if (row.name !== toName) throw nameClash(row.id);
  const holdsSource = row.id === source.row.id
    || source.parents.some((folder) => folder.id === row.id);
  if (holdsSource) throw cycle(source.row.id);
  if (!change.replace || (change.op === 'move' && change.expect === 'absent')) {
    throw targetExists(row.id);
  }
  if (row.kind === KIND_MOUNT) throw isMount(row.id);
  return state.findLiveRow(space.id, row);
}

/** Drops all locks on a node and below it: they do not outlive its move or its end. */
export function dropLocksWithin(state: TreeState, space: SpaceState, nodeId: NodeId): void {
  if (state.locks(space).length === 0) return;
  const gone = new Set(locksWithin(state.lockView(space), nodeId));
  for (const lock of gone) state.sql.deleteLock.run(space.id, lock.token);
  space.locks = state.locks(space).filter((lock) => !gone.has(lock));
}

/** Closes a live node's row and notes it in the trash. What is below it stays as it is. */
export function moveToTrash(
  state: TreeState, space: SpaceState, node: LiveNode, actor: Actor,
): void {
  const { row, folder, parents } = node;
  const { id, parentId, canon, name, kind } = row;
  const sizeBytes = sizeOf(node);
  dropLocksWithin(state, space, id);
  const rev = addEvent(state, space, actor, {
    kind: 'delete', nodeId: id, nodeKind: kind, contentRev: row.contentRev,
    before: { parentId, name },
  });
  state.sql.closeNode.run(rev, space.id, parentId, canon);
  state.sql.deleteNode.run(space.id, parentId, canon);
  state.sql.insertTrash.run(space.id, rev, id, parentId, name, kind, sizeBytes, row.contentRev,
    actor.at, actor.user);
  if (folder !== undefined) {
    state.detachFolder(folder);
    space.foldersRev = rev;
  }
  state.touch(parents, rev, actor.at, -sizeBytes);
}

export function move(state: TreeState, change: Move): Write {
  const { actor, toParentId, toName, expect } = change;
  const space = state.space(change.spaceId);
  const source = state.live(space.id, change.nodeId);
  if (expect !== 'absent') {
    checkExpected(expect, { id: source.row.id, mark: markOf(source) });
  }
  const toParents = parentsFor(state, space, toParentId);
  if (toParents.some((folder) => folder.id === source.row.id)) throw cycle(source.row.id);
  const target = checkTarget(state, space, source, change);
  const fromParent = source.parents[0];
  checkLocks(state.lockView(space), actor, {
    nodes: [...(fromParent ? [fromParent.id] : []), toParentId],
    trees: [source.row.id, ...(target ? [target.row.id] : [])],
  });
  return () => {
    if (target !== undefined) moveToTrash(state, space, target, actor);
    const { row, folder, parents } = source;
    dropLocksWithin(state, space, row.id);
    const rev = addEvent(state, space, actor, {
      kind: 'move', nodeId: row.id, nodeKind: row.kind, contentRev: row.contentRev,
      before: { parentId: row.parentId, name: row.name },
      after: { parentId: toParentId, name: toName },
    });
    const canon = canonicalName(toName, space.casePolicy);
    state.sql.closeNode.run(rev, space.id, row.parentId, row.canon);
    state.sql.updatePlace.run(toParentId, canon, storedName(toName, canon), rev,
      space.id, row.parentId, row.canon);
    if (folder !== undefined) {
      state.placeFolder(space.id, row.id, toParentId);
      space.foldersRev = rev;
    }
    const sizeBytes = sizeOf(source);
    state.touch(parents, rev, actor.at, -sizeBytes);
    state.touch(toParents, rev, actor.at, sizeBytes);
    const moved = { ...row, parentId: toParentId, canon, name: toName };
    return resultOf(state, space, { row: moved, folder }, target === undefined);
  };
}

export function deleteNode(state: TreeState, change: Delete): Write {
  const { actor } = change;
  const space = state.space(change.spaceId);
  const node = state.live(space.id, change.nodeId);
  const [parent] = node.parents;
  if (parent === undefined) throw rootStays();
  if (node.row.kind === KIND_MOUNT) throw isMount(node.row.id);
  checkExpected(change.expect, { id: node.row.id, mark: markOf(node) });
  checkLocks(state.lockView(space), actor, { nodes: [parent.id], trees: [node.row.id] });
  return () => {
    moveToTrash(state, space, node, actor);
    return resultOf(state, space, undefined, false);
  };
}

export function restore(state: TreeState, change: Restore): Write {
  const { actor, nodeId, deletedRev, toParentId, toName } = change;
  const space = state.space(change.spaceId);
  const entry = state.sql.getTrash.get(space.id, deletedRev) as
    [number, number, number, number, number] | undefined;
  if (entry === undefined || entry[0] !== nodeId) throw trashMissing(nodeId);
  const [, , kind, sizeBytes, contentRev] = entry;
  const parents = parentsFor(state, space, toParentId);
  const canon = canonicalName(toName, space.casePolicy);
  const existing = state.child(space.id, toParentId, canon);
  if (existing !== undefined && existing.name !== toName) throw nameClash(existing.id);
  if (existing !== undefined) throw alreadyThere(existing.id);
  checkLocks(state.lockView(space), actor, { nodes: [toParentId], trees: [] });
  state.quotas.checkRoom(state, space, sizeBytes, { at: actor.at });
  return () => {
    const rev = addEvent(state, space, actor, {
      kind: 'restore', nodeId, nodeKind: kind, contentRev,
      after: { parentId: toParentId, name: toName },
    });
    state.sql.reviveNode.run(toParentId, canon, storedName(toName, canon), rev,
      space.id, nodeId, deletedRev, deletedRev);
    state.sql.deleteTrash.run(space.id, deletedRev);
    const row = state.node(space.id, nodeId);
    assert(row !== undefined, 'a restored node is in its place');
    const folder = kind === KIND_FOLDER
      ? state.placeFolder(space.id, nodeId, toParentId) : undefined;
    if (folder !== undefined) space.foldersRev = rev;
    state.touch(parents, rev, actor.at, sizeBytes);
    return resultOf(state, space, { row, folder }, true);
  };
}
