import type { GroupId, TenantId, UserId } from '../base/ids.ts';
import type { UserRecord } from './records.ts';
import type { Scope } from './scopes.ts';

/** Who makes a request, as verified. */
export interface Caller {
  readonly user: UserId;
  /** Nothing of another tenant is seen, named or changed by this caller. */
  readonly tenant: TenantId;
  readonly displayName: string;
  readonly admin: boolean;
  /** Groups that the user is in, ascending. */
  readonly groups: readonly GroupId[];
  /** Grows with every group joined or left: what depends on them is remembered by it. */
  readonly groupsRev: number;
  /** The device's name; `password` for whoever signed in with a name and a password. */
  readonly device: string;
  /** Tells apart devices of one name; undefined for whoever signed in with the password. */
  readonly deviceId?: string;
  readonly credential: 'password' | 'app-password' | 'session' | 'api-token';
  /** All that the credential may be used for; undefined: whatever the user may do. */
  readonly scopes?: readonly Scope[];
  /** Network address of this very request; undefined when nobody has said it. */
  readonly address?: string;
}

export function callerOf(
  user: UserRecord, credential: Caller['credential'],
  { device, deviceId, groups, scopes }: {
    device: string; deviceId?: string | undefined; groups: readonly GroupId[];
    scopes?: readonly Scope[] | undefined;
  },
): Caller {
  const { id, tenant, displayName, groupsRev } = user;
  // Whoever was not given leave to administer is no administrator, whatever is asked.
  const admin = user.admin && (scopes === undefined || scopes.includes('admin'));
  return {
    user: id, tenant, displayName, admin, device, credential, groups, groupsRev,
    ...(deviceId !== undefined && { deviceId }), ...(scopes !== undefined && { scopes }),
  };
}
