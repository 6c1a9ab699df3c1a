/** The changes of quarantines, on SQLite. The tree is read here and never written. */
import type { NodeId } from '../../../../base/ids.ts';
import type { ChangeResult, Delete, PutFile } from '../../../changes.ts';
import {
  HELD_AT_ONCE_MAX, HELD_PER_QUARANTINE_MAX, heldContentRev, isLiveQuarantine,
} from '../../../holds.ts';
import type {
  DecideQuarantine, DropHeld, EndKeep, HeldContent, Hold, OpenQuarantine, QuarantineState,
} from '../../../holds.ts';
import { checkLocks } from '../../../lock-rules.ts';
import {
  heldFull, heldMissing, isFolder, isMount, quarantineDecided, quarantineMissing, quarantineOpen,
  rootStays, tooManyHeld,
} from '../../../refusals.ts';
import { KIND_FILE, KIND_MOUNT } from '../rows.ts';
import { beginBatch, noteBatch } from './batch-changes.ts';
import { checkExpected, markOf, resultOf, sizeOf } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { LiveNode, SpaceState, TreeState } from './tree-state.ts';
import { checkUploadOpen, endUpload } from './upload-changes.ts';

interface Quarantine {
  id: number;
  state: QuarantineState;
  heldCount: number;
  heldBytes: number;
  batchId: number | null;
  user: string;
  deviceKey: string;
}

interface HeldRow {
  id: number;
  kind: 'deleted' | 'content';
  sizeBytes: number;
  baseContentRev: number;
}

function quarantineOf(
  state: TreeState, { spaceId, quarantineId }: { spaceId: number; quarantineId: number },
): Quarantine {
  const row = state.sql.getQuarantine.get(quarantineId) as
    [number, QuarantineState, number, number, number | null, string, string] | undefined;
  if (row === undefined || row[0] !== spaceId) throw quarantineMissing(quarantineId);
  const [, now, heldCount, heldBytes, batchId, user, deviceKey] = row;
  return { id: quarantineId, state: now, heldCount, heldBytes, batchId, user, deviceKey };
}

function findHeld(state: TreeState, { id }: Quarantine, nodeId: NodeId): HeldRow | undefined {
  const row = state.sql.findHeld.get(id, nodeId) as
    [number, HeldRow['kind'], number, number] | undefined;
  return row && { id: row[0], kind: row[1], sizeBytes: row[2], baseContentRev: row[3] };
}

/** Only contents take room. */
function bytesOf(held: Pick<HeldRow, 'kind' | 'sizeBytes'> | undefined): number {
  return held?.kind === 'content' ? held.sizeBytes : 0;
}

function answer(space: SpaceState, count: number, created = false): ChangeResult {
  return { node: undefined, created, rev: space.rev, count };
}

function takeId(state: TreeState, name: string, count = 1): number {
  const [first] = state.sql.getMeta.get(name) as [number];
  state.sql.setMeta.run(first + count, name);
  return first;
}

/** The one that holds what a device does in a space. */
function findLive(
  { sql }: TreeState, { id }: SpaceState,
  { user, deviceKey }: Pick<Quarantine, 'user' | 'deviceKey'>,
): number | undefined {
  return (sql.findQuarantine.get(id, user, deviceKey) as [number] | undefined)?.[0];
}

export function openQuarantine(state: TreeState, change: OpenQuarantine): Write {
  const { deviceKey, actor } = change;
  const space = state.space(change.spaceId);
  const there = findLive(state, space, { user: actor.user, deviceKey });
  return () => {
    if (there !== undefined) return answer(space, there);
    const id = takeId(state, 'next_quarantine_id');
    state.sql.insertQuarantine.run(id, space.id, actor.user, deviceKey, actor.device, actor.at,
      space.rev);
    return answer(space, id, true);
  };
}

/** What the device sees of a node: held content has a mark of its own. */
function checkAsSeen(
  state: TreeState, quarantine: Quarantine, { expect }: Hold, node: LiveNode | undefined,
): void {
  if (expect === undefined) return;
  const held = node && findHeld(state, quarantine, node.row.id);
  const isSeen = node !== undefined && held?.kind !== 'deleted';
  checkExpected(expect, isSeen ? {
    id: node.row.id, mark: held === undefined ? markOf(node) : heldContentRev(held.id),
  } : undefined);
}

function deletable(state: TreeState, space: SpaceState, nodeId: NodeId, { actor }: Hold): LiveNode {
  const node = state.live(space.id, nodeId);
  const [parent] = node.parents;
  if (parent === undefined) throw rootStays();
  if (node.row.kind === KIND_MOUNT) throw isMount(nodeId);
  checkLocks(state.lockView(space), actor, { nodes: [parent.id], trees: [nodeId] });
  return node;
}

function writable(
  state: TreeState, space: SpaceState, { nodeId }: HeldContent, { actor }: Hold,
): LiveNode {
  const node = state.live(space.id, nodeId);
  if (node.row.kind !== KIND_FILE) throw isFolder(nodeId);
  checkLocks(state.lockView(space), actor, { nodes: [nodeId], trees: [] });
  return node;
}

export function hold(state: TreeState, change: Hold): Write {
  const { deleted, released, upload, actor, reservationId } = change;
  const space = state.space(change.spaceId);
  const quarantine = quarantineOf(state, change);
  if (!isLiveQuarantine(quarantine.state)) throw quarantineDecided();
  const count = deleted.length + (change.file === undefined ? 0 : 1);
  if (count + released.length > HELD_AT_ONCE_MAX) throw tooManyHeld(HELD_AT_ONCE_MAX);
  if (quarantine.heldCount + count > HELD_PER_QUARANTINE_MAX) throw heldFull();
  if (upload !== undefined) checkUploadOpen(state.sql, upload);
  const file = change.file && writable(state, space, change.file, change);
  const nodes = deleted.map((nodeId) => deletable(state, space, nodeId, change));
  checkAsSeen(state, quarantine, change, file ?? nodes[0]);
  if (change.file !== undefined) {
    const { nodeId, content } = change.file;
    const addedBytes = content.sizeBytes - bytesOf(findHeld(state, quarantine, nodeId));
    state.quotas.checkRoom(state, space, addedBytes, { at: actor.at, reservationId });
  }
  return () => {
    const keeper = new Keeper(state, space, quarantine);
    for (const nodeId of released) keeper.release(nodeId);
    const firstId = takeId(state, 'next_held_id', count);
    let id = firstId;
    if (file !== undefined) {
      keeper.put(id, file, { at: actor.at, held: change.file });
      if (upload !== undefined) {
        const row = { ...file.row, mark: heldContentRev(id) };
        endUpload(state.sql, upload, { space, row, created: false });
      }
      id += 1;
    }
    for (const node of nodes) {
      keeper.put(id, node, { at: actor.at, held: undefined });
      id += 1;
    }
    keeper.close();
    return { ...resultOf(state, space, file, false), count: firstId };
  };
}

/** Writes what is held, and adds up what that changes in the quarantine's figures. */
class Keeper {
  readonly #state: TreeState;
  readonly #space: SpaceState;
  readonly #quarantine: Quarantine;
  #addedCount = 0;
  #addedBytes = 0;

  constructor(state: TreeState, space: SpaceState, quarantine: Quarantine) {
    this.#state = state;
    this.#space = space;
    this.#quarantine = quarantine;
  }

  release(nodeId: NodeId): HeldRow | undefined {
    const held = findHeld(this.#state, this.#quarantine, nodeId);
    if (held !== undefined) this.remove(held);
    return held;
  }

  remove(held: Pick<HeldRow, 'id' | 'kind' | 'sizeBytes'>): void {
    this.#state.sql.deleteHeld.run(held.id);
    this.#addedCount -= 1;
    this.#addedBytes -= bytesOf(held);
  }

  put(
    id: number, node: LiveNode, { at, held }: { at: number; held: HeldContent | undefined },
  ): void {
    const { row } = node;
    const before = this.release(row.id);
    const bytes = held?.content;
    const sizeBytes = bytes?.sizeBytes ?? sizeOf(node);
    // The device goes on from what it saw last, which is not what others have made of it since.
    const baseContentRev = before?.baseContentRev ?? row.contentRev;
    this.#state.sql.insertHeld.run(id, this.#quarantine.id, row.id,
      bytes === undefined ? 'deleted' : 'content', row.kind, row.parentId, row.name,
      this.#space.rev, baseContentRev, at, sizeBytes, held?.modifiedAt ?? at,
      bytes?.checksums ?? '', bytes?.manifest ?? null);
    this.#addedCount += 1;
    this.#addedBytes += bytes?.sizeBytes ?? 0;
  }

  close(): void {
    this.#state.sql.noteHeld.run(this.#addedCount, this.#addedBytes, this.#quarantine.id);
    if (!isLiveQuarantine(this.#quarantine.state)) return;
    this.#state.quotas.noteHeld(this.#space.id, this.#addedBytes);
  }
}

export function decideQuarantine(state: TreeState, change: DecideQuarantine): Write {
  const { decision, actor, spaceId } = change;
  const space = state.space(spaceId);
  const quarantine = quarantineOf(state, change);
  const { state: was, heldCount, heldBytes } = quarantine;
  const isAfterAll = decision === 'keep' && was === 'undone' && heldCount > 0;
  if (was !== 'open' && !isAfterAll) throw quarantineDecided();
  if (isAfterAll && findLive(state, space, quarantine) !== undefined) throw quarantineOpen();
  const begin = decision === 'undo' ? undefined : beginBatch(state, {
    op: 'begin-batch', spaceId, kind: 'keep', nodeId: space.rootId, asOf: space.rev,
    undoes: undefined, withSharing: false, actor,
  });
  return () => {
    const batchId = begin?.().count ?? 0;
    state.sql.decideQuarantine.run(begin === undefined ? 'undone' : 'keeping', batchId || null,
      actor.user, actor.at, quarantine.id);
    if (isAfterAll) state.quotas.noteHeld(space.id, heldBytes);
    if (begin === undefined) state.quotas.noteHeld(space.id, -heldBytes);
    return answer(space, batchId);
  };
}

export function endKeep(state: TreeState, change: EndKeep): Write {
  const { doneCount, skippedCount, at } = change;
  const space = state.space(change.spaceId);
  const { id, batchId, heldCount, state: was } = quarantineOf(state, change);
  if (was !== 'keeping' || batchId === null) return () => answer(space, heldCount);
  const note = noteBatch(state, {
    op: 'note-batch', batchId, doneCount, skippedCount, isDone: true, at,
  });
  return () => {
    note();
    state.sql.setQuarantineState.run(heldCount === 0 ? 'kept' : 'open', id);
    return answer(space, heldCount);
  };
}

export function dropHeld(state: TreeState, change: DropHeld): Write {
  const { heldIds, ifUndone } = change;
  const space = state.space(change.spaceId);
  const quarantine = quarantineOf(state, change);
  if (ifUndone && quarantine.state !== 'undone') return () => answer(space, 0);
  if (heldIds.length > HELD_AT_ONCE_MAX) throw tooManyHeld(HELD_AT_ONCE_MAX);
  return () => {
    const keeper = new Keeper(state, space, quarantine);
    let count = 0;
    for (const id of heldIds) {
      const held = getHeld(state, id);
      if (held?.quarantineId !== quarantine.id) continue;
      keeper.remove(held);
      count += 1;
    }
    keeper.close();
    return answer(space, count);
  };
}

function getHeld(
  state: TreeState, id: number,
): Pick<HeldRow, 'id' | 'kind' | 'sizeBytes'> & { quarantineId: number } | undefined {
  const row = state.sql.getHeld.get(id) as
    [number, NodeId, HeldRow['kind'], number] | undefined;
  return row && { id, quarantineId: row[0], kind: row[2], sizeBytes: row[3] };
}

/** What was held is made by this change: it is not held any more, in the same transaction.
 *  @throws not-found `held-missing`; and what `check` throws. */
export function making(
  state: TreeState, change: PutFile | Delete, check: () => Write,
): Write {
  const { heldId, spaceId } = change;
  if (heldId === undefined) return check();
  const held = getHeld(state, heldId);
  if (held === undefined) throw heldMissing();
  const space = state.space(spaceId);
  const quarantine = quarantineOf(state, { spaceId, quarantineId: held.quarantineId });
  if (!isLiveQuarantine(quarantine.state)) throw heldMissing();
  const write = check();
  return () => {
    const keeper = new Keeper(state, space, quarantine);
    keeper.remove(held);
    keeper.close();
    return write();
  };
}
