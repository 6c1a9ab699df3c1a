/** The notes of batches, on the in-memory model. */
import type { BatchRecord, BatchState, BeginBatch, NoteBatch } from '../../batch.ts';
import type { ChangeResult } from '../../changes.ts';
import type { SpaceId } from '../../../base/ids.ts';
import { batchMissing, batchRunning } from '../../refusals.ts';

export class MemoryBatches {
  readonly #batches: BatchRecord[] = [];
  readonly #firstId: number;

  constructor(firstId: number) {
    this.#firstId = firstId;
  }

  begin(change: BeginBatch, rev: number): ChangeResult {
    const { spaceId, kind, nodeId, asOf, undoes, withSharing, actor } = change;
    const running = this.#batches.find((batch) =>
      batch.spaceId === spaceId && batch.state === 'running');
    if (running !== undefined) throw batchRunning(running.id);
    const id = this.#firstId + this.#batches.length;
    this.#batches.push({
      id, spaceId, kind, state: 'running', nodeId, asOf, undoes, withSharing, revFrom: rev,
      revTo: rev, doneCount: 0, skippedCount: 0, by: actor.user, device: actor.device, at: actor.at,
      endedAt: undefined,
    });
    return { node: undefined, created: false, rev, count: id };
  }

  /** `revOf` is asked for the revision of the batch's space. */
  note(change: NoteBatch, revOf: (spaceId: SpaceId) => number): ChangeResult {
    const batch = this.#batches.find(({ id }) => id === change.batchId);
    if (batch === undefined) throw batchMissing(change.batchId);
    const rev = revOf(batch.spaceId);
    if (batch.state === 'running') {
      const { doneCount, skippedCount, isDone, at } = change;
      const state: BatchState = isDone ? 'done' : 'running';
      Object.assign(batch, {
        state, revTo: rev, doneCount, skippedCount, endedAt: isDone ? at : undefined,
      });
      const undone = isDone && this.#batches.find(({ id }) => id === batch.undoes);
      if (undone) undone.state = 'undone';
    }
    return { node: undefined, created: false, rev, count: batch.id };
  }

  find(batchId: number): BatchRecord | undefined {
    return structuredClone(this.#batches.find(({ id }) => id === batchId));
  }

  list(
    { spaceId, state }: { spaceId?: SpaceId; state?: BatchState }, limit: number, before: number,
  ): BatchRecord[] {
    return structuredClone(this.#batches.filter((batch) => batch.id < before
      && (spaceId === undefined || batch.spaceId === spaceId)
      && (state === undefined || batch.state === state)).toReversed().slice(0, limit));
  }
}
