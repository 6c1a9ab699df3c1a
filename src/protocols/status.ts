/** The one place where the DAV family of protocols learns of our errors. */
import type { ErrorKind, HoldfastError } from '../base/errors.ts';

/** The compiler demands every kind. */
const STATUS: Readonly<Record<ErrorKind, number>> = {
  'not-found': 404, exists: 405, conflict: 409, precondition: 412, locked: 423,
  unauthenticated: 401, denied: 403, invalid: 400, 'too-large': 413, quota: 507, full: 507,
  busy: 503, unavailable: 503, corrupt: 500, internal: 500,
};

/** Codes for which the protocol has a more telling answer than for their kind. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  'is-folder': 405,
  'method-unknown': 405,
  'body-unwanted': 415,
  'range-outside': 416,
  'sign-in-throttled': 429,
  'not-implemented': 501,
  'other-server': 502,
  'lock-token-wrong': 409,
};

export function statusOf(error: HoldfastError): number {
  const refined = error.code === undefined ? undefined : STATUS_OF_CODE[error.code];
  return refined ?? STATUS[error.kind];
}

/** Class names that clients know. Of these, `ServiceUnavailable` makes a client give up its whole
 *  run and keep what it has, which is what "cannot be reached" must lead to. */
const EXCEPTION: Readonly<Record<number, string>> = {
  400: 'BadRequest', 401: 'NotAuthenticated', 403: 'Forbidden', 404: 'NotFound',
  405: 'MethodNotAllowed', 409: 'Conflict', 412: 'PreconditionFailed', 415: 'UnsupportedMediaType',
  416: 'RequestedRangeNotSatisfiable', 423: 'Locked', 501: 'NotImplemented',
  503: 'ServiceUnavailable', 507: 'InsufficientStorage',
};

export function exceptionOf(status: number): string {
  const name = EXCEPTION[status];
  return name === undefined ? 'Sabre\\DAV\\Exception' : `Sabre\\DAV\\Exception\\${name}`;
}

/** Preconditions that RFC 4918, section 16, gives names to: elements of the namespace `DAV:`. */
const CONDITION_OF_CODE: Readonly<Record<string, string>> = {
  'propfind-depth': 'propfind-finite-depth',
  'lock-conflict': 'no-conflicting-lock',
  'lock-token-wrong': 'lock-token-matches-request-uri',
  'lock-token-stale': 'lock-token-matches-request-uri',
};

export function conditionOf(error: HoldfastError): string | undefined {
  const named = error.code === undefined ? undefined : CONDITION_OF_CODE[error.code];
  return named ?? (error.kind === 'locked' ? 'lock-token-submitted' : undefined);
}

const RETRY_SECONDS = 5;

/** When to come back; undefined for errors that do not pass by themselves. */
export function retryAfterSeconds(error: HoldfastError): number | undefined {
  if (!error.retryable) return undefined;
  const { retryAfterMs } = error.facts;
  if (typeof retryAfterMs !== 'number') return RETRY_SECONDS;
  return Math.max(1, Math.ceil(retryAfterMs / 1000));
}
