/** Pages of several shards as one page, in the order that each of them keeps. */
import { compareCodePoints } from '../dead-properties.ts';
import type { ManifestPlace, ManifestRecord } from '../records.ts';

export interface PageSource<R> {
  /** In order, at most `limit`; fewer only at the end. */
  ask: (limit: number, after: R | undefined) => Promise<readonly R[]>;
  /** Whether a record counts. */
  keeps: (record: R) => boolean;
}

/** The first `limit` that count, of all sources together; fewer only at the end of all. */
export async function mergePages<R>(
  sources: readonly PageSource<R>[], limit: number, compare: (a: R, b: R) => number,
): Promise<R[]> {
  const pages = await Promise.all(sources.map((source) => fill(source, limit)));
  return pages.flat().sort(compare).slice(0, limit);
}

async function fill<R>({ ask, keeps }: PageSource<R>, limit: number): Promise<R[]> {
  const kept: R[] = [];
  for (let last: R | undefined; ;) {
    const page = await ask(limit, last);
    for (const record of page) if (keeps(record)) kept.push(record);
    last = page.at(-1);
    if (page.length < limit || kept.length >= limit) return kept;
  }
}

/**
 * Manifests of several shards. A page of one of them may be short without being its end, so nothing
 * beyond the last of any page is answered yet. A place that is on two shards, as that of a tenant
 * on the move, is answered twice if they differ, both in one page, be it over the limit.
 */
export function mergeManifests(
  pages: readonly (readonly ManifestRecord[])[], limit: number,
): ManifestRecord[] {
  const lasts = pages.flatMap((page) => page.at(-1)?.place ?? []);
  const bound = lasts.toSorted(comparePlaces)[0];
  if (bound === undefined) return [];
  const sorted = pages.flat().filter(({ place }) => comparePlaces(place, bound) <= 0)
    .sort((a, b) => comparePlaces(a.place, b.place));
  const answer: ManifestRecord[] = [];
  let same: ManifestRecord[] = [];
  for (const record of sorted) {
    const isNext = same[0] !== undefined && comparePlaces(same[0].place, record.place) !== 0;
    if (isNext && answer.length >= limit) break;
    if (isNext) same = [];
    if (same.some((one) => Buffer.compare(one.manifest, record.manifest) === 0)) continue;
    same.push(record);
    answer.push(record);
  }
  return answer;
}

const KINDS: readonly ManifestPlace['kind'][] = ['part', 'held', 'version'];

/** The order of ManifestPlace. */
function comparePlaces(a: ManifestPlace, b: ManifestPlace): number {
  if (a.kind === 'part' && b.kind === 'part') {
    return compareCodePoints(a.owner, b.owner) || compareCodePoints(a.uploadId, b.uploadId)
      || a.number - b.number;
  }
  if (a.kind === 'held' && b.kind === 'held') return a.heldId - b.heldId;
  if (a.kind === 'version' && b.kind === 'version') {
    return a.spaceId - b.spaceId || a.nodeId - b.nodeId || a.contentRev - b.contentRev;
  }
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);
}
