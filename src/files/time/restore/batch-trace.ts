/** What a batch has touched, and what of it somebody has touched again since. */
import type { GrantId, NodeId } from '../../../base/ids.ts';
import { EVENTS_LIMIT_MAX } from '../../../metadata/index.ts';
import type { BatchRecord, MetadataStore } from '../../../metadata/index.ts';

export interface BatchTrace {
  /** Touched by the batch and by nobody else since: these can be taken back. */
  untouched: Set<NodeId>;
  /** The same of permissions, shares and links. */
  grants: Set<GrantId>;
  /** Touched again by others: they stay as they are. */
  changedCount: number;
}

/** What was touched of one kind. */
class Touched<Id> {
  readonly kept = new Set<Id>();
  readonly #changed = new Set<Id>();

  note(id: Id, by: 'batch' | 'others' | 'undo'): void {
    if (by === 'batch' && !this.#changed.has(id)) this.kept.add(id);
    else if (by === 'others' && this.kept.delete(id)) this.#changed.add(id);
  }

  get changedCount(): number {
    return this.#changed.size;
  }
}

/** `ownId`: the batch that takes back, whose own changes do not count as those of others. That
 *  something is shared is no change of the file or folder itself. The cost is that of reading the
 *  events since the batch began. */
export async function traceBatch(
  metadata: MetadataStore, batch: BatchRecord, ownId: number, signal?: AbortSignal,
): Promise<BatchTrace> {
  const nodes = new Touched<NodeId>();
  const grants = new Touched<GrantId>();
  const { rev: toRev } = await metadata.getSpace(batch.spaceId);
  for (let rev = batch.revFrom; rev < toRev;) {
    signal?.throwIfAborted();
    const events = await metadata.listEvents(batch.spaceId, rev, EVENTS_LIMIT_MAX);
    for (const { nodeId, grantId, batchId } of events) {
      const by = batchId === batch.id ? 'batch' : batchId === ownId ? 'undo' : 'others';
      if (grantId === undefined) nodes.note(nodeId, by);
      else grants.note(grantId, by);
    }
    const last = events.at(-1);
    if (last === undefined) break;
    ({ rev } = last);
  }
  return {
    untouched: nodes.kept, grants: grants.kept,
    changedCount: nodes.changedCount + grants.changedCount,
  };
}
