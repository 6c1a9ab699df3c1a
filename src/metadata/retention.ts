/** Changes that forget: the only ones that take something away for good. */
import type { NodeId, SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { TrashRecord } from './records.ts';

/** Removes one slice of what a space need not keep any longer: trash entries with a deletion up to
 *  `trashToRev`, with all below them, and closed rows that no revision from `floorRev` on shows.
 *  The floor rises to the larger of the two and never sinks: older revisions cannot be shown from
 *  then on. The result's `count` says how much was done, at most about `rowsMax` rows; 0 says
 *  that nothing is left to do. What is live is never touched. @throws not-found: no such space;
 *  invalid: revisions that the space does not have. */
export interface PurgeSlice {
  op: 'purge-slice';
  spaceId: SpaceId;
  floorRev: number;
  trashToRev: number;
  rowsMax: number;
}

/** Forgets old versions. One that is somebody's content, live or in the trash, or that a revision
 *  from the floor on shows, stays. `count` is how many went. @throws not-found: no such space;
 *  too-large: more than VERSIONS_DROPPED_MAX. */
export interface DropVersions {
  op: 'drop-versions';
  spaceId: SpaceId;
  versions: readonly { nodeId: NodeId; contentRev: number }[];
}

/** Takes entries out of the trash before their time: from then on nobody finds or restores them
 *  there. What they hold is still part of the past, so their rows stay until the floor has passed
 *  their deletion, and go then whatever else the trash keeps. Calm about entries that are gone; the
 *  `count` is how many went. @throws not-found: no such space; too-large: more than
 *  TRASH_DROPPED_MAX. */
export interface DropTrash {
  op: 'drop-trash';
  spaceId: SpaceId;
  /** By the revision of the deletion. */
  deletedRevs: readonly number[];
}

/** For how long a space, or all spaces of a tenant, keep what is past. What is undefined is left to
 *  the next one: the tenant's rule behind that of the space, the settings behind both. */
export interface RetentionRule {
  /** For so long the whole past and every version are kept; 0: for ever. */
  keepAllDays?: number;
  /** For so long the last version of each day is kept, and after that that of each month. */
  keepDailyDays?: number;
  /** For so long what was deleted can be restored; 0: for ever. */
  trashKeepDays?: number;
}

export type RetentionScope =
  | { kind: 'space'; spaceId: SpaceId }
  | { kind: 'tenant'; tenant: TenantId };

/** Takes the place of the rule that was there; an empty one leaves all to the next. No event.
 *  @throws not-found: no such space; invalid: not whole days from 0 to KEEP_DAYS_MAX. */
export interface SetRetention {
  op: 'set-retention';
  scope: RetentionScope;
  rule: RetentionRule;
}

export const KEEP_DAYS_MAX = 36_500;

/** Stands as the remover of an entry that was dropped; the journal still knows who it was. */
export const NOBODY = '' as UserId;

export function isDropped({ deletedBy }: Pick<TrashRecord, 'deletedBy'>): boolean {
  return deletedBy === NOBODY;
}

export const TRASH_DROPPED_MAX = 1_000;
export const PURGE_ROWS_MAX = 1_000;
export const VERSIONS_DROPPED_MAX = 1_000;
