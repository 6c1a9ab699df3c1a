/** Quarantines of the in-memory model. Each change checks everything before it changes. */
import { unreachable } from '../../../base/assert.ts';
import type { NodeId } from '../../../base/ids.ts';
import type { ChangeResult, Delete, PutFile } from '../../changes.ts';
import {
  HELD_AT_ONCE_MAX, HELD_PER_QUARANTINE_MAX, heldContentRev, isLiveQuarantine,
} from '../../holds.ts';
import type {
  DecideQuarantine, DropHeld, EndKeep, HeldRecord, Hold, HoldChange, OlderFilesBounds,
  OpenQuarantine, QuarantineRecord, QuarantineState,
} from '../../holds.ts';
import { checkLocks } from '../../lock-rules.ts';
import type { ManifestRecord, VersionRecord } from '../../records.ts';
import {
  heldFull, heldMissing, isFolder, isMount, quarantineDecided, quarantineMissing, quarantineOpen,
  rootStays, tooManyHeld,
} from '../../refusals.ts';
import type { MemoryBatches } from './memory-batches.ts';
import { live, resultOf } from './memory-changes.ts';
import type { MemoryNode, MemorySpace } from './memory-space.ts';
import type { MemoryUploads } from './memory-uploads.ts';

interface MemoryHeld {
  record: HeldRecord;
  manifest: Uint8Array | undefined;
}

export class MemoryHolds {
  readonly #quarantines: QuarantineRecord[] = [];
  #held: MemoryHeld[] = [];
  readonly #firstId: number;
  #lastHeldId: number;
  readonly #batches: MemoryBatches;
  readonly #uploads: MemoryUploads;

  constructor(batches: MemoryBatches, uploads: MemoryUploads, firstId: number) {
    this.#firstId = firstId;
    this.#lastHeldId = firstId - 1;
    this.#batches = batches;
    this.#uploads = uploads;
  }

  find(id: number): QuarantineRecord | undefined {
    return structuredClone(this.#quarantines.find((each) => each.id === id));
  }

  list(state: QuarantineState | undefined, limit: number, before: number): QuarantineRecord[] {
    return structuredClone(this.#quarantines.filter((each) => each.id < before
      && (state === undefined || each.state === state)).toReversed().slice(0, limit));
  }

  listHeld(quarantineId: number, limit: number, after: number): HeldRecord[] {
    return structuredClone(this.#held.map(({ record }) => record)
      .filter((each) => each.quarantineId === quarantineId && each.id > after).slice(0, limit));
  }

  /** `contentRev` as heldContentRev made it. */
  versionsOf({ id: spaceId }: MemorySpace, nodeId: NodeId, contentRev: number): VersionRecord[] {
    return this.#held.flatMap(({ record, manifest }): VersionRecord[] => {
      const quarantine = this.#quarantines.find(({ id }) => id === record.quarantineId);
      const isIt = record.id === -contentRev && record.nodeId === nodeId
        && quarantine?.spaceId === spaceId;
      if (!isIt || manifest === undefined) return [];
      const { sizeBytes, modifiedAt, checksums, heldAt: savedAt } = record;
      return [{
        spaceId, nodeId, contentRev, sizeBytes, modifiedAt, checksums, savedAt,
        savedBy: quarantine.user, manifest: Uint8Array.from(manifest),
      }];
    });
  }

  manifests(): ManifestRecord[] {
    return this.#held.flatMap(({ record, manifest }): ManifestRecord[] =>
      (manifest === undefined ? [] : [{ place: { kind: 'held', heldId: record.id }, manifest }]));
  }

  apply(change: HoldChange, space: MemorySpace): ChangeResult {
    switch (change.op) {
      case 'open-quarantine': return this.#open(change, space);
      case 'hold': return this.#hold(change, space);
      case 'decide-quarantine': return this.#decide(change, space);
      case 'end-keep': return this.#endKeep(change, space);
      case 'drop-held': return this.#drop(change, space);
      default: return unreachable(change);
    }
  }

  #get({ spaceId, quarantineId }: { spaceId: number; quarantineId: number }): QuarantineRecord {
    const found = this.#quarantines.find(({ id }) => id === quarantineId);
    if (found?.spaceId !== spaceId) throw quarantineMissing(quarantineId);
    return found;
  }

  #findHeld(quarantine: QuarantineRecord, nodeId: NodeId): HeldRecord | undefined {
    return this.#held.find(({ record }) =>
      record.quarantineId === quarantine.id && record.nodeId === nodeId)?.record;
  }

  #findLive(
    { spaceId, user, deviceKey }: Pick<QuarantineRecord, 'spaceId' | 'user' | 'deviceKey'>,
  ): QuarantineRecord | undefined {
    return this.#quarantines.find((each) => each.spaceId === spaceId && each.user === user
      && each.deviceKey === deviceKey && isLiveQuarantine(each.state));
  }

  #open(
    { spaceId, deviceKey, actor: { user, device, at } }: OpenQuarantine, space: MemorySpace,
  ): ChangeResult {
    const there = this.#findLive({ spaceId, user, deviceKey });
    if (there !== undefined) return { ...resultOf(space, undefined, false), count: there.id };
    const id = this.#firstId + this.#quarantines.length;
    this.#quarantines.push({
      id, spaceId, user, deviceKey, device, state: 'open', openedAt: at,
      openedRev: space.record.rev, viewRev: 1, heldCount: 0, heldBytes: 0, batchId: undefined,
      decidedBy: undefined, decidedAt: undefined,
    });
    return { ...resultOf(space, undefined, true), count: id };
  }

  #hold(change: Hold, space: MemorySpace): ChangeResult {
    const { deleted, released, upload, actor, reservationId } = change;
    const quarantine = this.#get(change);
    if (!isLiveQuarantine(quarantine.state)) throw quarantineDecided();
    const count = deleted.length + (change.file === undefined ? 0 : 1);
    if (count + released.length > HELD_AT_ONCE_MAX) throw tooManyHeld(HELD_AT_ONCE_MAX);
    if (quarantine.heldCount + count > HELD_PER_QUARANTINE_MAX) throw heldFull();
    if (upload !== undefined) this.#uploads.checkOpen(upload.owner, upload.uploadId);
    const file = change.file && writable(space, change.file.nodeId, change);
    const nodes = deleted.map((nodeId) => deletable(space, nodeId, change));
    this.#checkAsSeen(space, quarantine, change, file ?? nodes[0]);
    if (change.file !== undefined) {
      const { nodeId, content } = change.file;
      const addedBytes = content.sizeBytes - bytesOf(this.#findHeld(quarantine, nodeId));
      space.checkQuota(addedBytes, { at: actor.at, reservationId });
    }
    for (const nodeId of released) this.#remove(space, this.#findHeld(quarantine, nodeId));
    const firstId = this.#lastHeldId + 1;
    if (file !== undefined) {
      this.#put(space, quarantine, file, change);
      if (upload !== undefined) {
        this.#uploads.end(upload.owner, upload.uploadId, {
          spaceId: space.id, nodeId: file.id, mark: heldContentRev(firstId), created: false,
        });
      }
    }
    for (const node of nodes) {
      this.#put(space, quarantine, node, { ...change, file: undefined });
    }
    if (reservationId !== undefined) space.reservations.delete(reservationId);
    quarantine.viewRev += 1;
    return { ...resultOf(space, file, false), count: firstId };
  }

  #checkAsSeen(
    space: MemorySpace, quarantine: QuarantineRecord, { expect }: Hold,
    node: MemoryNode | undefined,
  ): void {
    const held = node && this.#findHeld(quarantine, node.id);
    if (node === undefined || held?.kind === 'deleted') {
      space.checkExpected(expect, undefined);
    } else {
      space.checkExpected(expect, held === undefined ? node
        : { ...node, mark: heldContentRev(held.id) });
    }
  }

  #put(
    space: MemorySpace, quarantine: QuarantineRecord, node: MemoryNode,
    { file, actor: { at } }: { file?: Hold['file'] | undefined; actor: Hold['actor'] },
  ): void {
    const before = this.#findHeld(quarantine, node.id);
    this.#remove(space, before);
    this.#lastHeldId += 1;
    const { name, kind, parent } = node;
    const bytes = file?.content;
    const record: HeldRecord = {
      id: this.#lastHeldId, quarantineId: quarantine.id, nodeId: node.id,
      kind: bytes === undefined ? 'deleted' : 'content', nodeKind: kind,
      parentId: parent?.id ?? node.id, name, baseRev: space.record.rev,
      baseContentRev: before?.baseContentRev ?? node.contentRev, heldAt: at,
      sizeBytes: bytes?.sizeBytes ?? space.sizeOf(node), modifiedAt: file?.modifiedAt ?? at,
      checksums: bytes?.checksums ?? '',
    };
    this.#held.push({ record, manifest: bytes?.manifest });
    quarantine.heldCount += 1;
    quarantine.heldBytes += bytesOf(record);
    space.heldBytes += bytesOf(record);
  }

  #remove(space: MemorySpace, held: HeldRecord | undefined): void {
    if (held === undefined) return;
    this.#held = this.#held.filter(({ record }) => record.id !== held.id);
    const quarantine = this.#get({ spaceId: space.id, quarantineId: held.quarantineId });
    quarantine.heldCount -= 1;
    quarantine.heldBytes -= bytesOf(held);
    if (isLiveQuarantine(quarantine.state)) space.heldBytes -= bytesOf(held);
  }

  #decide(
    { decision, actor, spaceId, ...change }: DecideQuarantine, space: MemorySpace,
  ): ChangeResult {
    const quarantine = this.#get({ spaceId, ...change });
    const { state, heldCount, heldBytes } = quarantine;
    const isAfterAll = decision === 'keep' && state === 'undone' && heldCount > 0;
    if (state !== 'open' && !isAfterAll) throw quarantineDecided();
    if (isAfterAll && this.#findLive(quarantine) !== undefined) throw quarantineOpen();
    const { rev, rootId } = space.record;
    const batchId = decision === 'undo' ? undefined : this.#batches.begin({
      op: 'begin-batch', spaceId, kind: 'keep', nodeId: rootId, asOf: rev, undoes: undefined,
      withSharing: false, actor,
    }, rev).count;
    if (isAfterAll) space.heldBytes += heldBytes;
    if (decision === 'undo') space.heldBytes -= heldBytes;
    Object.assign(quarantine, {
      state: decision === 'undo' ? 'undone' : 'keeping', batchId, decidedBy: actor.user,
      decidedAt: actor.at, viewRev: quarantine.viewRev + 1,
    });
    return { ...resultOf(space, undefined, false), count: batchId ?? 0 };
  }

  #endKeep(change: EndKeep, space: MemorySpace): ChangeResult {
    const { doneCount, skippedCount, at } = change;
    const quarantine = this.#get(change);
    const { state, batchId, heldCount } = quarantine;
    if (state === 'keeping' && batchId !== undefined) {
      this.#batches.note({
        op: 'note-batch', batchId, doneCount, skippedCount, isDone: true, at,
      }, () => space.record.rev);
      quarantine.state = heldCount === 0 ? 'kept' : 'open';
      quarantine.viewRev += 1;
    }
    return { ...resultOf(space, undefined, false), count: heldCount };
  }

  #drop(change: DropHeld, space: MemorySpace): ChangeResult {
    const { heldIds, ifUndone } = change;
    const quarantine = this.#get(change);
    if (ifUndone && quarantine.state !== 'undone') {
      return { ...resultOf(space, undefined, false), count: 0 };
    }
    if (heldIds.length > HELD_AT_ONCE_MAX) throw tooManyHeld(HELD_AT_ONCE_MAX);
    const wanted = this.#held.map(({ record }) => record).filter(({ id, quarantineId }) =>
      quarantineId === quarantine.id && heldIds.includes(id));
    for (const record of wanted) this.#remove(space, record);
    quarantine.viewRev += 1;
    return { ...resultOf(space, undefined, false), count: wanted.length };
  }

  /** What was held is made by this change: it is not held any more.
   *  @throws not-found `held-missing`; and what `make` throws. */
  making(
    { heldId }: PutFile | Delete, space: MemorySpace, make: () => ChangeResult,
  ): ChangeResult {
    if (heldId === undefined) return make();
    const held = this.#held.find(({ record }) => record.id === heldId)?.record;
    if (held === undefined) throw heldMissing();
    const quarantine = this.#get({ spaceId: space.id, quarantineId: held.quarantineId });
    if (!isLiveQuarantine(quarantine.state)) throw heldMissing();
    space.heldBytes -= bytesOf(held); // What was kept for it is what it takes.
    let result: ChangeResult;
    try {
      result = make();
    } finally {
      space.heldBytes += bytesOf(held);
    }
    this.#remove(space, held);
    quarantine.viewRev += 1;
    return result;
  }
}

export function countOlderFiles(
  space: MemorySpace, folderId: NodeId, { contentRev, countMax, rowsMax }: OlderFilesBounds,
): number {
  const waiting = space.nodes.get(folderId)?.members.values().toArray() ?? [];
  let count = 0;
  for (let row = 0; row < Math.min(waiting.length, rowsMax); row += 1) {
    const node = waiting[row];
    if (node?.kind === 'file' && node.contentRev <= contentRev) count += 1;
    waiting.push(...node?.members.values() ?? []);
  }
  return Math.min(count, countMax);
}

/** Only contents take room. */
function bytesOf(held: HeldRecord | undefined): number {
  return held?.kind === 'content' ? held.sizeBytes : 0;
}

function deletable(space: MemorySpace, nodeId: NodeId, { actor }: Hold): MemoryNode {
  const node = live(space, nodeId);
  if (node.parent === undefined) throw rootStays();
  if (node.kind === 'mount') throw isMount(nodeId);
  checkLocks(space.lockView, actor, { nodes: [node.parent.id], trees: [nodeId] });
  return node;
}

function writable(space: MemorySpace, nodeId: NodeId, { actor }: Hold): MemoryNode {
  const node = live(space, nodeId);
  if (node.kind !== 'file') throw isFolder(nodeId);
  checkLocks(space.lockView, actor, { nodes: [nodeId], trees: [] });
  return node;
}
