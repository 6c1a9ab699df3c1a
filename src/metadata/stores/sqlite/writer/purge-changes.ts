/**
 * Forgetting, on SQLite. A slice removes rows from the leaves upwards, so it can stop anywhere:
 * what is left below a trash entry is found again from the entry itself, without a cursor.
 *
 * The floor rises in the very transaction that removes the first row, so no reader ever takes a
 * past with holes for a whole one.
 */
import type { ChangeResult } from '../../../changes.ts';
import { COPY_NODES_MAX } from '../../../changes.ts';
import { outOfRange, tooManyEntries, tooManyVersions } from '../../../refusals.ts';
import { TRASH_DROPPED_MAX, VERSIONS_DROPPED_MAX } from '../../../retention.ts';
import type { DropTrash, DropVersions, PurgeSlice, SetRetention } from '../../../retention.ts';
import { KIND_FOLDER, KIND_MOUNT, retentionKey } from '../rows.ts';
import type { Write } from './tree-changes.ts';
import type { SpaceState, TreeState } from './tree-state.ts';

/** Members of one folder that are looked at together. */
const PAGE = 200;

interface Budget {
  left: number;
  doneCount: number;
}

function spend(budget: Budget, rows: number): void {
  budget.left -= rows;
  budget.doneCount += rows;
}

function floorOf(state: TreeState, space: SpaceState): { floor: number; purged: number } {
  const row = state.sql.getFloor.get(space.id) as [number, number] | undefined;
  return { floor: row?.[0] ?? 0, purged: row?.[1] ?? 0 };
}

export function purgeSlice(state: TreeState, change: PurgeSlice): Write {
  const { floorRev, trashToRev, rowsMax } = change;
  const space = state.space(change.spaceId);
  if (floorRev > space.rev || trashToRev > space.rev) throw outOfRange('floorRev');
  return () => {
    const { floor: before, purged } = floorOf(state, space);
    const floor = Math.max(before, floorRev, trashToRev);
    const budget = { left: rowsMax, doneCount: 0 };
    emptyTrash(state, space, (sql) => sql.getOldestTrash.get(space.id, trashToRev), budget);
    emptyTrash(state, space, (sql) => sql.getOldestDropped.get(space.id, floor), budget);
    const reached = dropClosedRows(state, space, { from: purged, to: floor, budget });
    if (before === 0 && purged === 0 && floor > 0) {
      state.sql.insertFloor.run(space.id, floor, reached);
    } else if (floor > before || reached > purged) {
      state.sql.updateFloor.run(floor, reached, space.id);
    }
    return { node: undefined, created: false, rev: space.rev, count: budget.doneCount };
  };
}

function emptyTrash(
  state: TreeState, space: SpaceState, oldest: (sql: TreeState['sql']) => unknown, budget: Budget,
): void {
  while (budget.left > 0) {
    const entry = oldest(state.sql) as [number, number, number] | undefined;
    if (entry === undefined) return;
    const [deletedRev, nodeId, kind] = entry;
    if (kind === KIND_FOLDER && !emptyFolder(state, space, nodeId, budget)) return;
    forgetNode(state, space, { id: nodeId, kind }, budget);
    state.sql.deleteTrash.run(space.id, deletedRev);
    spend(budget, 1);
  }
}

/** Removes what is below a folder; true when nothing is left there. */
function emptyFolder(
  state: TreeState, space: SpaceState, folderId: number, budget: Budget,
): boolean {
  const path = [folderId];
  for (let turns = 0; turns < COPY_NODES_MAX && budget.left > 0; turns += 1) {
    const current = path.at(-1);
    if (current === undefined) return true;
    const members = state.sql.listMembers.all(space.id, current, PAGE) as
      [number, number, string][];
    const folder = members.find(([, kind]) => kind === KIND_FOLDER);
    for (const [id, kind, canon] of members) {
      if (kind === KIND_FOLDER) continue;
      if (budget.left <= 0) return false;
      forgetNode(state, space, { id, kind }, budget);
      state.sql.deleteNode.run(space.id, current, canon);
      spend(budget, 1);
    }
    if (folder !== undefined) {
      path.push(folder[0]);
    } else if (members.length === 0) {
      path.pop();
      if (path.length === 0) return true;
      forgetFolder(state, space, current, budget);
    }
  }
  return false;
}

/** An empty folder below the trash entry. */
function forgetFolder(
  state: TreeState, space: SpaceState, id: number, budget: Budget,
): void {
  const row = state.node(space.id, id as SpaceState['rootId']);
  forgetNode(state, space, { id, kind: KIND_FOLDER }, budget);
  if (row !== undefined) state.sql.deleteNode.run(space.id, row.parentId, row.canon);
  spend(budget, 1);
}

/** All that stands at a node but its live row. */
function forgetNode(
  state: TreeState, space: SpaceState, { id, kind }: { id: number; kind: number }, budget: Budget,
): void {
  const versions = state.sql.deleteVersions.run(space.id, id);
  const closed = state.sql.deleteClosedRows.run(space.id, id);
  const properties = state.sql.deleteProperties.run(space.id, id);
  forgetAccess(state, space, { id, kind }, budget);
  if (kind === KIND_FOLDER) {
    state.sql.deleteFolder.run(space.id, id);
    state.dropFolder(id);
  }
  spend(budget, versions.changes + closed.changes + properties.changes);
}

/** Grants at a node that nobody can bring back, and where a mount has led. */
function forgetAccess(
  state: TreeState, space: SpaceState, { id, kind }: { id: number; kind: number }, budget: Budget,
): void {
  if (kind === KIND_MOUNT) {
    state.sql.deleteMount.run(space.id, id);
    return;
  }
  const grants = state.sql.deleteGrantsAt.run(space.id, id);
  if (grants.changes > 0) space.grantCount = undefined;
  spend(budget, grants.changes);
}

/** Each event closed at most one row, that of its node, with its own revision: so the events lead
 *  to the rows. What the trash would need to bring something back stays. */
function dropClosedRows(
  state: TreeState, space: SpaceState,
  { from, to, budget }: { from: number; to: number; budget: Budget },
): number {
  let reached = from;
  while (reached < to && budget.left > 0) {
    const events = state.sql.listEventNodes.all(space.id, reached, to, PAGE) as [number, number][];
    if (events.length === 0) return to;
    for (const [rev, nodeId] of events) {
      if (state.sql.findTrashAt.get(space.id, rev) === undefined) {
        state.sql.deleteClosedRow.run(space.id, nodeId, rev, rev);
      }
      state.sql.deletePastGrants.run(space.id, rev);
      reached = rev;
    }
    spend(budget, events.length);
  }
  return reached;
}

export function setRetention(state: TreeState, { scope, rule }: SetRetention): Write {
  const answer: ChangeResult = { node: undefined, created: false, rev: 0, count: 0 };
  if (scope.kind === 'space') state.space(scope.spaceId);
  const key = retentionKey(scope);
  const { keepAllDays, keepDailyDays, trashKeepDays } = rule;
  return () => {
    state.sql.deleteRetention.run(...key);
    const days = [keepAllDays, keepDailyDays, trashKeepDays].map((each) => each ?? null);
    if (days.some((each) => each !== null)) state.sql.insertRetention.run(...key, ...days);
    return answer;
  };
}

/** An entry without a remover is in nobody's trash. */
export function dropTrash(state: TreeState, { spaceId, deletedRevs }: DropTrash): Write {
  const space = state.space(spaceId);
  if (deletedRevs.length > TRASH_DROPPED_MAX) throw tooManyEntries(TRASH_DROPPED_MAX);
  return (): ChangeResult => {
    let count = 0;
    for (const rev of deletedRevs) count += state.sql.dropTrash.run(space.id, rev).changes;
    return { node: undefined, created: false, rev: space.rev, count };
  };
}

export function dropVersions(state: TreeState, change: DropVersions): Write {
  const space = state.space(change.spaceId);
  if (change.versions.length > VERSIONS_DROPPED_MAX) throw tooManyVersions(VERSIONS_DROPPED_MAX);
  return (): ChangeResult => {
    const { floor } = floorOf(state, space);
    let count = 0;
    for (const { nodeId, contentRev } of change.versions) {
      if (isNeeded(state, space, { nodeId, contentRev, floor })) continue;
      count += state.sql.deleteVersion.run(space.id, nodeId, contentRev).changes;
    }
    return { node: undefined, created: false, rev: space.rev, count };
  };
}

function isNeeded(
  state: TreeState, space: SpaceState,
  { nodeId, contentRev, floor }: { nodeId: number; contentRev: number; floor: number },
): boolean {
  const [live] = (state.sql.getContentRev.get(space.id, nodeId)
    ?? state.sql.getTrashedContent.get(space.id, nodeId) ?? []) as number[];
  if (live === contentRev) return true;
  const next = state.sql.getNextContent.get(space.id, nodeId, contentRev) as [number] | undefined;
  return next === undefined || next[0] > floor;
}
