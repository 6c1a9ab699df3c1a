/** Work on a space that takes many changes and is one thing to whoever asked for it. */
import type { NodeId, SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { Actor } from './changes.ts';
import type { Instant } from './records.ts';

/** `restore`: back to a revision. `undo`: takes back another batch. `keep`: makes what a quarantine
 *  has held. */
export type BatchKind = 'restore' | 'undo' | 'keep';
/** `undone`: another batch has taken it back. */
export type BatchState = 'running' | 'done' | 'undone';

/** A batch. Events that it caused carry its id. */
export interface BatchRecord {
  id: number;
  spaceId: SpaceId;
  kind: BatchKind;
  state: BatchState;
  /** The file or folder it works on. */
  nodeId: NodeId;
  /** The revision it goes back to. */
  asOf: number;
  /** For `undo`: the batch that it takes back. */
  undoes: number | undefined;
  /** Grants and links are brought back too. */
  withSharing: boolean;
  /** The space's revision when it began; and when it ended, or the present one's while it runs. */
  revFrom: number;
  revTo: number;
  /** Nodes brought to what they were, and nodes that could not be. */
  doneCount: number;
  skippedCount: number;
  by: UserId;
  device: string;
  at: Instant;
  endedAt: Instant | undefined;
}

/** Which batches are listed. `near`: at least all of that tenant's. */
export interface BatchFilter {
  spaceId?: SpaceId;
  state?: BatchState;
  near?: TenantId;
}

/** Notes a batch before its first change; the result's `count` is its id.
 *  @throws not-found: no such space; conflict `batch-running`: one batch of a space at a time. */
export interface BeginBatch {
  op: 'begin-batch';
  spaceId: SpaceId;
  kind: BatchKind;
  nodeId: NodeId;
  asOf: number;
  undoes: number | undefined;
  withSharing: boolean;
  actor: Actor;
}

/** Notes how far a batch has come; with `isDone` it ends, and what it undoes counts as undone.
 *  Calm when it has ended already. @throws not-found: no such batch. */
export interface NoteBatch {
  op: 'note-batch';
  batchId: number;
  doneCount: number;
  skippedCount: number;
  isDone: boolean;
  at: Instant;
}
