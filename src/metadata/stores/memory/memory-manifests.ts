/** What refers to content, in the in-memory model. */
import { compareCodePoints } from '../../dead-properties.ts';
import type { ManifestPlace, ManifestRecord } from '../../records.ts';
import type { MemorySpace } from './memory-space.ts';

/** In the order in which places come. */
const PLACES: readonly ManifestPlace['kind'][] = ['part', 'held', 'version'];

/** Of all nodes, by space, node and revision. */
export function versionManifests(spaces: Iterable<MemorySpace>): ManifestRecord[] {
  const all: ManifestRecord[] = [];
  for (const space of spaces) {
    const nodes = [...space.nodes.values()].toSorted((a, b) => a.id - b.id);
    for (const { spaceId, nodeId, contentRev, manifest } of nodes.flatMap((n) => n.versions)) {
      all.push({ place: { kind: 'version', spaceId, nodeId, contentRev }, manifest });
    }
  }
  return all;
}

export function manifestsBehind(
  all: readonly ManifestRecord[], after: ManifestPlace | undefined, limit: number,
): ManifestRecord[] {
  const from = after === undefined ? all : all.filter(({ place }) => isBehind(place, after));
  return structuredClone(from.slice(0, limit));
}

function isBehind(place: ManifestPlace, after: ManifestPlace): boolean {
  if (place.kind === 'part' && after.kind === 'part') {
    return (compareCodePoints(place.owner, after.owner)
      || compareCodePoints(place.uploadId, after.uploadId) || place.number - after.number) > 0;
  }
  if (place.kind === 'held' && after.kind === 'held') return place.heldId > after.heldId;
  if (place.kind === 'version' && after.kind === 'version') {
    return (place.spaceId - after.spaceId || place.nodeId - after.nodeId
      || place.contentRev - after.contentRev) > 0;
  }
  return PLACES.indexOf(place.kind) > PLACES.indexOf(after.kind);
}
