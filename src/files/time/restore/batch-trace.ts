/** What a batch has touched, and what of it somebody has touched again since. */
import type { NodeId } from '../../../base/ids.ts';
import { EVENTS_LIMIT_MAX } from '../../../metadata/index.ts';
import type { BatchRecord, MetadataStore } from '../../../metadata/index.ts';

export interface BatchTrace {
  /** Touched by the batch and by nobody else since: these can be taken back. */
  untouched: Set<NodeId>;
  /** Touched again by others: they stay as they are. */
  changedCount: number;
}

/** `ownId`: the batch that takes back, whose own changes do not count as those of others. The cost
 *  is that of reading the events since the batch began. */
export async function traceBatch(
  metadata: MetadataStore, batch: BatchRecord, ownId: number, signal?: AbortSignal,
): Promise<BatchTrace> {
  const untouched = new Set<NodeId>();
  const changed = new Set<NodeId>();
  const { rev: toRev } = await metadata.getSpace(batch.spaceId);
  for (let rev = batch.revFrom; rev < toRev;) {
    signal?.throwIfAborted();
    const events = await metadata.listEvents(batch.spaceId, rev, EVENTS_LIMIT_MAX);
    for (const { nodeId, batchId } of events) {
      if (batchId === batch.id) {
        untouched.add(nodeId);
      } else if (batchId !== ownId && untouched.delete(nodeId)) {
        changed.add(nodeId);
      }
    }
    const last = events.at(-1);
    if (last === undefined) break;
    ({ rev } = last);
  }
  for (const nodeId of changed) untouched.delete(nodeId);
  return { untouched, changedCount: changed.size };
}
