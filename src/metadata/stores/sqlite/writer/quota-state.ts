/**
 * Quotas as the writer knows them: reservations, and what each tenant that has a quota uses.
 *
 * Nothing of it costs a statement per change. Reservations are read once, when the first quota is
 * checked, and kept in step from then on. What a tenant uses is added up once and then follows the
 * changes of its spaces' roots; a tenant without a quota is not added up at all.
 *
 * After a rollback nothing here can be trusted: `forget` drops all of it.
 */
import type { SpaceId, TenantId } from '../../../../base/ids.ts';
import type { UsageFigures } from '../../../access-records.ts';
import type { Instant } from '../../../records.ts';
import { overQuota, overTenantQuota } from '../../../refusals.ts';
import type { Statements } from '../statements.ts';
import type { SpaceState, TreeState } from './tree-state.ts';

interface Reservation {
  bytes: number;
  expiresAt: Instant;
}

interface TenantState {
  quotaBytes: number | undefined;
  /** Of all its spaces; undefined: not added up yet. */
  usedBytes: number | undefined;
}

export interface RoomNeeds {
  at: Instant;
  /** It does not count: what it was for is what is checked. */
  reservationId?: string | undefined;
  /** Held content that is being made: what was kept for it does not count either. */
  heldId?: number | undefined;
  /** What the whole tenant's use grows by, when it is not as much as that of the space. */
  tenantAddedBytes?: number;
}

type SpaceReservations = Map<string, Reservation>;

/** At most RESERVATIONS_MAX that have not expired, and what has expired since. */
export class QuotaState {
  readonly #sql: Statements;
  #reservations: Map<SpaceId, SpaceReservations> | undefined;
  /** Sums of held contents, by space. */
  #held: Map<SpaceId, number> | undefined;
  readonly #tenants = new Map<TenantId, TenantState>();
  /** Tenants of the spaces that reservations are of. */
  readonly #tenantOf: (spaceId: SpaceId) => TenantId;

  constructor(sql: Statements, tenantOf: (spaceId: SpaceId) => TenantId) {
    this.#sql = sql;
    this.#tenantOf = tenantOf;
  }

  #all(): Map<SpaceId, SpaceReservations> {
    if (this.#reservations !== undefined) return this.#reservations;
    const all = new Map<SpaceId, SpaceReservations>();
    const rows = this.#sql.listReservations.all() as [SpaceId, string, number, number][];
    for (const [spaceId, id, bytes, expiresAt] of rows) {
      const ofSpace = all.get(spaceId) ?? new Map<string, Reservation>();
      all.set(spaceId, ofSpace.set(id, { bytes, expiresAt }));
    }
    this.#reservations = all;
    return all;
  }

  of(spaceId: SpaceId): ReadonlyMap<string, Reservation> {
    return this.#all().get(spaceId) ?? new Map<string, Reservation>();
  }

  /** How many have not expired, in all spaces. */
  countAt(at: Instant): number {
    let count = 0;
    for (const ofSpace of this.#all().values()) {
      for (const { expiresAt } of ofSpace.values()) count += expiresAt > at ? 1 : 0;
    }
    return count;
  }

  put(spaceId: SpaceId, id: string, { bytes, expiresAt }: Reservation): void {
    const ofSpace = this.#all().get(spaceId) ?? new Map<string, Reservation>();
    if (ofSpace.has(id)) this.#sql.updateReservation.run(bytes, expiresAt, spaceId, id);
    else this.#sql.insertReservation.run(spaceId, id, bytes, expiresAt);
    this.#all().set(spaceId, ofSpace.set(id, { bytes, expiresAt }));
  }

  drop(spaceId: SpaceId, id: string): void {
    const ofSpace = this.#all().get(spaceId);
    if (ofSpace?.delete(id) !== true) return;
    if (ofSpace.size === 0) this.#all().delete(spaceId);
    this.#sql.deleteReservation.run(spaceId, id);
  }

  dropExpired(at: Instant): void {
    for (const [spaceId, ofSpace] of this.#all()) {
      for (const [id, { expiresAt }] of ofSpace) if (expiresAt <= at) this.drop(spaceId, id);
    }
  }

  #allHeld(): Map<SpaceId, number> {
    this.#held ??= new Map(this.#sql.sumHeld.all() as [SpaceId, number][]);
    return this.#held;
  }

  /** More is held in a space; a negative number: less. */
  noteHeld(spaceId: SpaceId, addedBytes: number): void {
    const held = this.#held?.get(spaceId) ?? 0;
    this.#held?.set(spaceId, held + addedBytes);
  }

  #heldBytes(spaceId: SpaceId, heldId: number | undefined): number {
    const all = this.#allHeld().get(spaceId) ?? 0;
    if (heldId === undefined) return all;
    const [own] = (this.#sql.getHeldBytes.get(heldId) as [number] | undefined) ?? [0];
    return all - own;
  }

  #reservedBytes(spaceId: SpaceId, { at, reservationId, heldId }: RoomNeeds): number {
    let sum = this.#heldBytes(spaceId, heldId);
    for (const [id, { bytes, expiresAt }] of this.of(spaceId)) {
      if (expiresAt > at && id !== reservationId) sum += bytes;
    }
    return sum;
  }

  tenant(id: TenantId): TenantState {
    const known = this.#tenants.get(id);
    if (known !== undefined) return known;
    const row = this.#sql.getTenant.get(id) as [number | null] | undefined;
    const tenant = { quotaBytes: row?.[0] ?? undefined, usedBytes: undefined };
    this.#tenants.set(id, tenant);
    return tenant;
  }

  /** The root of a space grew; a negative number: it shrank. */
  noteUse(spaceId: SpaceId, addedBytes: number): void {
    if (this.#tenants.size === 0 || addedBytes === 0) return;
    const tenant = this.#tenants.get(this.#tenantOf(spaceId));
    if (tenant?.usedBytes !== undefined) tenant.usedBytes += addedBytes;
  }

  /** @throws quota: the space, or its tenant, has no such room. */
  checkRoom(state: TreeState, space: SpaceState, addedBytes: number, needs: RoomNeeds): void {
    const { quotaBytes } = space;
    if (addedBytes > 0 && quotaBytes !== undefined) {
      const usedBytes = state.usedBytes(space);
      const reservedBytes = this.#reservedBytes(space.id, needs);
      check(overQuota, addedBytes, { usedBytes, reservedBytes, quotaBytes });
    }
    const { tenantAddedBytes = addedBytes } = needs;
    if (tenantAddedBytes <= 0) return;
    const tenant = this.tenant(space.tenant);
    if (tenant.quotaBytes === undefined) return;
    tenant.usedBytes ??= this.#sumOf(state, space.tenant);
    let reservedBytes = 0;
    for (const spaceId of new Set([...this.#all().keys(), ...this.#allHeld().keys()])) {
      if (this.#tenantOf(spaceId) !== space.tenant) continue;
      const own = spaceId === space.id ? needs : { at: needs.at };
      reservedBytes += this.#reservedBytes(spaceId, own);
    }
    const { usedBytes, quotaBytes: tenantQuotaBytes } = tenant;
    check(overTenantQuota, tenantAddedBytes,
      { usedBytes, reservedBytes, quotaBytes: tenantQuotaBytes });
  }

  #sumOf(state: TreeState, id: TenantId): number {
    state.flush(); // What has gathered in memory counts too.
    const [sumBytes] = this.#sql.sumTenant.get(id) as [number];
    return sumBytes;
  }

  setTenantQuota(id: TenantId, quotaBytes: number | undefined): void {
    const tenant = this.tenant(id);
    const isKnown = this.#sql.getTenant.get(id) !== undefined;
    if (isKnown) this.#sql.updateTenant.run(quotaBytes ?? null, id);
    else this.#sql.insertTenant.run(id, quotaBytes ?? null);
    tenant.quotaBytes = quotaBytes;
  }

  forget(): void {
    this.#reservations = undefined;
    this.#held = undefined;
    this.#tenants.clear();
  }
}

function check(
  refusal: typeof overQuota, neededBytes: number, { quotaBytes, ...figures }: UsageFigures,
): void {
  if (quotaBytes === undefined) return;
  const { usedBytes, reservedBytes } = figures;
  if (usedBytes + reservedBytes + neededBytes <= quotaBytes) return;
  throw refusal({ neededBytes, quotaBytes, usedBytes, reservedBytes });
}
