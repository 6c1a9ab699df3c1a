/** Forgetting, on the in-memory model. */
import type { ChangeResult } from '../../changes.ts';
import { outOfRange, tooManyEntries, tooManyVersions } from '../../refusals.ts';
import type { TrashRecord } from '../../records.ts';
import { isDropped, NOBODY, TRASH_DROPPED_MAX, VERSIONS_DROPPED_MAX } from '../../retention.ts';
import type { DropTrash, DropVersions, PurgeSlice } from '../../retention.ts';
import { resultOf } from './memory-changes.ts';
import type { MemoryNode, MemorySpace } from './memory-space.ts';

function forget(space: MemorySpace, node: MemoryNode): number {
  let count = 1;
  for (const member of node.members.values()) count += forget(space, member);
  space.nodes.delete(node.id);
  for (const { id, nodeId } of space.grants.values()) {
    if (nodeId === node.id) space.grants.delete(id);
  }
  return count;
}

export function purgeSlice(space: MemorySpace, change: PurgeSlice): ChangeResult {
  const { floorRev, trashToRev } = change;
  const { rev } = space.record;
  if (floorRev > rev || trashToRev > rev) throw outOfRange('floorRev');
  let count = 0;
  space.revFloor = Math.max(space.revFloor, floorRev, trashToRev);
  const isDue = ({ record }: { record: TrashRecord }): boolean =>
    record.deletedRev <= (isDropped(record) ? space.revFloor : trashToRev);
  for (const entry of space.trash) if (isDue(entry)) count += forget(space, entry.node);
  space.trash = space.trash.filter((entry) => !isDue(entry));
  const kept = space.grantsPast.filter(({ revTo }) => revTo > space.revFloor);
  space.grantsPast.splice(0, space.grantsPast.length, ...kept);
  for (const node of space.nodes.values()) {
    const first = node.history.findLastIndex(({ revFrom }) => revFrom <= space.revFloor);
    if (first > 0) count += node.history.splice(0, first).length;
  }
  return { ...resultOf(space, undefined, false), count };
}

export function dropTrash(space: MemorySpace, { deletedRevs }: DropTrash): ChangeResult {
  if (deletedRevs.length > TRASH_DROPPED_MAX) throw tooManyEntries(TRASH_DROPPED_MAX);
  const wanted = space.trash.filter(({ record }) =>
    !isDropped(record) && deletedRevs.includes(record.deletedRev));
  for (const { record } of wanted) record.deletedBy = NOBODY;
  return { ...resultOf(space, undefined, false), count: wanted.length };
}

export function dropVersions(space: MemorySpace, change: DropVersions): ChangeResult {
  if (change.versions.length > VERSIONS_DROPPED_MAX) throw tooManyVersions(VERSIONS_DROPPED_MAX);
  let count = 0;
  for (const { nodeId, contentRev } of change.versions) {
    const node = space.nodes.get(nodeId);
    const index = node?.versions.findIndex((version) => version.contentRev === contentRev) ?? -1;
    const next = node?.versions[index + 1];
    if (node === undefined || index < 0 || next === undefined) continue;
    if (node.contentRev === contentRev || next.contentRev > space.revFloor) continue;
    node.versions.splice(index, 1);
    count += 1;
  }
  return { ...resultOf(space, undefined, false), count };
}
