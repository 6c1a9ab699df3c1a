/** A tenant on its way from one shard to another: ADR 0046 has the picture. */
import type { SpaceId, TenantId } from '../../base/ids.ts';
import type { Instant } from '../records.ts';
import type { RowKey } from './tenant-rows.ts';

/**
 * `plan`: the target is looked at, and changes begin to be noted. `copy`: all rows, as they are
 * met. `tail`: what changed meanwhile. `compare`: both sides, range by range. `freeze`: writers
 * wait; the rest is carried over and compared. `flip`: the directory is told. `unfreeze`: the
 * target takes changes. `reverse`: what changes there goes back, so that the way back is short.
 * `clean`: rows that are not needed any more are removed. `abort`: as `clean`, of what was copied.
 */
export type MoveState =
  | 'plan' | 'copy' | 'tail' | 'compare' | 'freeze' | 'flip' | 'unfreeze' | 'reverse' | 'clean'
  | 'abort' | 'done' | 'aborted';

/** What an operator has asked for, and has not been done yet. */
export type MoveWish = 'none' | 'abort' | 'back' | 'finish';

export interface CopyCursor {
  /** Spaces up to this one are copied. */
  readonly space: SpaceId;
  /** Of the part that comes next: tables before this one are copied, and of it rows up to `key`. */
  readonly table: number;
  readonly key: RowKey | undefined;
}

export interface MoveRecord {
  readonly tenant: TenantId;
  readonly from: number;
  readonly to: number;
  /** Of the tenant's place before the flip. */
  readonly epoch: number;
  readonly state: MoveState;
  readonly isPaused: boolean;
  /** Whether the tenant is this move's: before that it touches nothing. */
  readonly isClaimed: boolean;
  readonly wish: MoveWish;
  readonly cursor: CopyCursor;
  readonly rowsCopied: number;
  readonly rowsFollowed: number;
  readonly rowsCompared: number;
  /** How long writers waited for the last flip. */
  readonly freezeMs: number | undefined;
  /** And of that until the directory was told: never longer than a freeze may take. */
  readonly decidedMs?: number | undefined;
  /** Freezes that took too long and were given up. */
  readonly freezeFailures: number;
  readonly begunAt: Instant;
  /** Until then the way back stays open. */
  readonly reverseUntil: Instant | undefined;
  /** Why it stands still, in words for the operator. */
  readonly trouble: string | undefined;
}

export const COPY_START: CopyCursor = { space: 0 as SpaceId, table: 0, key: undefined };

/** Where moves are written down, so that they go on after the process has died. One record for each
 *  tenant. Durability: what `put` has resolved survives a power cut. */
export interface MoveJournal {
  list(): Promise<MoveRecord[]>;
  put(record: MoveRecord): Promise<void>;
}

export class MemoryMoveJournal implements MoveJournal {
  readonly #records = new Map<TenantId, MoveRecord>();

  async list(): Promise<MoveRecord[]> {
    return [...this.#records.values()];
  }

  async put(record: MoveRecord): Promise<void> {
    this.#records.set(record.tenant, record);
  }
}

export function isOver({ state }: MoveRecord): boolean {
  return state === 'done' || state === 'aborted';
}
