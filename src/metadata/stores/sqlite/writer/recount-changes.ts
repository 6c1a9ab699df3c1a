/**
 * Adds up the files of every folder anew and compares with the figures kept, on SQLite.
 *
 * The tree is read as of one revision, in slices between batches. When the space has not changed
 * since, the figures of now are those of that revision and can be compared. When it has, the count
 * begins anew; the last one runs in one go, so that a busy space is counted too.
 */
import type { SpaceId } from '../../../../base/ids.ts';
import type { Recount } from '../../../access-changes.ts';
import type { RecountRecord } from '../../../access-records.ts';
import type { ChangeResult } from '../../../changes.ts';
import { KIND_FOLDER, NO_PARENT } from '../rows.ts';
import type { SlicedJob, SweepJob, Transact } from './copy-changes.ts';
import { CopyPlan } from './copy-plan.ts';
import { addEvent, resultOf } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { FolderState, SpaceState, TreeState } from './tree-state.ts';

/** Spaces of about this many nodes are counted in one go. */
const AT_ONCE_MAX = 1_000;
const SCAN_SLICE = 2_000;
/** Counts that may come to nothing because the space changed meanwhile. */
const TRIES_MAX = 3;

function planOf(state: TreeState, space: SpaceState): CopyPlan {
  return new CopyPlan(state.sql, {
    spaceId: space.id, nodeId: space.rootId, ownBytes: 0, rev: space.rev, withMembers: true,
    nodesMax: Infinity,
  });
}

/** Compares and puts right. To be run while the space is as it was when it was counted. */
function settle(
  state: TreeState, space: SpaceState, change: Recount, plan: CopyPlan,
): ChangeResult {
  const wrong: { folder: FolderState; sizeBytes: number }[] = [];
  const storedBytes = state.usedBytes(space);
  let folderCount = 0;
  for (const { id, sizeBytes } of plan.folderSums()) {
    folderCount += 1;
    const [folder] = state.chain(space.id, id) ?? [];
    if (folder !== undefined && folder.sizeBytes !== sizeBytes) wrong.push({ folder, sizeBytes });
  }
  const recount: RecountRecord = {
    folderCount, healedCount: wrong.length, storedBytes, countedBytes: plan.sizeBytes,
  };
  if (wrong.length > 0) {
    const place = { parentId: NO_PARENT, name: '' };
    const rev = addEvent(state, space, change.actor, {
      kind: 'update', nodeId: space.rootId, nodeKind: KIND_FOLDER, contentRev: 0, before: place,
      after: place,
    });
    for (const { folder, sizeBytes } of wrong) {
      state.setFolderSize(folder, rev, sizeBytes);
      state.touchMarks(state.chain(space.id, folder.id) ?? [], rev);
    }
  }
  return { ...resultOf(state, space, undefined, false), recount };
}

/** Undefined for a big space: it then needs a RecountJob. */
export function recountAtOnce(state: TreeState, change: Recount): Write | undefined {
  const space = state.space(change.spaceId);
  const plan = planOf(state, space);
  if (!plan.scan(AT_ONCE_MAX)) return undefined;
  return () => settle(state, space, change, plan);
}

export class RecountJob implements SlicedJob {
  readonly #state: TreeState;
  readonly #change: Recount;
  #plan: CopyPlan | undefined;
  #tries = 0;

  constructor(state: TreeState, change: Recount) {
    this.#state = state;
    this.#change = change;
  }

  get spaceIds(): readonly SpaceId[] {
    return [this.#change.spaceId];
  }

  step(transact: Transact): ChangeResult | undefined {
    const state = this.#state;
    const { spaceId } = this.#change;
    if (this.#tries >= TRIES_MAX) return transact(() => this.#countInOneGo(state.space(spaceId)));
    const plan = this.#plan ??= planOf(state, state.space(spaceId));
    if (!plan.scan(SCAN_SLICE)) return undefined;
    this.#plan = undefined;
    this.#tries += 1;
    return transact(() => {
      const space = state.space(spaceId);
      return space.rev === plan.source.rev ? settle(state, space, this.#change, plan) : undefined;
    });
  }

  #countInOneGo(space: SpaceState): ChangeResult {
    const plan = planOf(this.#state, space);
    plan.scan(Infinity);
    return settle(this.#state, space, this.#change, plan);
  }

  leftover(): SweepJob | undefined {
    return undefined;
  }
}
