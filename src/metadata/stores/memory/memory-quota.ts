/** Quotas and reservations of the in-memory model: everything is added up anew each time. */
import { RESERVATIONS_MAX } from '../../access-changes.ts';
import type { DropReservation, ReserveQuota } from '../../access-changes.ts';
import type { ReservationRecord, UsageFigures, UsageRecord } from '../../access-records.ts';
import type { ChangeResult, SetQuota } from '../../changes.ts';
import { compareCodePoints } from '../../dead-properties.ts';
import type { Instant } from '../../records.ts';
import { overQuota, overTenantQuota, tooManyReservations } from '../../refusals.ts';
import type { MemorySpace } from './memory-space.ts';

export interface MemoryTenant {
  quotaBytes: number | undefined;
  spaces: MemorySpace[];
}

export interface RoomNeeds {
  at: Instant;
  /** It does not count: what it was for is what is checked. */
  reservationId?: string | undefined;
  /** What the whole tenant's use grows by, when it is not as much as that of the space. */
  tenantAddedBytes?: number;
}

function reservedBytes(space: MemorySpace, at: Instant, exceptId?: string): number {
  let sum = space.heldBytes;
  for (const [id, { bytes, expiresAt }] of space.reservations) {
    if (expiresAt > at && id !== exceptId) sum += bytes;
  }
  return sum;
}

function figuresOf(
  spaces: readonly MemorySpace[], quotaBytes: number | undefined,
  reserved: (space: MemorySpace) => number,
): UsageFigures {
  return {
    usedBytes: spaces.reduce((sum, space) => sum + space.sizeOf(space.root), 0),
    reservedBytes: spaces.reduce((sum, space) => sum + reserved(space), 0),
    quotaBytes,
  };
}

export function checkRoom(space: MemorySpace, addedBytes: number, needs: RoomNeeds): void {
  const { at, reservationId, tenantAddedBytes = addedBytes } = needs;
  const reserved = (each: MemorySpace): number =>
    reservedBytes(each, at, each === space ? reservationId : undefined);
  const check = (
    refusal: typeof overQuota, added: number, { quotaBytes, ...figures }: UsageFigures,
  ): void => {
    if (added <= 0 || quotaBytes === undefined) return;
    if (figures.usedBytes + figures.reservedBytes + added <= quotaBytes) return;
    throw refusal({ neededBytes: added, quotaBytes, ...figures });
  };
  check(overQuota, addedBytes, figuresOf([space], space.record.quotaBytes, reserved));
  const { spaces, quotaBytes } = space.tenant;
  check(overTenantQuota, tenantAddedBytes, figuresOf(spaces, quotaBytes, reserved));
}

export function tenantUsageOf(tenant: MemoryTenant | undefined, at: Instant): UsageFigures {
  const { spaces, quotaBytes } = tenant ?? { spaces: [], quotaBytes: undefined };
  return figuresOf(spaces, quotaBytes, (each) => reservedBytes(each, at));
}

export function usageOf(space: MemorySpace, at: Instant): UsageRecord {
  const reserved = (each: MemorySpace): number => reservedBytes(each, at);
  return {
    tenant: space.record.tenant,
    ...figuresOf([space], space.record.quotaBytes, reserved),
    ofTenant: space.tenant.quotaBytes === undefined ? undefined : tenantUsageOf(space.tenant, at),
  };
}

export function reservationsOf(space: MemorySpace, at: Instant): ReservationRecord[] {
  return [...space.reservations].filter(([, { expiresAt }]) => expiresAt > at)
    .map(([reservationId, { bytes, expiresAt }]) =>
      ({ spaceId: space.id, reservationId, bytes, expiresAt }))
    .toSorted((a, b) => compareCodePoints(a.reservationId, b.reservationId));
}

export function setQuota({ record }: MemorySpace, { quotaBytes }: SetQuota): ChangeResult {
  record.quotaBytes = quotaBytes;
  return { node: undefined, created: false, rev: record.rev, count: 0 };
}

export function dropReservation(
  { record, reservations }: MemorySpace, { reservationId }: DropReservation,
): ChangeResult {
  reservations.delete(reservationId);
  return { node: undefined, created: false, rev: record.rev, count: 0 };
}

export function reserveQuota(
  space: MemorySpace, change: ReserveQuota, spaces: Iterable<MemorySpace>,
): ChangeResult {
  const { reservationId, bytes, at, expiresAt } = change;
  space.checkQuota(bytes, { at, reservationId });
  const isNew = !reservationsOf(space, at).some((each) => each.reservationId === reservationId);
  const count = [...spaces].reduce((sum, each) => sum + reservationsOf(each, at).length, 0);
  if (isNew && count >= RESERVATIONS_MAX) throw tooManyReservations(RESERVATIONS_MAX);
  space.reservations.set(reservationId, { bytes, expiresAt });
  return { node: undefined, created: isNew, rev: space.record.rev, count: 0 };
}

/** There are no figures that could be wrong. */
export function recount(space: MemorySpace): ChangeResult {
  const sumBytes = space.sizeOf(space.root);
  const folders = [...space.nodes.values()].filter(({ id, kind }) =>
    kind === 'folder' && space.findLive(id) !== undefined);
  const found = {
    folderCount: folders.length, healedCount: 0, storedBytes: sumBytes, countedBytes: sumBytes,
  };
  return { node: undefined, created: false, rev: space.record.rev, count: 0, recount: found };
}
