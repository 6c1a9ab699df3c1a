import type { GroupId, TenantId, UserId } from '../base/ids.ts';
import type { UserRecord } from './records.ts';

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
  readonly credential: 'password' | 'app-password' | 'session';
  /** Network address of this very request; undefined when nobody has said it. */
  readonly address?: string;
}

export function callerOf(
  user: UserRecord, credential: Caller['credential'],
  { device, deviceId, groups }: {
    device: string; deviceId?: string | undefined; groups: readonly GroupId[];
  },
): Caller {
  const { id, tenant, displayName, admin, groupsRev } = user;
  return {
    user: id, tenant, displayName, admin, device, credential, groups, groupsRev,
    ...(deviceId !== undefined && { deviceId }),
  };
}
