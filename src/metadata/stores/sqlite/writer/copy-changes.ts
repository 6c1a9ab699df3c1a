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
import type { ChangeResult, Copy } from '../../../changes.ts';
import { checkLocks } from '../../../lock-rules.ts';
import { cycle } from '../../../refusals.ts';
import { KIND_FILE, KIND_FOLDER, storedName } from '../rows.ts';
import type { NodeRow } from '../rows.ts';
import { CopyPlan } from './copy-plan.ts';
import {
  addEvent, checkQuota, checkTarget, insertFolderNode, moveToTrash, parentsFor, resultOf, sizeOf,
} from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { Chain, LiveNode, SpaceState, TreeState } from './tree-state.ts';

/** Copies of up to about this many nodes are made in one go. */
export const COPY_AT_ONCE_MAX = 1_000;
/** Nodes of one slice: counting is cheaper than writing. */
const SCAN_SLICE = 10_000;
const BUILD_SLICE = 1_000;
const SWEEP_SLICE = 2_000;

interface Place {
  space: SpaceState;
  parents: Chain;
  target: LiveNode | undefined;
}

/** Where the copy is to go, once all but the size was checked. */
function checkPlace(state: TreeState, change: Copy, source: LiveNode): Place {
  const space = state.space(change.spaceId);
  const parents = parentsFor(state, space, change.toParentId);
  const intoItself = source.row.kind === KIND_FOLDER && change.depth === 'infinity'
    && parents.some((folder) => folder.id === source.row.id);
  if (intoItself) throw cycle(source.row.id);
  const target = checkTarget(state, space, source, change);
  checkLocks(state.lockView(space), change.actor, {
    nodes: [change.toParentId], trees: target === undefined ? [] : [target.row.id],
  });
  return { space, parents, target };
}

function copiedBytes(source: LiveNode, { depth }: Copy): number {
  return source.row.kind === KIND_FOLDER && depth === '0' ? 0 : sizeOf(source);
}

function planOf(state: TreeState, space: SpaceState, source: LiveNode, change: Copy): CopyPlan {
  const { row } = source;
  return new CopyPlan(state.sql, {
    spaceId: space.id, nodeId: row.id, ownBytes: row.sizeBytes, rev: space.rev,
    withMembers: row.kind === KIND_FOLDER && change.depth === 'infinity',
  });
}

/** Makes the built copy visible. */
function attach(
  state: TreeState, change: Copy, place: Place,
  copy: { plan: CopyPlan; firstId: NodeId; source: NodeRow },
): ChangeResult {
  const { actor, toParentId, toName } = change;
  const { space, parents, target } = place;
  const { plan, firstId, source } = copy;
  if (target !== undefined) moveToTrash(state, space, target, actor);
  const rev = addEvent(state, space, actor, {
    kind: 'create', nodeId: firstId, nodeKind: source.kind, contentRev: source.contentRev,
    after: { parentId: toParentId, name: toName },
    copiedFrom: { nodeId: source.id, rev: plan.source.rev, nodeCount: plan.nodeCount },
  });
  const canon = canonicalName(toName, space.casePolicy);
  const created = { id: firstId, parentId: toParentId, canon, name: toName, createdAt: actor.at };
  state.sql.copyProperties.run(firstId, space.id, source.id);
  const isReplacing = target !== undefined;
  if (source.kind === KIND_FILE) {
    const { sizeBytes, modifiedAt, contentRev, checksums } = source;
    state.sql.insertNode.run(space.id, toParentId, canon, firstId, storedName(toName, canon),
      KIND_FILE, sizeBytes, modifiedAt, actor.at, rev, contentRev, checksums, rev);
    state.sql.copyVersion.run(firstId, space.id, source.id, contentRev);
    state.touch(parents, rev, actor.at, plan.sizeBytes);
    return resultOf(state, space, { row: { ...source, ...created, mark: rev } }, !isReplacing);
  }
  const row = insertFolderNode(state, space, { ...created, revFrom: rev });
  const figures = { mark: rev, sizeBytes: plan.sizeBytes, changedAt: actor.at };
  const folder = state.addFolder(space.id, firstId, toParentId, figures);
  state.touch(parents, rev, actor.at, plan.sizeBytes);
  return resultOf(state, space, { row, folder }, !isReplacing);
}

/** The copy, or, when it is a big one, undefined: it then needs a CopyJob. */
export function copyAtOnce(state: TreeState, change: Copy): Write | undefined {
  const source = state.live(state.space(change.spaceId).id, change.nodeId);
  const place = checkPlace(state, change, source);
  const { space, target } = place;
  const replacedBytes = target === undefined ? 0 : sizeOf(target);
  checkQuota(state, space, copiedBytes(source, change) - replacedBytes);
  const plan = planOf(state, space, source, change);
  if (!plan.scan(COPY_AT_ONCE_MAX)) return undefined;
  return () => {
    const firstId = state.takeNodeIds(plan.nodeCount);
    assert(plan.build(firstId, change.actor.at, Infinity), 'a small copy is built at once');
    return attach(state, change, place, { plan, firstId, source: source.row });
  };
}

/** Runs `act` in a transaction of its own. */
export type Transact = <T>(act: () => T) => T;

/** Work that goes on in slices between batches. */
export interface SlicedJob {
  /** Does one slice; the answer once it is through. @throws what ends the job. */
  step(transact: Transact): ChangeResult | undefined;
  /** What has to be cleaned up when the job ends without success. */
  leftover(): SweepJob | undefined;
}

/** The copy of a big folder. */
export class CopyJob implements SlicedJob {
  readonly #state: TreeState;
  readonly #change: Copy;
  #begun: { plan: CopyPlan; source: NodeRow } | undefined;
  #isScanned = false;
  #firstId: NodeId | undefined;
  #isBuilt = false;

  constructor(state: TreeState, change: Copy) {
    this.#state = state;
    this.#change = change;
  }

  step(transact: Transact): ChangeResult | undefined {
    const { plan, source } = this.#begun ??= this.#begin();
    if (!this.#isScanned) {
      this.#isScanned = plan.scan(SCAN_SLICE);
    } else if (this.#firstId === undefined) {
      this.#firstId = transact(() => this.#note(plan));
    } else if (!this.#isBuilt) {
      const firstId = this.#firstId;
      this.#isBuilt = transact(() => plan.build(firstId, this.#change.actor.at, BUILD_SLICE));
    } else {
      const firstId = this.#firstId;
      return transact(() => this.#attach(plan, source, firstId));
    }
    return undefined;
  }

  #begin(): { plan: CopyPlan; source: NodeRow } {
    const space = this.#state.space(this.#change.spaceId);
    const source = this.#state.live(space.id, this.#change.nodeId);
    checkPlace(this.#state, this.#change, source);
    return { plan: planOf(this.#state, space, source, this.#change), source: source.row };
  }

  #note(plan: CopyPlan): NodeId {
    const firstId = this.#state.takeNodeIds(plan.nodeCount);
    this.#state.sql.insertCopyJob.run(firstId, this.#change.spaceId, plan.nodeCount);
    return firstId;
  }

  #attach(plan: CopyPlan, source: NodeRow, firstId: NodeId): ChangeResult {
    // The source itself may be gone by now: the copy is of what it was when the copying began. What
    // must still hold is the place; and a source that has moved there must not be put into itself.
    const now = this.#state.findLive(this.#change.spaceId, source.id);
    const place = checkPlace(this.#state, this.#change, now
      ?? { row: source, folder: undefined, parents: [] });
    const { space, target } = place;
    const replacedBytes = target === undefined ? 0 : sizeOf(target);
    checkQuota(this.#state, space, plan.sizeBytes - replacedBytes);
    this.#state.sql.deleteCopyJob.run(firstId);
    return attach(this.#state, this.#change, place, { plan, firstId, source });
  }

  leftover(): SweepJob | undefined {
    const { nodeCount } = this.#begun?.plan ?? { nodeCount: 0 };
    if (this.#firstId === undefined) return undefined;
    return new SweepJob(this.#state, this.#change.spaceId, this.#firstId, nodeCount);
  }
}

/** Removes the hidden rows of a copy that came to nothing. */
export class SweepJob implements SlicedJob {
  readonly #state: TreeState;
  readonly #spaceId: SpaceId;
  readonly #firstId: number;
  readonly #endId: number;
  #nextId: number;

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
