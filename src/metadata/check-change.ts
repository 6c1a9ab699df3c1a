/** What every store refuses at its door: numbers that no store could keep. Pure. */
import { GRANT_TERMS_BYTES_MAX, RESERVATION_ID_LENGTH_MAX } from './access-changes.ts';
import type { PutGrant } from './access-changes.ts';
import type { Change } from './changes.ts';
import { DEVICE_KEY_LENGTH_MAX } from './holds.ts';
import { outOfRange, termsTooLarge } from './refusals.ts';
import { KEEP_DAYS_MAX } from './retention.ts';
import type { RetentionRule } from './retention.ts';

/** The range of `Date`, in milliseconds. */
const INSTANT_MAX = 8_640_000_000_000_000;

function checkInstant(field: string, instant: number | undefined): void {
  if (instant === undefined) return;
  const kept = Number.isInteger(instant) && Math.abs(instant) <= INSTANT_MAX;
  if (!kept) throw outOfRange(field);
}

function checkCount(field: string, count: number | undefined): void {
  if (count === undefined) return;
  if (!Number.isSafeInteger(count) || count < 0) throw outOfRange(field);
}

const SUBJECT_LENGTH_MAX = 200;

function checkLength(field: string, text: string, lengthMax: number): void {
  if (text === '' || text.length > lengthMax || !text.isWellFormed()) throw outOfRange(field);
}

function checkGrant({ subject, terms }: PutGrant): void {
  const text = subject.kind === 'link' ? subject.tokenHash : subject.id;
  checkLength('subject', text, SUBJECT_LENGTH_MAX);
  if (Buffer.byteLength(terms) > GRANT_TERMS_BYTES_MAX) throw termsTooLarge(GRANT_TERMS_BYTES_MAX);
}

function checkRule({ keepAllDays, keepDailyDays, trashKeepDays }: RetentionRule): void {
  for (const days of [keepAllDays, keepDailyDays, trashKeepDays]) {
    checkCount('days', days);
    if (days !== undefined && days > KEEP_DAYS_MAX) throw outOfRange('days');
  }
}

/** What only one kind of change has. */
function checkPeculiar(change: Change): void {
  switch (change.op) {
    case 'put-grant': checkGrant(change); break;
    case 'set-retention': checkRule(change.rule); break;
    case 'open-quarantine':
      checkLength('deviceKey', change.deviceKey, DEVICE_KEY_LENGTH_MAX);
      break;
    case 'hold':
      checkInstant('modifiedAt', change.file?.modifiedAt);
      checkCount('sizeBytes', change.file?.content.sizeBytes);
      break;
    default:
  }
}

/** @throws invalid: an instant outside the range of `Date`, or a size or number that is not a whole
 *  one from 0 upwards, or a text without a stated length; too-large: terms of a grant. */
export function checkChange(change: Change): void {
  if ('actor' in change) checkInstant('at', change.actor.at);
  if ('modifiedAt' in change) checkInstant('modifiedAt', change.modifiedAt);
  if ('createdAt' in change) checkInstant('createdAt', change.createdAt);
  if ('expiresAt' in change) checkInstant('expiresAt', change.expiresAt);
  if ('at' in change) checkInstant('at', change.at);
  if ('content' in change) checkCount('sizeBytes', change.content.sizeBytes);
  if ('quotaBytes' in change) checkCount('quotaBytes', change.quotaBytes);
  if ('sizeBytes' in change) checkCount('sizeBytes', change.sizeBytes);
  if ('number' in change) checkCount('number', change.number);
  if ('totalBytes' in change) checkCount('totalBytes', change.totalBytes);
  if ('bytes' in change) checkCount('bytes', change.bytes);
  if ('countMax' in change) checkCount('countMax', change.countMax);
  if ('reservationId' in change && change.reservationId !== undefined) {
    checkLength('reservationId', change.reservationId, RESERVATION_ID_LENGTH_MAX);
  }
  if ('lock' in change) checkInstant('expiresAt', change.lock.expiresAt);
  checkPeculiar(change);
}

/** @throws invalid unless `limit` is a whole number from 1 to `max`. */
export function checkLimit(limit: number, max: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > max) throw outOfRange('limit');
}
