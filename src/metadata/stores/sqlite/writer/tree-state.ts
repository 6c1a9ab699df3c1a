/**
 * What the writer knows of the database beyond the batch in hand: spaces, folders and locks that it
 * has met, and the folders whose figures the batch has changed.
 *
 * Every change of a file changes mark and size of all folders above it. These changes gather here
 * and are written once per folder and batch, in the batch's own transaction. Between `begin` and
 * `flush` the database lags behind this object, so all reading of folders goes through it.
 *
 * After a rollback nothing here can be trusted: `forget` drops all of it.
 */
import { assert } from '../../../../base/assert.ts';
import type { NodeId, SpaceId, TenantId } from '../../../../base/ids.ts';
import type { CasePolicy } from '../../../../base/names.ts';
import type { LockView } from '../../../lock-rules.ts';
import type { Instant, LockRecord, NodeRecord } from '../../../records.ts';
import { nodeMissing, spaceMissing } from '../../../refusals.ts';
import {
  KIND_FOLDER, KIND_MOUNT, NO_PARENT, toNodeRecord, toNodeRow, toTarget,
} from '../rows.ts';
import type { FolderFigures, NodeRow, NodeTuple, TargetTuple } from '../rows.ts';
import type { Statements } from '../statements.ts';
import { QuotaState } from './quota-state.ts';

const FOLDERS_CACHED_MAX = 20_000;
const SPACES_CACHED_MAX = 5_000;
/** No chain of folders is longer: a longer one is a cycle, and that is a bug. */
const CHAIN_MAX = 100_000;
/** Ids are reserved in steps of this many, so that a step costs one write. */
const ID_STEP = 1_024;
/** The parent of a folder that is not in the tree: deleted, or a copy not yet attached. */
const DETACHED = -1;

export interface SpaceState {
  id: SpaceId;
  tenant: TenantId;
  rootId: NodeId;
  rev: number;
  /** Time of the newest event; undefined: not looked up yet. */
  lastAt: Instant | undefined;
  /** Revision of the last change of a folder's own row: moved, removed, brought back, its times
   *  set. While it stands, readers may go on using the folders that they remember. */
  foldersRev: number;
  casePolicy: CasePolicy;
  quotaBytes: number | undefined;
  locks: LockRecord[] | undefined;
  /** Undefined: not counted yet. */
  grantCount: number | undefined;
  isDirty: boolean;
}

export interface FolderState extends FolderFigures {
  spaceId: SpaceId;
  id: NodeId;
  parentId: number;
  isDirty: boolean;
}

/** A folder and those above it, the folder first, the root last. */
export type Chain = readonly FolderState[];

export interface LiveNode {
  row: NodeRow;
  /** For a folder. */
  folder: FolderState | undefined;
  /** The folder it is in, and those above it; empty for the root. */
  parents: Chain;
}

export class TreeState {
  readonly sql: Statements;
  readonly quotas: QuotaState;
  readonly #spaces = new Map<number, SpaceState>();
  readonly #folders = new Map<number, FolderState>();
  #dirtyFolders: FolderState[] = [];
  #dirtySpaces: SpaceState[] = [];
  #nextNodeId = 0;
  #nodeIdLimit = 0;

  constructor(statements: Statements) {
    this.sql = statements;
    this.quotas = new QuotaState(statements, (spaceId) => this.space(spaceId).tenant);
  }

  /** @throws not-found. */
  space(id: SpaceId): SpaceState {
    const cached = this.#spaces.get(id);
    if (cached !== undefined) return cached;
    const row = this.sql.getSpace.get(id) as
      [TenantId, number, number, number, CasePolicy, number | null] | undefined;
    if (row === undefined) throw spaceMissing(id);
    const [tenant, rootId, rev, foldersRev, casePolicy, quotaBytes] = row;
    const space: SpaceState = {
      id, tenant, rootId: rootId as NodeId, rev, foldersRev, casePolicy,
      quotaBytes: quotaBytes ?? undefined,
      locks: undefined, lastAt: undefined, grantCount: undefined, isDirty: false,
    };
    this.#spaces.set(id, space);
    return space;
  }

  /** Takes the space's next revision. */
  nextRev(space: SpaceState): number {
    space.rev += 1;
    if (!space.isDirty) {
      space.isDirty = true;
      this.#dirtySpaces.push(space);
    }
    return space.rev;
  }

  /** When an event that is dated `at` counts as having happened: never before the one before it,
   *  whatever the clock says, so that an instant means one revision. */
  timeOfEvent(space: SpaceState, at: Instant): Instant {
    if (space.lastAt === undefined) {
      const row = this.sql.getLastEventTime.get(space.id) as [Instant] | undefined;
      space.lastAt = row?.[0] ?? at;
    }
    space.lastAt = Math.max(space.lastAt, at);
    return space.lastAt;
  }

  /** Takes `count` consecutive node ids, never given out before. */
  takeNodeIds(count: number): NodeId {
    if (this.#nextNodeId + count > this.#nodeIdLimit) {
      const [start] = this.sql.getMeta.get('next_node_id') as [number];
      this.#nextNodeId = start;
      this.#nodeIdLimit = start + Math.max(count, ID_STEP);
      assert(Number.isSafeInteger(this.#nodeIdLimit), 'node ids stay below 2^53');
      this.sql.setMeta.run(this.#nodeIdLimit, 'next_node_id');
    }
    const first = this.#nextNodeId;
    this.#nextNodeId += count;
    return first as NodeId;
  }

  node(spaceId: SpaceId, id: NodeId): NodeRow | undefined {
    const tuple = this.sql.getNode.get(spaceId, id) as NodeTuple | undefined;
    return tuple === undefined ? undefined : toNodeRow(tuple);
  }

  child(spaceId: SpaceId, parentId: number, canon: string): NodeRow | undefined {
    const tuple = this.sql.getChild.get(spaceId, parentId, canon) as NodeTuple | undefined;
    return tuple === undefined ? undefined : toNodeRow(tuple);
  }

  #folder(spaceId: SpaceId, id: number): FolderState | undefined {
    const cached = this.#folders.get(id);
    if (cached !== undefined) return cached.spaceId === spaceId ? cached : undefined;
    const parent = this.sql.getParent.get(spaceId, id) as [number] | undefined;
    if (parent === undefined) return undefined;
    return this.#loadFolder(spaceId, id as NodeId, parent[0]);
  }

  #loadFolder(spaceId: SpaceId, id: NodeId, parentId: number): FolderState | undefined {
    const figures = this.sql.getFolder.get(spaceId, id) as [number, number, number] | undefined;
    if (figures === undefined) return undefined;
    const [mark, sizeBytes, changedAt] = figures;
    const folder = { spaceId, id, parentId, mark, sizeBytes, changedAt, isDirty: false };
    this.#folders.set(id, folder);
    return folder;
  }

  /** A live folder and all above it; undefined when it is a file, deleted or unknown. */
  chain(spaceId: SpaceId, folderId: number): Chain | undefined {
    const chain: FolderState[] = [];
    for (let id = folderId; chain.length < CHAIN_MAX;) {
      const folder = this.#folder(spaceId, id);
      if (folder === undefined || folder.parentId === DETACHED) return undefined;
      chain.push(folder);
      if (folder.parentId === NO_PARENT) return chain;
      id = folder.parentId;
    }
    assert(false, 'folders form no cycle');
  }

  findLive(spaceId: SpaceId, id: NodeId): LiveNode | undefined {
    const row = this.node(spaceId, id);
    return row === undefined ? undefined : this.findLiveRow(spaceId, row);
  }

  findLiveRow(spaceId: SpaceId, row: NodeRow): LiveNode | undefined {
    if (row.kind === KIND_FOLDER) {
      const chain = this.chain(spaceId, row.id);
      return chain && { row, folder: chain[0], parents: chain.slice(1) };
    }
    const parents = this.chain(spaceId, row.parentId);
    return parents && { row, folder: undefined, parents };
  }

  /** @throws not-found. */
  live(spaceId: SpaceId, id: NodeId): LiveNode {
    const node = this.findLive(spaceId, id);
    if (node === undefined) throw nodeMissing(id);
    return node;
  }

  usedBytes(space: SpaceState): number {
    const root = this.#folder(space.id, space.rootId);
    assert(root !== undefined, 'a space has a root');
    return root.sizeBytes;
  }

  locks(space: SpaceState): LockRecord[] {
    space.locks ??= this.sql.listLocks.all(space.id).map((row) => {
      const [token, nodeId, scope, depth, ownerXml, holder, expiresAt] = row as
        [string, number, string, string, string, string, number];
      return { token, spaceId: space.id, nodeId, scope, depth, ownerXml, holder,
        expiresAt } as LockRecord;
    });
    return space.locks;
  }

  lockView(space: SpaceState): LockView {
    return {
      locks: this.locks(space),
      chainOf: (id) => {
        const node = this.findLive(space.id, id);
        return node && [node.row.id, ...node.parents.map((folder) => folder.id)];
      },
    };
  }

  /** A folder and all above it have changed, by `addedBytes`. */
  touch(chain: Chain, rev: number, at: Instant, addedBytes: number): void {
    for (const folder of chain) {
      folder.mark = rev;
      folder.changedAt = at;
      folder.sizeBytes += addedBytes;
      this.#markDirty(folder);
    }
    const root = chain.at(-1);
    if (root !== undefined) this.quotas.noteUse(root.spaceId, addedBytes);
  }

  /** Who may what at or below a folder has changed: clients must look, but nothing is newer. */
  touchMarks(chain: Chain, rev: number): void {
    for (const folder of chain) {
      folder.mark = rev;
      this.#markDirty(folder);
    }
  }

  /** The figure of a folder was wrong. */
  setFolderSize(folder: FolderState, rev: number, sizeBytes: number): void {
    if (folder.parentId === NO_PARENT) {
      this.quotas.noteUse(folder.spaceId, sizeBytes - folder.sizeBytes);
    }
    folder.mark = rev;
    folder.sizeBytes = sizeBytes;
    this.#markDirty(folder);
  }

  /** The times of a folder were set. */
  setFolderTime(folder: FolderState, rev: number, changedAt: Instant): void {
    folder.mark = rev;
    folder.changedAt = changedAt;
    this.#markDirty(folder);
  }

  #markDirty(folder: FolderState): void {
    if (folder.isDirty) return;
    folder.isDirty = true;
    this.#dirtyFolders.push(folder);
  }

  addFolder(spaceId: SpaceId, id: NodeId, parentId: number, figures: FolderFigures): FolderState {
    const { mark, sizeBytes, changedAt } = figures;
    this.sql.insertFolder.run(spaceId, id, mark, sizeBytes, changedAt);
    const folder = { spaceId, id, parentId, mark, sizeBytes, changedAt, isDirty: false };
    this.#folders.set(id, folder);
    return folder;
  }

  /** The folder has left the tree; it keeps its figures. */
  detachFolder(folder: FolderState): void {
    folder.parentId = DETACHED;
  }

  /** The folder is gone for good. It was not in the tree, so nothing waits to be written. */
  dropFolder(id: number): void {
    this.#folders.delete(id);
  }

  /** The folder is in the tree again, or elsewhere in it. */
  placeFolder(spaceId: SpaceId, id: NodeId, parentId: number): FolderState {
    const folder = this.#folders.get(id) ?? this.#loadFolder(spaceId, id, parentId);
    assert(folder !== undefined, 'a folder has its figures');
    folder.parentId = parentId;
    return folder;
  }

  recordOf(spaceId: SpaceId, row: NodeRow, folder: FolderState | undefined): NodeRecord {
    if (row.kind !== KIND_MOUNT) return toNodeRecord(spaceId, row, folder);
    const target = toTarget(this.sql.getMount.get(spaceId, row.id) as TargetTuple);
    return toNodeRecord(spaceId, row, undefined, target);
  }

  /** Writes what has gathered. Belongs to the transaction of the changes themselves. */
  flush(): void {
    for (const { mark, sizeBytes, changedAt, spaceId, id } of this.#dirtyFolders) {
      this.sql.updateFolder.run(mark, sizeBytes, changedAt, spaceId, id);
    }
    for (const { rev, foldersRev, id } of this.#dirtySpaces) {
      this.sql.updateSpaceRev.run(rev, foldersRev, id);
    }
  }

  /** After a commit: what was gathered is in the database, and the caches keep their bounds. */
  settle(): void {
    for (const folder of this.#dirtyFolders) folder.isDirty = false;
    for (const space of this.#dirtySpaces) space.isDirty = false;
    this.#dirtyFolders = [];
    this.#dirtySpaces = [];
    dropOldest(this.#folders, FOLDERS_CACHED_MAX);
    dropOldest(this.#spaces, SPACES_CACHED_MAX);
  }

  /** After a rollback, or when somebody else has written: believes nothing any more. */
  forget(): void {
    this.#spaces.clear();
    this.#folders.clear();
    this.quotas.forget();
    this.#dirtyFolders = [];
    this.#dirtySpaces = [];
    this.#nextNodeId = 0;
    this.#nodeIdLimit = 0;
  }
}

/** A Map hands out its keys in the order in which they came. */
function dropOldest(map: Map<number, unknown>, sizeMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return;
    map.delete(key);
  }
}
