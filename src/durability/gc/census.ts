/**
 * One census: asks for everything that is referred to, and makes suspects of the blocks that nobody
 * named. A block that was a suspect a day ago already is condemned. Why this is safe while uploads
 * go on and the process may die at any moment is worked out in model/protocol-model.ts.
 */
import type { BlockId } from '../../base/ids.ts';
import { RECLAIM_PAGE_MAX, type BlockReclaim } from '../../storage/index.ts';
import type { CensusFigures, GcStore } from './gc-store.ts';
import { listReferences, type ReferenceSources } from './references.ts';

export interface CensusParts extends ReferenceSources {
  reclaim: BlockReclaim;
  notes: GcStore;
  now: () => number;
}

export interface CensusResult extends CensusFigures {
  /** Number in the notes. */
  census: number;
  /** Some of the blocks that are referred to and not there: somebody has lost data. */
  absentSample: BlockId[];
}

const ABSENT_SAMPLE_MAX = 20;

/** @throws whatever keeps it from knowing everything; then it has condemned nothing, and the notes
 *  are as they were but for suspects that are no worse off. */
export async function takeCensus(
  { reclaim, notes, now, ...sources }: CensusParts, signal?: AbortSignal,
): Promise<CensusResult> {
  await reclaim.prepare();
  const begunAt = now();
  const census = notes.beginCensus(begunAt);
  const round = reclaim.beginCensus();
  const result: CensusResult = {
    census, manifestCount: 0, referenceCount: 0, pendingBytes: 0, absentCount: 0,
    unmetCount: 0, unmetBytes: 0, condemnedCount: 0, condemnedBytes: 0, absentSample: [],
  };
  for await (const page of listReferences(sources, signal)) {
    const { ids, strangerIds, manifestCount, pendingBytes } = page;
    result.manifestCount += manifestCount;
    result.pendingBytes += pendingBytes;
    result.referenceCount += ids.length;
    for (let at = 0; at < ids.length; at += RECLAIM_PAGE_MAX) {
      const unknown = reclaim.need(round, ids.slice(at, at + RECLAIM_PAGE_MAX));
      const absent = unknown.length === 0 ? unknown : await reclaim.lookFor(unknown);
      result.absentCount += absent.length;
      result.absentSample.push(...absent.slice(0, ABSENT_SAMPLE_MAX - result.absentSample.length));
    }
    for (let at = 0; at < strangerIds.length; at += RECLAIM_PAGE_MAX) {
      reclaim.need(round, strangerIds.slice(at, at + RECLAIM_PAGE_MAX)); // They may well be absent.
    }
  }
  for await (const page of reclaim.listUnneeded(round)) {
    signal?.throwIfAborted();
    const sizes = new Map(page.map(({ id, sizeBytes }) => [id, sizeBytes]));
    result.unmetCount += page.length;
    for (const sizeBytes of sizes.values()) result.unmetBytes += sizeBytes;
    const agreed = notes.noteUnmet(census, begunAt, page);
    // The store looks again: somebody may have put or claimed one of them this very moment.
    const condemned = reclaim.condemn(round, agreed);
    notes.noteCondemned(census, condemned);
    result.condemnedCount += condemned.length;
    for (const id of condemned) result.condemnedBytes += sizes.get(id) ?? 0;
  }
  const { absentSample: _, ...figures } = result;
  notes.endCensus(census, now(), figures);
  return result;
}
