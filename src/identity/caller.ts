import type { UserId } from '../base/ids.ts';
import type { UserRecord } from './records.ts';

/** Who makes a request, as verified. */
export interface Caller {
  readonly user: UserId;
  readonly displayName: string;
  readonly admin: boolean;
  /** The device's name; `password` for whoever signed in with a name and a password. */
  readonly device: string;
  readonly credential: 'password' | 'app-password' | 'session';
}

export function callerOf(
  user: UserRecord, credential: Caller['credential'], device: string,
): Caller {
  const { id, displayName, admin } = user;
  return { user: id, displayName, admin, device, credential };
}
