/** The errors of this module. None carries a secret or what somebody typed as a password. */
import { HoldfastError } from '../base/errors.ts';

export function noSuchUser(op: string): HoldfastError {
  return new HoldfastError('not-found', op, 'There is no such user.', { code: 'user-missing' });
}

export function userExists(op: string): HoldfastError {
  const message = 'There is already a user with this name. Choose another one.';
  return new HoldfastError('exists', op, message, { code: 'user-exists' });
}

export function noSuchGroup(op: string): HoldfastError {
  return new HoldfastError('not-found', op, 'There is no such group.', { code: 'group-missing' });
}

export function groupExists(op: string): HoldfastError {
  const message = 'There is or was a group of this name. Choose another one.';
  return new HoldfastError('exists', op, message, { code: 'group-exists' });
}

export function noSuchTenant(op: string): HoldfastError {
  return new HoldfastError('not-found', op, 'There is no such tenant.', { code: 'tenant-missing' });
}

export function tenantExists(op: string): HoldfastError {
  const message = 'There is already a tenant of this name. Choose another one.';
  return new HoldfastError('exists', op, message, { code: 'tenant-exists' });
}

export function tooManyTenants(op: string, countMax: number): HoldfastError {
  const message = `An installation can have ${countMax} tenants at most.`;
  return new HoldfastError('too-large', op, message, { code: 'tenants-max', facts: { countMax } });
}

export function otherTenant(op: string): HoldfastError {
  const message = 'The user and the group belong to different tenants.';
  return new HoldfastError('denied', op, message, { code: 'other-tenant' });
}

export function tooManyGroups(op: string, countMax: number): HoldfastError {
  const message = `A user can be in ${countMax} groups at most.`;
  return new HoldfastError('too-large', op, message, { code: 'groups-max', facts: { countMax } });
}

export function userChanged(op: string): HoldfastError {
  const message = 'The user was changed meanwhile. Try again.';
  return new HoldfastError('precondition', op, message, { code: 'user-changed' });
}

export function tooManyTokens(op: string, countMax: number): HoldfastError {
  const message = `A user can have ${countMax} of these at most. Revoke one first.`;
  return new HoldfastError('too-large', op, message, { code: 'tokens-max', facts: { countMax } });
}

/** One message for all reasons: unknown name, wrong password and disabled user look alike. */
export function notAuthenticated(op: string): HoldfastError {
  const message = 'The user name or the password is wrong, or the user is disabled.';
  return new HoldfastError('unauthenticated', op, message, { code: 'sign-in-refused' });
}

/** The password is right; the code is still missing. */
export function secondFactorRequired(op: string): HoldfastError {
  const message = 'Enter the code from your authenticator app too, or a recovery code.';
  return new HoldfastError('unauthenticated', op, message, { code: 'second-factor-required' });
}

/** One message for a code that is wrong, too old, or was used before. */
export function secondFactorWrong(op: string): HoldfastError {
  const message = 'This code is not right, or it was used before. Wait for the next one; if it is '
    + 'refused too, see that the clock of your phone is right.';
  return new HoldfastError('unauthenticated', op, message, { code: 'second-factor-wrong' });
}

/** For whatever cannot ask for a code. */
export function appPasswordRequired(op: string): HoldfastError {
  const message = 'This account signs in with a second step, so programs and devices need an app '
    + 'password. Make one on the page of your account, and enter it here.';
  return new HoldfastError('unauthenticated', op, message, { code: 'app-password-required' });
}

/** A browser's session could make what a device must not. */
export function ownPasswordRequired(op: string): HoldfastError {
  const message = 'That is an app password. Sign in here with your own password.';
  return new HoldfastError('unauthenticated', op, message, { code: 'own-password-required' });
}

export function secondFactorOn(op: string): HoldfastError {
  const message = 'Signing in with a second step is on already. Turn it off first.';
  return new HoldfastError('conflict', op, message, { code: 'second-factor-on' });
}

export function secondFactorOff(op: string): HoldfastError {
  const message = 'Signing in with a second step is not on, or setting it up took too long. Begin '
    + 'again.';
  return new HoldfastError('conflict', op, message, { code: 'second-factor-off' });
}

export function sessionOver(op: string): HoldfastError {
  const message = 'This session is over. Sign in again.';
  return new HoldfastError('unauthenticated', op, message, { code: 'session-over' });
}

export function tokenOver(op: string): HoldfastError {
  const message = 'This token is not known, was revoked, or has expired. Make another one.';
  return new HoldfastError('unauthenticated', op, message, { code: 'token-over' });
}

export function tooManyFailures(op: string, retryAfterMs: number): HoldfastError {
  const seconds = Math.ceil(retryAfterMs / 1000);
  const message = `Too many failed sign-ins. Try again in ${seconds} seconds.`;
  return new HoldfastError('busy', op, message, {
    code: 'sign-in-throttled', facts: { retryAfterMs },
  });
}

export function closed(op: string): HoldfastError {
  return new HoldfastError('unavailable', op, 'The server is shutting down.');
}
