/** Refusals of the DAV family: one XML form, whose message clients show to their users. */
import { HoldfastError } from '../base/errors.ts';
import type { Exchange } from '../platform/index.ts';
import { leaveBody } from './request-body.ts';
import { conditionOf, exceptionOf, retryAfterSeconds, statusOf } from './status.ts';
import { escapeText } from './xml-text.ts';

const CHALLENGE = 'Basic realm="Holdfast", charset="UTF-8"';

/**
 * Answers with the status that `status.ts` has for the error, and a body that says why. Faults of
 * the server are logged with the request's id. An error after the answer has begun is thrown again:
 * the server then cuts the connection, so that nobody takes half an answer for a whole one.
 */
export function sendDavError(exchange: Exchange, error: unknown): void {
  const { req, res } = exchange;
  if (res.destroyed && !res.headersSent) return;
  if (res.headersSent) throw error;
  const fault = error instanceof HoldfastError ? error : unexpected(error);
  const status = statusOf(fault);
  if (fault.kind === 'internal' || fault.kind === 'corrupt') {
    exchange.log.error({ err: error, method: req.method }, 'request failed');
  }
  const body = Buffer.from(davErrorXml(fault, exchange));
  const headers = [
    'Content-Type', 'application/xml; charset=utf-8', 'Content-Length', String(body.length),
  ];
  if (status === 401) headers.push('WWW-Authenticate', CHALLENGE);
  const retrySeconds = retryAfterSeconds(fault);
  if (retrySeconds !== undefined) headers.push('Retry-After', String(retrySeconds));
  const { sizeBytes } = fault.facts;
  if (status === 416) headers.push('Content-Range', `bytes */${sizeBytes ?? '*'}`);
  leaveBody(req, res);
  res.writeHead(status, headers);
  res.end(body);
}

/** The body of a refusal (RFC 4918, section 14.5, with the two elements that clients read). */
export function davErrorXml(fault: HoldfastError, exchange: Pick<Exchange, 'path'>): string {
  const exception = exceptionOf(statusOf(fault));
  const condition = conditionOf(fault);
  const named = condition === undefined ? '' : `<d:${condition}>${hrefFor(condition, exchange)}`
    + `</d:${condition}>\n`;
  return '<?xml version="1.0" encoding="utf-8"?>\n'
    + '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n'
    + `<s:exception>${exception}</s:exception>\n`
    + `<s:message>${escapeText(fault.message)}</s:message>\n${named}</d:error>\n`;
}

/** Some preconditions name the resource they are about. */
function hrefFor(condition: string, { path }: Pick<Exchange, 'path'>): string {
  if (condition !== 'lock-token-submitted' && condition !== 'no-conflicting-lock') return '';
  return `<d:href>${escapeText(path)}</d:href>`;
}

function unexpected(cause: unknown): HoldfastError {
  const message = 'Something went wrong on the server. Nothing was changed by this request, or it '
    + 'was changed as a whole: look before you try again.';
  return new HoldfastError('internal', 'protocols/sendDavError', message, { cause });
}
