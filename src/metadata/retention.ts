/** Changes that forget: the only ones that take something away for good. */
import type { NodeId, SpaceId } from '../base/ids.ts';

/** Removes one slice of what a space need not keep any longer: trash entries with a deletion up to
 *  `trashToRev`, with all below them, and closed rows that no revision from `floorRev` on shows.
 *  The floor rises to the larger of the two and never sinks: older revisions cannot be shown from
 *  then on. The result's `count` is the number of rows that went, at most about `rowsMax`; 0 says
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

export const PURGE_ROWS_MAX = 1_000;
export const VERSIONS_DROPPED_MAX = 1_000;
