/** Forgets what was held in quarantines that were undone, once nobody is likely to want it. */
import type { SpaceId } from '../../base/ids.ts';
import { HELD_LIMIT_MAX, QUARANTINES_LIMIT_MAX } from '../../metadata/index.ts';
import type { Instant, MetadataStore, QuarantineRecord } from '../../metadata/index.ts';

export interface ForgetUndone {
  metadata: MetadataStore;
  /** What was decided before this may go; undefined: nothing. */
  keepSince: (spaceId: SpaceId) => Promise<Instant | undefined>;
  /** Asked after each slice. False: no more for now. */
  takeSlice: () => Promise<boolean>;
}

interface Forgotten {
  count: number;
  isMore: boolean;
}

/** Answers how many held changes were forgotten. A crash leaves the rest for the next round. */
export async function forgetUndone(job: ForgetUndone): Promise<number> {
  let count = 0;
  for (let before: number | undefined; ;) {
    const page = await job.metadata.listQuarantines(
      { state: 'undone' }, QUARANTINES_LIMIT_MAX, before,
    );
    for (const quarantine of page) {
      if (quarantine.heldCount === 0) continue;
      const dropped = await forget(quarantine, job);
      count += dropped.count;
      if (!dropped.isMore) return count;
    }
    before = page.at(-1)?.id;
    if (before === undefined) return count;
  }
}

async function forget(
  { id: quarantineId, spaceId, decidedAt = 0 }: QuarantineRecord,
  { metadata, keepSince, takeSlice }: ForgetUndone,
): Promise<Forgotten> {
  for (let count = 0; ;) {
    const since = await keepSince(spaceId);
    if (since === undefined || decidedAt >= since) return { count, isMore: true };
    const page = await metadata.listHeld(quarantineId, HELD_LIMIT_MAX);
    if (page.length === 0) return { count, isMore: true };
    const heldIds = page.map(({ id }) => id);
    const dropped = await metadata.commit({
      op: 'drop-held', spaceId, quarantineId, heldIds, ifUndone: true,
    });
    if (dropped.count === 0) return { count, isMore: true }; // It is being kept after all.
    count += dropped.count;
    if (!await takeSlice()) return { count, isMore: false };
  }
}
