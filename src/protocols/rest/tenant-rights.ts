/** Administrators of the default tenant administer the installation; those of other tenants theirs
 *  alone, and get to know nothing of others. */
import { HoldfastError } from '../../base/errors.ts';
import { DEFAULT_TENANT, parseTenantId } from '../../base/ids.ts';
import type { TenantId } from '../../base/ids.ts';
import type { Caller } from '../../identity/index.ts';

const OP = 'rest/tenantRights';

export function isInstallationAdmin({ admin, tenant }: Caller): boolean {
  return admin && tenant === DEFAULT_TENANT;
}

/** Whose things are meant. @throws denied. */
export function tenantMeant(caller: Caller, wanted: string | undefined): TenantId {
  if (wanted === undefined || wanted === caller.tenant) return caller.tenant;
  checkInstallation(caller);
  return parseTenantId(wanted);
}

/** @throws denied: what is asked concerns all tenants. */
export function checkInstallation(caller: Caller): void {
  if (isInstallationAdmin(caller)) return;
  const message = 'Only administrators of the whole installation can do this.';
  throw new HoldfastError('denied', OP, message, { code: 'installation-only' });
}

/** Answers what was found, if it is of a tenant that the caller administers. Else it is not there.
 *  @throws not-found. */
export function inReach<T extends { tenant: TenantId }>(
  caller: Caller, found: T | undefined, what: 'user' | 'group',
): T {
  if (found !== undefined && (found.tenant === caller.tenant || isInstallationAdmin(caller))) {
    return found;
  }
  const code = `${what}-missing`;
  throw new HoldfastError('not-found', OP, `There is no such ${what}.`, { code });
}
