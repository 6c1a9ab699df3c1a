/** What followers ask of the in-memory model: one by one. */
import type { NodeId, SpaceId } from '../../../base/ids.ts';
import { CHAINS_MAX, STANDINGS_MAX } from '../../following.ts';
import type { SpaceStanding } from '../../following.ts';
import type { NodeRecord } from '../../records.ts';
import { outOfRange } from '../../refusals.ts';
import type { MemorySpace } from './memory-space.ts';

export function findChains(
  space: MemorySpace | undefined, nodeIds: readonly NodeId[],
): Map<NodeId, NodeRecord[]> {
  if (nodeIds.length > CHAINS_MAX) throw outOfRange('nodeIds');
  const found = new Map<NodeId, NodeRecord[]>();
  for (const id of nodeIds) {
    const chain = space?.chainOf(id)?.toReversed();
    if (space === undefined || chain === undefined) continue;
    found.set(id, chain.map((node) => space.recordOf(node)));
  }
  return found;
}

export function listStandings(
  spaces: ReadonlyMap<SpaceId, MemorySpace>, spaceIds: readonly SpaceId[],
): Map<SpaceId, SpaceStanding> {
  if (spaceIds.length > STANDINGS_MAX) throw outOfRange('spaceIds');
  const found = new Map<SpaceId, SpaceStanding>();
  for (const id of spaceIds) {
    const space = spaces.get(id);
    if (space === undefined) continue;
    const { record: { rev, accessRev }, revFloor, events } = space;
    const newest = events.at(-1);
    found.set(id, {
      rev, accessRev, revFloor, newest: newest && { nodeId: newest.nodeId, at: newest.at },
    });
  }
  return found;
}
