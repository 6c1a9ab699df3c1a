/** What passes between the store and its writer thread. One message each way per batch. */
import type { FaultData } from '../../../base/errors.ts';
import type { Change, ChangeResult } from '../../changes.ts';
import type { NewSpace } from '../../metadata-store.ts';

export interface EnsureSpace {
  op: 'ensure-space';
  wanted: NewSpace;
}

/** Plain SQL with its values: what moves the rows of a tenant, and where it is at home. */
export interface SqlStep {
  text: string;
  values: readonly (string | number | null | Uint8Array)[];
  /** How many rows it may write: more than that refuses the whole transaction. Left out: one. */
  rowsMax?: number;
  /** It has to find one row, else the whole transaction is refused: because another moves the
   *  tenant, or because the tenant is not where the move has it. */
  guards?: 'mover' | 'place';
}

/** Steps that are one transaction of their own, in their order. Answers as `count` how many rows
 *  the last one found to change. */
export interface WriteRows {
  op: 'write-rows';
  steps: readonly SqlStep[];
  /** Nothing that the writer remembers is touched. */
  isAside: boolean;
}

export type WriterChange = Change | EnsureSpace | WriteRows;

/** How a change went. A `ticket` says that it goes on in slices and is answered later by it. */
export type Outcome = { result: ChangeResult } | { fault: FaultData } | { ticket: number };

/** See batch-message.ts. */
export interface PackedBatch {
  kind: 'packed-batch';
  text: string;
  manifests: Uint8Array;
}

/** `request`: for whom, see src/platform/sql/request-mark.ts. */
export type ToWriter =
  | { kind: 'batch'; changes: WriterChange[]; request?: string }
  | PackedBatch & { request?: string }
  | { kind: 'close' };

export type FromWriter =
  | { kind: 'ready' }
  | { kind: 'refused'; fault: FaultData }
  | { kind: 'done'; outcomes: Outcome[] }
  | { kind: 'packed-done'; text: string }
  | { kind: 'late'; ticket: number; outcome: Outcome }
  | { kind: 'closed' };

export interface WriterStart {
  file: string;
  /** Which shard the database must be. */
  shard: number;
}
