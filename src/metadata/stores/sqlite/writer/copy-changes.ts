/**
 * Copying, on SQLite. A small copy is a change like any other. A big one would hold up all others,
 * so it is made in slices, each a transaction of its own between two batches: first it is counted,
 * then it is built out of sight (its root has no row yet, so nothing of it can be reached), and at
 * last it is attached by a small transaction that checks everything once more.
 *
 * Before the first hidden row is written its range of ids is noted in `copy_job`, and attaching
 * removes the note: so what a crash leaves behind is known, and swept at the next start.
 */
import { assert } from '../../../../base/assert.ts';
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { canonicalName } from '../../../../base/names.ts';
import type { ChangeResult, Copy, Move } from '../../../changes.ts';
import { checkLocks } from '../../../lock-rules.ts';
import {
  cycle, isMount, nodeMissing, otherTenant, rootStays, sourceBusy,
} from '../../../refusals.ts';
import { EVENT_KINDS, KIND_FILE, KIND_FOLDER, KIND_MOUNT, storedName } from '../rows.ts';
import type { NodeRow } from '../rows.ts';
import { CopyPlan } from './copy-plan.ts';
import type { CopyAims } from './copy-plan.ts';
import { grantedNodes, moveGrants } from './grant-changes.ts';
import {
  addEvent, checkExpected, checkTarget, insertFolderNode, markOf, moveToTrash, parentsFor, resultOf,
  sizeOf,
} from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { Chain, LiveNode, SpaceState, TreeState } from './tree-state.ts';

/** Copies of up to about this many nodes are made in one go. */
export const COPY_AT_ONCE_MAX = 1_000;
/** Nodes of one slice: counting is cheaper than writing. */
const SCAN_SLICE = 10_000;
const BUILD_SLICE = 1_000;
const SWEEP_SLICE = 2_000;

/** Whether a move or copy goes to another space. */
export function isAcross({ spaceId, toSpaceId = spaceId }: Copy | Move): boolean {
  return spaceId !== toSpaceId;
}

interface Place {
  from: SpaceState;
  /** The space that it goes to. */
  space: SpaceState;
  parents: Chain;
  target: LiveNode | undefined;
}

/** @throws what of the source itself forbids it. */
function checkSource(change: Copy | Move, source: LiveNode): void {
  if (change.op === 'move' && source.parents.length === 0) throw rootStays();
  if (source.row.kind === KIND_MOUNT) throw isMount(source.row.id);
  if (change.op !== 'move' || change.expect === 'absent') return;
  checkExpected(change.expect, { id: source.row.id, mark: markOf(source) });
}

/** Where the copy is to go, once all but the size was checked. */
function checkPlace(state: TreeState, change: Copy | Move, source: LiveNode): Place {
  const from = state.space(change.spaceId);
  const space = state.space(change.toSpaceId ?? change.spaceId);
  if (from.tenant !== space.tenant) throw otherTenant();
  checkSource(change, source);
  const parents = parentsFor(state, space, change.toParentId);
  const intoItself = source.row.kind === KIND_FOLDER && isWhole(change)
    && parents.some((folder) => folder.id === source.row.id);
  if (intoItself) throw cycle(source.row.id);
  const target = checkTarget(state, space, source, change);
  const [fromParent] = source.parents;
  if (change.op === 'move' && fromParent !== undefined) {
    const needs = { nodes: [fromParent.id], trees: [source.row.id] };
    checkLocks(state.lockView(from), change.actor, needs);
  }
  checkLocks(state.lockView(space), change.actor, {
    nodes: [change.toParentId], trees: target === undefined ? [] : [target.row.id],
  });
  return { from, space, parents, target };
}

/** Whether members come along. */
function isWhole(change: Copy | Move): boolean {
  return change.op === 'move' || change.depth === 'infinity';
}

/** @throws quota. What is moved takes no more room of the tenant. */
function checkRoom(
  state: TreeState, change: Copy | Move, { space, target }: Place, addedBytes: number,
): void {
  const replacedBytes = target === undefined ? 0 : sizeOf(target);
  const tenantAddedBytes = (change.op === 'move' ? 0 : addedBytes) - replacedBytes;
  const { at } = change.actor;
  state.quotas.checkRoom(state, space, addedBytes - replacedBytes, { at, tenantAddedBytes });
}

function copiedBytes(source: LiveNode, change: Copy | Move): number {
  return source.row.kind === KIND_FOLDER && !isWhole(change) ? 0 : sizeOf(source);
}

function planOf(state: TreeState, source: LiveNode, change: Copy | Move): CopyPlan {
  const { row } = source;
  const { id: spaceId, rev } = state.space(change.spaceId);
  const watched = change.op === 'move' && change.withGrants === true
    ? grantedNodes(state, spaceId) : undefined;
  return new CopyPlan(state.sql, {
    spaceId, nodeId: row.id, ownBytes: row.sizeBytes, rev, ...(watched && { watched }),
    withMembers: row.kind === KIND_FOLDER && isWhole(change),
  });
}

/** Revisions of one space say nothing in another. There the copies are as old as that space was
 *  when the copying began: every later content of theirs has a larger number. */
function aimsOf(state: TreeState, change: Copy | Move): CopyAims {
  const from = state.space(change.spaceId);
  const to = state.space(change.toSpaceId ?? change.spaceId);
  if (from === to) {
    return { spaceId: to.id, mark: from.rev, contentRev: undefined, casePolicy: undefined };
  }
  const mark = Math.max(1, to.rev);
  const casePolicy = from.casePolicy === to.casePolicy ? undefined : to.casePolicy;
  return { spaceId: to.id, mark, contentRev: mark, casePolicy };
}

interface BuiltCopy {
  plan: CopyPlan;
  aims: CopyAims;
  firstId: NodeId;
  source: NodeRow;
}

/** Notes where a copy comes from, and answers the revision. */
function addCopyEvent(
  state: TreeState, change: Copy | Move, space: SpaceState, copy: BuiltCopy,
): number {
  const { plan, aims: { contentRev }, firstId, source } = copy;
  const ofFile = source.kind === KIND_FILE ? contentRev ?? source.contentRev : 0;
  return addEvent(state, space, change.actor, {
    kind: 'create', nodeId: firstId, nodeKind: source.kind, contentRev: ofFile,
    after: { parentId: change.toParentId, name: change.toName },
    copiedFrom: {
      nodeId: source.id, rev: plan.source.rev, nodeCount: plan.nodeCount,
      ...(contentRev !== undefined && { spaceId: plan.source.spaceId, contentRev }),
    },
  });
}

/** Makes the built copy visible. */
function attach(
  state: TreeState, change: Copy | Move, place: Place, copy: BuiltCopy,
): ChangeResult {
  const { actor, toParentId, toName } = change;
  const { space, parents, target } = place;
  const { plan, aims, firstId, source } = copy;
  if (target !== undefined) moveToTrash(state, space, target, actor);
  const rev = addCopyEvent(state, change, space, copy);
  const canon = canonicalName(toName, space.casePolicy);
  const created = { id: firstId, parentId: toParentId, canon, name: toName, createdAt: actor.at };
  const fromId = plan.source.spaceId;
  state.sql.copyProperties.run(space.id, firstId, fromId, source.id);
  const isReplacing = target !== undefined;
  if (source.kind === KIND_FILE) {
    const { sizeBytes, modifiedAt, checksums } = source;
    const contentRev = aims.contentRev ?? source.contentRev;
    state.sql.insertNode.run(space.id, toParentId, canon, firstId, storedName(toName, canon),
      KIND_FILE, sizeBytes, modifiedAt, actor.at, rev, contentRev, checksums, rev);
    state.sql.copyVersion.run(space.id, firstId, contentRev, fromId, source.id, source.contentRev);
    state.touch(parents, rev, actor.at, plan.sizeBytes);
    const row = { ...source, ...created, mark: rev, contentRev };
    return resultOf(state, space, { row }, !isReplacing);
  }
  const row = insertFolderNode(state, space, { ...created, revFrom: rev });
  const figures = { mark: rev, sizeBytes: plan.sizeBytes, changedAt: actor.at };
  const folder = state.addFolder(space.id, firstId, toParentId, figures);
  state.touch(parents, rev, actor.at, plan.sizeBytes);
  return resultOf(state, space, { row, folder }, !isReplacing);
}

/** The source of a move, once it is elsewhere. */
function leave(
  state: TreeState, { actor, withGrants = false, heir }: Move, { from, space }: Place,
  { plan, source }: { plan: CopyPlan; source: LiveNode },
): void {
  if (withGrants) moveGrants(state, { from, to: space, copyOf: plan.copyOf, actor, heir });
  moveToTrash(state, from, source, actor);
}

/** The copy, or the move to another space; when it is a big one, undefined: it then needs a
 *  CopyJob. */
export function copyAtOnce(state: TreeState, change: Copy | Move): Write | undefined {
  const source = state.live(state.space(change.spaceId).id, change.nodeId);
  const place = checkPlace(state, change, source);
  checkRoom(state, change, place, copiedBytes(source, change));
  const plan = planOf(state, source, change);
  if (!plan.scan(COPY_AT_ONCE_MAX)) return undefined;
  return () => {
    const firstId = state.takeNodeIds(plan.nodeCount);
    const aims = aimsOf(state, change);
    const isBuilt = plan.build(firstId, change.actor.at, Infinity, aims);
    assert(isBuilt, 'a small copy is built at once');
    const copy = { plan, aims, firstId, source: source.row };
    const result = attach(state, change, place, copy);
    if (change.op === 'move') leave(state, change, place, { plan, source });
    return result;
  };
}

/** Runs `act` in a transaction of its own. */
export type Transact = <T>(act: () => T) => T;

/** Work that goes on in slices between batches. */
export interface SlicedJob {
  /** Whose rows it writes. */
  readonly spaceIds: readonly SpaceId[];
  /** Does one slice; the answer once it is through. @throws what ends the job. */
  step(transact: Transact): ChangeResult | undefined;
  /** What has to be cleaned up when the job ends without success. */
  leftover(): SweepJob | undefined;
}

interface BegunCopy {
  plan: CopyPlan;
  aims: CopyAims;
  source: NodeRow;
  /** Of the source, when it was read. */
  mark: number;
}

/** The copy of a big folder, or its move to another space. */
export class CopyJob implements SlicedJob {
  readonly #state: TreeState;
  readonly #change: Copy | Move;
  #begun: BegunCopy | undefined;
  #isScanned = false;
  #firstId: NodeId | undefined;
  #isBuilt = false;

  constructor(state: TreeState, change: Copy | Move) {
    this.#state = state;
    this.#change = change;
  }

  get spaceIds(): readonly SpaceId[] {
    return [this.#change.spaceId, this.#toSpaceId];
  }

  step(transact: Transact): ChangeResult | undefined {
    const begun = this.#begun ??= this.#begin();
    const { plan, aims } = begun;
    if (!this.#isScanned) {
      this.#isScanned = plan.scan(SCAN_SLICE);
    } else if (this.#firstId === undefined) {
      this.#firstId = transact(() => this.#note(plan));
    } else if (!this.#isBuilt) {
      const firstId = this.#firstId;
      const { at } = this.#change.actor;
      this.#isBuilt = transact(() => plan.build(firstId, at, BUILD_SLICE, aims));
    } else {
      const firstId = this.#firstId;
      return transact(() => this.#attach(begun, firstId));
    }
    return undefined;
  }

  #begin(): BegunCopy {
    const space = this.#state.space(this.#change.spaceId);
    const source = this.#state.live(space.id, this.#change.nodeId);
    checkPlace(this.#state, this.#change, source);
    const plan = planOf(this.#state, source, this.#change);
    const aims = aimsOf(this.#state, this.#change);
    return { plan, aims, source: source.row, mark: markOf(source) };
  }

  #note(plan: CopyPlan): NodeId {
    const firstId = this.#state.takeNodeIds(plan.nodeCount);
    this.#state.sql.insertCopyJob.run(firstId, this.#toSpaceId, plan.nodeCount);
    return firstId;
  }

  get #toSpaceId(): SpaceId {
    return this.#change.toSpaceId ?? this.#change.spaceId;
  }

  #attach(begun: BegunCopy, firstId: NodeId): ChangeResult {
    const { plan, source } = begun;
    const change = this.#change;
    // The source of a copy may be gone by now: the copy is of what it was when the copying began.
    // What must hold is the place; and a source that moved there must not be put into itself.
    const now = this.#state.findLive(change.spaceId, source.id);
    if (change.op === 'move') this.#checkUnchanged(begun, now);
    const place = checkPlace(this.#state, change, now
      ?? { row: source, folder: undefined, parents: [] });
    checkRoom(this.#state, change, place, plan.sizeBytes);
    // A writer that was silent for long may have been taken for dead, and its rows swept.
    if (this.#state.sql.deleteCopyJob.run(firstId).changes === 0) throw sourceBusy();
    const result = attach(this.#state, change, place, { ...begun, firstId });
    if (change.op === 'move' && now !== undefined) {
      leave(this.#state, change, place, { plan, source: now });
    }
    return result;
  }

  /** What came into the source meanwhile is not in the copy, and must not vanish with the source.
   *  Its mark tells of everything but dead properties; those are looked for in the journal. */
  #checkUnchanged({ plan, mark }: BegunCopy, now: LiveNode | undefined): void {
    const { spaceId, nodeId } = this.#change;
    if (now === undefined) throw nodeMissing(nodeId);
    const kind = EVENT_KINDS.indexOf('properties');
    const hasProperties = this.#state.sql.hasPropertiesSince.get(spaceId, plan.source.rev, kind);
    if (markOf(now) !== mark || hasProperties !== undefined) throw sourceBusy();
  }

  leftover(): SweepJob | undefined {
    const { nodeCount } = this.#begun?.plan ?? { nodeCount: 0 };
    if (this.#firstId === undefined) return undefined;
    return new SweepJob(this.#state, this.#toSpaceId, this.#firstId, nodeCount);
  }
}

/** Removes the hidden rows of a copy that came to nothing. */
export class SweepJob implements SlicedJob {
  readonly #state: TreeState;
  readonly #spaceId: SpaceId;
  readonly #firstId: number;
  readonly #endId: number;
  #nextId: number;

  get spaceIds(): readonly SpaceId[] {
    return [this.#spaceId];
  }

  constructor(state: TreeState, spaceId: SpaceId, firstId: NodeId, nodeCount: number) {
    this.#state = state;
    this.#spaceId = spaceId;
    this.#firstId = firstId;
    this.#endId = firstId + nodeCount;
    this.#nextId = firstId;
  }

  step(transact: Transact): ChangeResult | undefined {
    const { sql } = this.#state;
    const from = this.#nextId;
    const to = Math.min(from + SWEEP_SLICE, this.#endId);
    transact(() => {
      sql.sweepNodes.run(this.#spaceId, from, to);
      sql.sweepFolders.run(this.#spaceId, from, to);
      sql.sweepVersions.run(this.#spaceId, from, to);
      sql.sweepProperties.run(this.#spaceId, from, to);
      if (to === this.#endId) sql.deleteCopyJob.run(this.#firstId);
    });
    this.#nextId = to;
    return to === this.#endId ? { node: undefined, created: false, rev: 0, count: 0 } : undefined;
  }

  leftover(): undefined {
    return undefined;
  }
}

/** Sweeps for all that a crash has left. */
export function sweepsAtStart(state: TreeState): SweepJob[] {
  const rows = state.sql.listCopyJobs.all() as [number, number, number][];
  return rows.map(([firstId, spaceId, nodeCount]) =>
    new SweepJob(state, spaceId as SpaceId, firstId as NodeId, nodeCount));
}
