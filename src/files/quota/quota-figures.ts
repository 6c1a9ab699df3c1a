/** What people are told of a quota. */
import type { SpaceId } from '../../base/ids.ts';
import type { Instant, MetadataStore, UsageRecord } from '../../metadata/index.ts';

/** Spaces whose quotas one answer tells. */
const QUOTAS_MAX = 1_000;

export interface QuotaState {
  usedBytes: number;
  /** The most that can be used here; undefined: no limit. */
  quotaBytes: number | undefined;
  /** What is neither used nor promised to uploads under way; undefined: no limit. */
  availableBytes: number | undefined;
}

/** A space in a tenant with a quota has no more room than all of the tenant's spaces together. */
export function quotaState({ ofTenant, ...ofSpace }: UsageRecord): QuotaState {
  const { usedBytes } = ofSpace;
  const rooms = [ofSpace, ...(ofTenant === undefined ? [] : [ofTenant])].flatMap((figures) => {
    const { quotaBytes, reservedBytes } = figures;
    if (quotaBytes === undefined) return [];
    return [Math.max(0, quotaBytes - figures.usedBytes - reservedBytes)];
  });
  const availableBytes = rooms.length === 0 ? undefined : Math.min(...rooms);
  const quotaBytes = ofSpace.quotaBytes
    ?? (availableBytes === undefined ? undefined : usedBytes + availableBytes);
  return { usedBytes, quotaBytes, availableBytes };
}

/** Of the first QUOTAS_MAX of these spaces. @throws not-found. */
export async function quotaStates(
  metadata: Pick<MetadataStore, 'readUsage'>, spaces: Iterable<SpaceId>, at: Instant,
): Promise<ReadonlyMap<SpaceId, QuotaState>> {
  const quotas = new Map<SpaceId, QuotaState>();
  for (const spaceId of spaces) {
    if (quotas.size >= QUOTAS_MAX) break;
    quotas.set(spaceId, quotaState(await metadata.readUsage(spaceId, at)));
  }
  return quotas;
}
