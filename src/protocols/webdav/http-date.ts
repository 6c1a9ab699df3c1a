/** Dates as HTTP and DAV write them (RFC 9110, section 5.6.7; RFC 3339). */
import type { Instant } from '../../metadata/index.ts';

const DAY_SECONDS = 86_400;
const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

let lastSecond = NaN;
let lastText = '';
let lastDay = NaN;
let lastDayText = '';

/** `Sat, 21 Nov 2026 03:55:17 GMT`. A listing asks for thousands of these, mostly close together:
 *  the last second and the last day are remembered. */
export function httpDate(at: Instant): string {
  const second = Math.floor(at / 1000);
  if (second === lastSecond) return lastText;
  const day = Math.floor(second / DAY_SECONDS);
  if (day !== lastDay) {
    lastDay = day;
    lastDayText = new Date(day * DAY_SECONDS * 1000).toUTCString().slice(0, -'00:00:00 GMT'.length);
  }
  const inDay = second - day * DAY_SECONDS;
  const hours = TWO_DIGITS[Math.floor(inDay / 3600)] ?? '';
  const minutes = TWO_DIGITS[Math.floor((inDay % 3600) / 60)] ?? '';
  const seconds = TWO_DIGITS[inDay % 60] ?? '';
  lastSecond = second;
  lastText = `${lastDayText}${hours}:${minutes}:${seconds} GMT`;
  return lastText;
}

/** `2026-11-21T03:55:17Z`, as `creationdate` has it. */
export function isoDate(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, -'.000Z'.length)}Z`;
}

const HTTP_DATE = /^[A-Z][a-z]{2,8},? [0-9A-Za-z :-]{12,30}$/;

/** undefined when it is no date: such a condition is passed over (RFC 9110, section 13.1.3). */
export function parseHttpDate(raw: string): Instant | undefined {
  if (!HTTP_DATE.test(raw)) return undefined;
  const at = Date.parse(raw);
  return Number.isNaN(at) ? undefined : at;
}

const UNIX_SECONDS = /^-?[0-9]{1,12}(?:\.[0-9]{1,9})?$/;

/** Seconds since 1970, fractions allowed; undefined when it is something else. */
export function parseUnixSeconds(raw: string): Instant | undefined {
  const text = raw.trim();
  if (!UNIX_SECONDS.test(text)) return undefined;
  const at = Math.round(Number(text) * 1000);
  return Math.abs(at) <= DATE_MAX_MS ? at : undefined;
}

/** The range of `Date`. */
const DATE_MAX_MS = 8_640_000_000_000_000;
