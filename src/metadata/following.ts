/** What a follower of many journals asks for at once, in place of one by one. */
import type { NodeId, SpaceId } from '../base/ids.ts';
import type { Instant, NodeRecord } from './records.ts';

/** Where the journal of a space stands. */
export interface SpaceStanding {
  /** The newest event's revision; 0 before the first. */
  rev: number;
  /** Revision of the last `grant` or `revoke`; 0 before the first. */
  accessRev: number;
  /** The oldest revision that can be shown; 0: all of them. */
  revFloor: number;
  /** The newest event; undefined before the first. */
  newest: { nodeId: NodeId; at: Instant } | undefined;
}

/** The part of MetadataStore for followers. The number of statements does not depend on how much
 *  is asked for. */
export interface FollowStore {
  /** Chains as of `findChain`, all as of one moment, of those of the nodes that are live.
   *  @throws invalid: more than CHAINS_MAX. */
  findChains(
    spaceId: SpaceId, nodeIds: readonly NodeId[],
  ): Promise<ReadonlyMap<NodeId, readonly NodeRecord[]>>;

  /** Of those spaces that there are, all as of one moment.
   *  @throws invalid: more than STANDINGS_MAX. */
  listStandings(spaceIds: readonly SpaceId[]): Promise<ReadonlyMap<SpaceId, SpaceStanding>>;
}

export const CHAINS_MAX = 2_000;
export const STANDINGS_MAX = 2_000;
