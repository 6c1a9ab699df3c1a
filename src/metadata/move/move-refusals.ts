/** Every refusal of a tenant's move. */
import { HoldfastError } from '../../base/errors.ts';
import type { ErrorKind } from '../../base/errors.ts';

const OP = 'metadata/TenantMover';

type Facts = Readonly<Record<string, string | number>>;

function refusal(kind: ErrorKind, code: string, message: string, facts?: Facts): HoldfastError {
  return new HoldfastError(kind, OP, message, { code, ...(facts !== undefined && { facts }) });
}

export const moveMissing = (tenant: string): HoldfastError =>
  refusal('not-found', 'move-missing', `Tenant ${tenant} is not being moved. See: holdfast tenant `
    + 'move status', { tenant });

export const moveUnderWay = (tenant: string): HoldfastError =>
  refusal('conflict', 'move-under-way', `Tenant ${tenant} is being moved already. See: holdfast `
    + 'tenant move status', { tenant });

export const isThere = (tenant: string, shard: number): HoldfastError =>
  refusal('conflict', 'is-there', `Tenant ${tenant} is on shard ${shard} already.`, { shard });

export const tooLate = (state: string): HoldfastError =>
  refusal('conflict', 'move-too-late', `This cannot be asked of a move in state "${state}". See: `
    + 'holdfast tenant move status', { state });

export const targetInUse = (tenant: string, shard: number): HoldfastError =>
  refusal('conflict', 'target-in-use', `Shard ${shard} has spaces of tenant ${tenant} that `
    + 'count as being at home there. Nothing was changed. Find out whose they are before you move '
    + 'it there.', { tenant, shard });

export const placeDiffers = (tenant: string, shard: number): HoldfastError =>
  refusal('corrupt', 'place-differs', `Shard ${shard} says otherwise than the directory where `
    + `tenant ${tenant} is at home. Nothing was changed. Restore the directory from a backup.`,
  { tenant, shard });

export const movedElsewhere = (tenant: string): HoldfastError =>
  refusal('conflict', 'move-elsewhere', `Another server has begun to move tenant ${tenant}, and it `
    + 'is not over: see "holdfast tenant move status" there, and finish or abort it. If no server '
    + 'knows of it any more, delete the tenant from the table move_capture of both databases.',
  { tenant });

export const movedByAnother = (): HoldfastError =>
  refusal('unavailable', 'moved-by-another', 'Another server goes on with this move. See there: '
    + 'holdfast tenant move status');

/** Said by the shard itself, within the transaction that is refused. */
export const placeChanged = (): HoldfastError =>
  refusal('conflict', 'place-changed', 'The shard that the move writes to says otherwise '
    + 'where the tenant is at home. Nothing was changed. Find out who else has moved the tenant; '
    + 'then: holdfast tenant move resume');

/** The first of the rows that differ. */
export const copyDiffers = (table: string, key: string, count: number): HoldfastError =>
  refusal('corrupt', 'copy-differs', `The copy differs from what was copied, in ${count} rows. The `
    + 'tenant stays where it is. Abort the move and begin it again.', { table, key, count });

export const freezeTooLong = (maxMs: number): HoldfastError =>
  refusal('busy', 'freeze-too-long', `What was left could not be carried over within ${maxMs} ms.`,
    { maxMs });
