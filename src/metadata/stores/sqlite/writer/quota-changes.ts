/** The changes of reservations and tenants, on SQLite. */
import { RESERVATIONS_MAX } from '../../../access-changes.ts';
import type { DropReservation, ReserveQuota, SetTenantQuota } from '../../../access-changes.ts';
import type { PutFile } from '../../../changes.ts';
import { tooManyReservations } from '../../../refusals.ts';
import { resultOf } from './tree-changes.ts';
import type { Write } from './tree-changes.ts';
import type { TreeState } from './tree-state.ts';

export function reserveQuota(state: TreeState, change: ReserveQuota): Write {
  const { reservationId, bytes, at, expiresAt } = change;
  const space = state.space(change.spaceId);
  const { quotas } = state;
  quotas.checkRoom(state, space, bytes, { at, reservationId });
  const there = quotas.of(space.id).get(reservationId);
  const isNew = there === undefined || there.expiresAt <= at;
  if (isNew && quotas.countAt(at) >= RESERVATIONS_MAX) throw tooManyReservations(RESERVATIONS_MAX);
  return () => {
    quotas.dropExpired(at);
    quotas.put(space.id, reservationId, { bytes, expiresAt });
    return resultOf(state, space, undefined, isNew);
  };
}

export function dropReservation(state: TreeState, change: DropReservation): Write {
  const space = state.space(change.spaceId);
  return () => {
    state.quotas.drop(space.id, change.reservationId);
    return resultOf(state, space, undefined, false);
  };
}

/** What was reserved for a file goes with the file's own change. */
export function settling(
  state: TreeState, change: Pick<PutFile, 'spaceId' | 'reservationId'>, write: Write,
): Write {
  const { spaceId, reservationId } = change;
  if (reservationId === undefined) return write;
  return () => {
    state.quotas.drop(spaceId, reservationId);
    return write();
  };
}

export function setTenantQuota(state: TreeState, change: SetTenantQuota): Write {
  return () => {
    state.quotas.setTenantQuota(change.tenant, change.quotaBytes);
    return { node: undefined, created: false, rev: 0, count: 0 };
  };
}
