/**
 * The frame around every answer of the OCS interface (Open Collaboration Services 1.6), in the two
 * versions and two formats that clients ask for. Pure.
 */
import { escapeText } from '../xml-text.ts';

export type OcsVersion = 1 | 2;
export type OcsFormat = 'json' | 'xml';

/** What can stand in an answer. A list becomes `<element>`s in XML. */
export type OcsValue =
  | string | number | boolean | null | readonly OcsValue[] | { readonly [key: string]: OcsValue };

export interface OcsAnswer {
  /** As HTTP understands it: 200 is success. */
  status: number;
  message?: string;
  data?: OcsValue;
}

export interface OcsText {
  /** What goes into the HTTP answer. */
  status: number;
  contentType: string;
  body: string;
}

const OK = 200;
const UNAUTHORISED = 401;
const TOO_MANY = 429;
const V1_OK = 100;
const OCS_UNAUTHORISED = 997;

/**
 * Version 1 says 200 to HTTP whatever happened, and keeps the truth in `statuscode`; version 2 says
 * the same in both places. A wrong password is 401 in both, and so is trouble of the server's own:
 * nobody may take "cannot be reached" or "come back later" for an answer.
 */
export function encodeOcs(version: OcsVersion, format: OcsFormat, answer: OcsAnswer): OcsText {
  const { status, data = [] } = answer;
  const isOk = status === OK;
  const meta = {
    status: isOk ? 'ok' : 'failure',
    statuscode: codeOf(version, status),
    message: answer.message ?? (isOk ? 'OK' : ''),
  };
  const httpStatus = httpStatusOf(version, status);
  return format === 'json'
    ? {
      status: httpStatus,
      contentType: 'application/json; charset=utf-8',
      body: JSON.stringify({ ocs: { meta, data } }),
    }
    : {
      status: httpStatus,
      contentType: 'text/xml; charset=utf-8',
      body: `<?xml version="1.0"?>\n${elementOf('ocs', { meta, data })}\n`,
    };
}

/** Version 1 has its own number for an address that leads nowhere. */
export const OCS_NO_ROUTE = 998;

function codeOf(version: OcsVersion, status: number): number {
  if (status === UNAUTHORISED) return OCS_UNAUTHORISED;
  if (status === OCS_NO_ROUTE) return version === 1 ? OCS_NO_ROUTE : 404;
  return status === OK && version === 1 ? V1_OK : status;
}

function httpStatusOf(version: OcsVersion, status: number): number {
  if (status === UNAUTHORISED || status === TOO_MANY) return status;
  if (status === OCS_NO_ROUTE) return version === 1 ? OK : 404;
  return version === 2 || status >= 500 ? status : OK;
}

/** JSON when asked for by `format=json` or, with no format named, by `Accept`; else XML. */
export function ocsFormatOf(wanted: string | null, accept: string | undefined): OcsFormat {
  if (wanted !== null) return wanted.toLowerCase() === 'json' ? 'json' : 'xml';
  return accept !== undefined && /application\/json/i.test(accept) ? 'json' : 'xml';
}

function elementOf(name: string, value: OcsValue): string {
  return `<${name}>${contentOf(value)}</${name}>`;
}

function contentOf(value: OcsValue): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? '1' : '';
  if (typeof value !== 'object') return escapeText(String(value));
  if (isList(value)) return value.map((one) => elementOf('element', one)).join('');
  return Object.entries(value).map(([key, one]) => elementOf(key, one)).join('');
}

function isList(value: readonly OcsValue[] | object): value is readonly OcsValue[] {
  return Array.isArray(value);
}
