/** What an answer of the service means: try again, or give up, and what to do about it. */
import { HoldfastError } from '../../../base/errors.ts';
import type { ErrorKind } from '../../../base/errors.ts';
import type { Dialect } from './dialect.ts';
import type { WireAnswer } from './object-wire.ts';
import { WireError } from './object-wire.ts';
import { Passing } from './retrying.ts';

export interface FaultContext {
  op: string;
  dialect: Dialect;
  bucket: string;
  /** Milliseconds since 1970, to tell a wrong clock from a wrong key. */
  nowMs: number;
}

interface Meaning {
  kind?: ErrorKind;
  code: string;
  message: string;
}

const SKEW_MAX_MS = 60_000;
const WAIT_MAX_S = 60;

/** Words of services that mean: the same request may succeed in a moment. */
const PASSING_CODES = [
  'InternalError', 'ServiceUnavailable', 'SlowDown', 'Throttling', 'ThrottlingException',
  'RequestTimeout', 'RequestTimeoutException', 'OperationAborted', 'TooManyRequests',
  // The bytes changed on the way to the service, and it noticed.
  'BadDigest', 'InvalidDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch',
  'IncompleteBody', 'ChecksumMismatch',
];
const SLOW_CODES = ['SlowDown', 'Throttling', 'ThrottlingException', 'TooManyRequests'];
const FULL_CODES = ['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'StorageFull'];

/** The error of an answer that is not what was asked for. `code` is the service's word, if any. */
export function faultOf(
  answer: WireAnswer, code: string | undefined, context: FaultContext,
): HoldfastError | Passing {
  const { op, dialect, bucket } = context;
  const facts = { status: answer.status, bucket, ...(code !== undefined && { serviceCode: code }) };
  if (isPassing(answer.status, code)) {
    const slow = answer.status === 429 || (code !== undefined && SLOW_CODES.includes(code));
    const message = slow
      ? `${upper(dialect.service)} asks to slow down. Try again shortly.`
      : `${upper(dialect.service)} failed to answer. Try again later.`;
    const kind = slow ? 'busy' : 'unavailable';
    const fault = new HoldfastError(kind, op, message, { code: 'service-failed', facts });
    return new Passing(fault, waitOf(answer));
  }
  const { kind, message, code: own } = meaningOf(answer, code, context);
  return new HoldfastError(kind ?? 'unavailable', op, message, { code: own, facts });
}

/** The error of an exchange that broke down. */
export function faultOfWire(error: WireError, context: FaultContext): Passing {
  const { op, dialect, bucket } = context;
  const why = {
    timeout: 'did not answer in time', broken: 'cannot be reached', 'too-long': 'answered wrongly',
  }[error.trouble];
  const message = `${upper(dialect.service)} ${why}. Check the network and ${dialect.settings}`
    + '.endpoint if this lasts.';
  const facts = { bucket, trouble: error.trouble };
  const options = { code: 'service-unreachable', facts, cause: error };
  return new Passing(new HoldfastError('unavailable', op, message, options));
}

/** An answer that says "success" and does not make sense. */
export function garbled(what: string, context: FaultContext): Passing {
  const { op, dialect, bucket } = context;
  const message = `${upper(dialect.service)} gave ${what} that makes no sense. Check `
    + `${dialect.settings}.endpoint: something else may be answering there.`;
  const options = { code: 'service-garbled', facts: { bucket } };
  return new Passing(new HoldfastError('unavailable', op, message, options));
}

function isPassing(status: number, code: string | undefined): boolean {
  if (code !== undefined && PASSING_CODES.includes(code)) return true;
  if (code !== undefined && FULL_CODES.includes(code)) return false;
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 507);
}

function waitOf(answer: WireAnswer): number {
  const seconds = Number(answer.headers['retry-after'] ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, WAIT_MAX_S) * 1000 : 0;
}

function meaningOf(
  answer: WireAnswer, code: string | undefined, context: FaultContext,
): Meaning {
  const { dialect } = context;
  const { settings } = dialect;
  if (answer.status === 507 || (code !== undefined && FULL_CODES.includes(code))) {
    const message = `${upper(dialect.service)} has no room left. Raise its quota or add storage.`;
    return { kind: 'full', code: 'service-full', message };
  }
  const known = code === undefined ? undefined : BY_CODE[code]?.(settings);
  if (known !== undefined) return known;
  const skewMs = skewOf(answer, context.nowMs);
  if (answer.status === 403 && Math.abs(skewMs) > SKEW_MAX_MS) return clockIsWrong(skewMs);
  if (answer.status === 403 || answer.status === 401) return accessDenied(settings);
  if (answer.status === 404) return wrongPlace(settings);
  if (answer.status >= 300 && answer.status < 400) return wrongRegion(settings);
  const message = `${upper(dialect.service)} refused the request`
    + `${code === undefined ? '' : ` (${code})`}. Check the settings ${settings}. Some services `
    + 'refuse headers with checksums: try checksum_headers = false.';
  return { code: 'service-refused', message };
}

function skewOf(answer: WireAnswer, nowMs: number): number {
  const theirs = Date.parse(answer.headers.date ?? '');
  return Number.isNaN(theirs) ? 0 : nowMs - theirs;
}

function clockIsWrong(skewMs?: number): Meaning {
  const by = skewMs === undefined ? '' : ` by ${Math.round(Math.abs(skewMs) / 1000)} seconds`;
  const message = `This machine's clock differs from the object store's${by}, so requests are `
    + 'refused. Set the clock, best by NTP.';
  return { code: 'clock-wrong', message };
}

function accessDenied(settings: string): Meaning {
  const message = 'The object store denies access to the bucket. Allow this access key to list '
    + `the bucket and to get, put and delete objects in it, or correct ${settings}.bucket.`;
  return { code: 'access-denied', message };
}

function badKey(settings: string): Meaning {
  const message = 'The object store does not know the access key. Correct '
    + `${settings}.access_key_id, or make a new key.`;
  return { code: 'credentials-refused', message };
}

function badSecret(settings: string): Meaning {
  const message = 'The object store refuses the signature. The secret does not belong to the '
    + `access key: correct ${settings}.secret_access_key. A proxy that changes headers has the `
    + 'same effect.';
  return { code: 'credentials-refused', message };
}

function expired(settings: string): Meaning {
  const message = `The temporary credentials of ${settings} have expired. Give new ones.`;
  return { code: 'credentials-expired', message };
}

function noBucket(settings: string): Meaning {
  const message = `The bucket does not exist. Create it, or correct ${settings}.bucket. If it was `
    + 'there before, do not make an empty one: find out who deleted it.';
  return { code: 'bucket-missing', message };
}

function wrongRegion(settings: string): Meaning {
  const message = `The bucket lies in another region. Correct ${settings}.region or `
    + `${settings}.endpoint.`;
  return { code: 'region-wrong', message };
}

function wrongPlace(settings: string): Meaning {
  const message = 'What answers there does not speak like an object store. Correct '
    + `${settings}.endpoint, and ${settings}.addressing if the bucket's name belongs in the path.`;
  return { code: 'endpoint-wrong', message };
}

function archived(): Meaning {
  const message = 'The object was moved to an archive class and cannot be read at once. Restore '
    + 'it, and take the lifecycle rule off this bucket.';
  return { code: 'object-archived', message };
}

const BY_CODE: Readonly<Record<string, (settings: string) => Meaning>> = {
  AccessDenied: accessDenied,
  AllAccessDisabled: accessDenied,
  AccountProblem: accessDenied,
  InvalidAccessKeyId: badKey,
  InvalidSecurity: badKey,
  SignatureDoesNotMatch: badSecret,
  ExpiredToken: expired,
  InvalidToken: expired,
  TokenRefreshRequired: expired,
  RequestTimeTooSkewed: () => clockIsWrong(),
  NoSuchBucket: noBucket,
  InvalidBucketName: noBucket,
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  InvalidObjectState: archived,
};

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
