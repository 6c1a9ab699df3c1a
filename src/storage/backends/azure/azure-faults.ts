/** What an answer of Azure means to the caller: try again, give up, and what to do about it. */
import { HoldfastError, type ErrorKind } from '../../../base/errors.ts';
import type { WireAnswer, WireError } from '../s3/object-wire.ts';
import { Passing } from '../s3/retrying.ts';
import { AZURE_SETTINGS } from './azure-options.ts';

export interface AzureContext {
  op: string;
  container: string;
  /** Before the names of settings in messages. */
  section: string;
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

/** The same request may succeed in a moment; with the last ones the body changed on the way. */
const PASSING_CODES = [
  'InternalError', 'OperationTimedOut', 'ServerBusy', 'Md5Mismatch', 'InvalidMd5', 'Crc64Mismatch',
];

/** The error of an answer that is not what was asked for. `code` is the service's word, if any. */
export function azureFault(
  answer: WireAnswer, code: string | undefined, context: AzureContext,
): HoldfastError | Passing {
  const { op, container } = context;
  const { status } = answer;
  const facts = { status, container, ...(code !== undefined && { serviceCode: code }) };
  const isPassing = PASSING_CODES.includes(code ?? '') || status === 408 || status === 429
    || (status >= 500 && status !== 501 && status !== 507);
  if (!isPassing) {
    const { kind, message, code: own } = meaningOf(answer, code, context);
    const text = message.replaceAll(AZURE_SETTINGS, context.section);
    return new HoldfastError(kind ?? 'unavailable', op, text, { code: own, facts });
  }
  const isSlow = code === 'ServerBusy' || status === 429;
  const message = isSlow
    ? 'Azure Blob storage asks to slow down. Try again shortly.'
    : 'Azure Blob storage failed to answer. Try again later.';
  const options = { code: 'service-failed', facts };
  return new Passing(
    new HoldfastError(isSlow ? 'busy' : 'unavailable', op, message, options), waitOf(answer),
  );
}

/** The error of an exchange that broke down. */
export function azureWireFault(
  error: WireError, { op, container, section }: AzureContext,
): Passing {
  const why = {
    timeout: 'did not answer in time', broken: 'cannot be reached', 'too-long': 'answered wrongly',
  }[error.trouble];
  const message = `Azure Blob storage ${why}. Check the network, ${section}.account and `
    + `${section}.endpoint if this lasts.`;
  const facts = { container, trouble: error.trouble };
  const options = { code: 'service-unreachable', facts, cause: error };
  return new Passing(new HoldfastError('unavailable', op, message, options));
}

/** An answer that says "success" and does not make sense. */
export function azureGarbled(what: string, { op, container, section }: AzureContext): Passing {
  const message = `Azure Blob storage gave ${what} that makes no sense. Check `
    + `${section}.endpoint: something else may be answering there.`;
  const options = { code: 'service-garbled', facts: { container } };
  return new Passing(new HoldfastError('unavailable', op, message, options));
}

function waitOf({ headers }: WireAnswer): number {
  const seconds = Number(headers['retry-after'] ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, WAIT_MAX_S) * 1000 : 0;
}

function meaningOf(answer: WireAnswer, code: string | undefined, context: AzureContext): Meaning {
  const { status, headers } = answer;
  if (status === 507) return { kind: 'full', ...FULL };
  if (status === 401 || status === 403) {
    const theirMs = Date.parse(headers.date ?? '');
    const skewMs = Number.isNaN(theirMs) ? 0 : context.nowMs - theirMs;
    if (Math.abs(skewMs) > SKEW_MAX_MS) return wrongClock(skewMs);
    return BY_CODE[code ?? ''] ?? DENIED;
  }
  const known = BY_CODE[code ?? ''];
  if (known !== undefined) return known;
  if (status === 404 || (status >= 300 && status < 400)) return WRONG_PLACE;
  const word = code === undefined ? '' : ` (${code})`;
  const message = `Azure Blob storage refused the request${word}. Check the settings `
    + 'storage.azure.';
  return { code: 'service-refused', message };
}

function wrongClock(skewMs: number): Meaning {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const message = `This machine's clock differs from Azure's by ${seconds} seconds, so requests `
    + 'are refused. Set the clock, best by NTP.';
  return { code: 'clock-wrong', message };
}

const FULL: Meaning = {
  code: 'service-full',
  message: 'Azure Blob storage has no room left for this account. Raise its limit.',
};
const DENIED: Meaning = {
  code: 'access-denied',
  message: 'Azure denies access to the container. Check storage.azure.account_key, or that '
    + 'storage.azure.sas_token may list, read, create, write and delete there, and that the '
    + 'account\'s network rules let this machine in.',
};
const NO_CONTAINER: Meaning = {
  code: 'bucket-missing',
  message: 'The container does not exist. Create it, or correct storage.azure.container. If it was '
    + 'there before, do not make an empty one: find out who deleted it.',
};
const WRONG_PLACE: Meaning = {
  code: 'endpoint-wrong',
  message: 'What answers there does not speak like Azure Blob storage. Correct '
    + 'storage.azure.account or storage.azure.endpoint.',
};
const ARCHIVED: Meaning = {
  code: 'object-archived',
  message: 'The blob was moved to the archive tier and cannot be read at once. Rehydrate it, and '
    + 'take the lifecycle rule off this container.',
};
const BY_CODE: Readonly<Record<string, Meaning>> = {
  AuthenticationFailed: {
    code: 'credentials-refused',
    message: 'Azure refuses the signature. Correct storage.azure.account_key or storage.azure.'
      + 'sas_token; a shared access signature may also have expired.',
  },
  KeyBasedAuthenticationNotPermitted: {
    code: 'credentials-refused',
    message: 'The storage account takes no account keys. Set storage.azure.sas_token instead, made '
      + 'by a user delegation.',
  },
  AccountIsDisabled: {
    code: 'access-denied',
    message: 'The storage account is disabled. Look after its subscription.',
  },
  ContainerNotFound: NO_CONTAINER,
  ContainerBeingDeleted: NO_CONTAINER,
  ContainerDisabled: NO_CONTAINER,
  InvalidResourceName: NO_CONTAINER,
  ResourceNotFound: WRONG_PLACE,
  BlobArchived: ARCHIVED,
  BlobBeingRehydrated: ARCHIVED,
};
