/** The notes of batches, on SQLite. */
import type { SpaceId } from '../../../../base/ids.ts';
import type { BatchState, BeginBatch, NoteBatch } from '../../../batch.ts';
import type { ChangeResult } from '../../../changes.ts';
import { batchMissing, batchRunning } from '../../../refusals.ts';
import type { Write } from './tree-changes.ts';
import type { TreeState } from './tree-state.ts';

function answer(rev: number, batchId: number): ChangeResult {
  return { node: undefined, created: false, rev, count: batchId };
}

export function beginBatch(state: TreeState, change: BeginBatch): Write {
  const { kind, nodeId, asOf, undoes, withSharing, actor } = change;
  const space = state.space(change.spaceId);
  const running = state.sql.findRunningBatch.get(space.id) as [number] | undefined;
  if (running !== undefined) throw batchRunning(running[0]);
  return () => {
    const [batchId] = state.sql.getMeta.get('next_batch_id') as [number];
    state.sql.setMeta.run(batchId + 1, 'next_batch_id');
    state.sql.insertBatch.run(batchId, space.id, kind, nodeId, asOf, undoes ?? null, space.rev,
      space.rev, actor.user, actor.device, actor.at, withSharing ? 1 : 0);
    return answer(space.rev, batchId);
  };
}

export function noteBatch(state: TreeState, change: NoteBatch): Write {
  const { batchId, doneCount, skippedCount, isDone, at } = change;
  const row = state.sql.getBatch.get(batchId) as
    [SpaceId, BatchState, number | null] | undefined;
  if (row === undefined) throw batchMissing(batchId);
  const [spaceId, was, undoes] = row;
  const space = state.space(spaceId);
  return () => {
    if (was !== 'running') return answer(space.rev, batchId);
    state.sql.noteBatch.run(isDone ? 'done' : 'running', space.rev, doneCount, skippedCount,
      isDone ? at : null, batchId);
    if (isDone && undoes !== null) state.sql.setBatchState.run('undone', undoes);
    return answer(space.rev, batchId);
  };
}
