/** Refusals of the API: problem documents (RFC 9457) with a stable code. */
import { HoldfastError } from '../../base/errors.ts';
import type { ErrorKind } from '../../base/errors.ts';
import type { Exchange } from '../../platform/index.ts';
import type { Problem } from '../../wire/shapes.ts';
import { leaveBody } from '../request-body.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const TITLE: Readonly<Record<ErrorKind, string>> = {
  'not-found': 'Not found', exists: 'Already there', conflict: 'Not as things are now',
  precondition: 'Changed meanwhile', locked: 'Locked', unauthenticated: 'Sign in first',
  denied: 'Not allowed', invalid: 'The request is wrong', 'too-large': 'Too large',
  quota: 'No room left for this owner', full: 'No room left on the server',
  busy: 'Try again shortly', unavailable: 'Cannot be reached', corrupt: 'Damaged',
  internal: 'A fault of the server',
};

/** Where this interface has another answer than the DAV family. */
const STATUS: Readonly<Partial<Record<ErrorKind, number>>> = { exists: 409 };
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  'is-folder': 409,
  'idempotency-reuse': 422,
  'media-type': 415,
};

export function restStatusOf(error: HoldfastError): number {
  const refined = error.code === undefined ? undefined : STATUS_OF_CODE[error.code];
  return refined ?? STATUS[error.kind] ?? statusOf(error);
}

export function problemOf(error: HoldfastError, requestId: string): Problem {
  const code = error.code ?? error.kind;
  const { at } = error.facts;
  return {
    type: `urn:holdfast:problem:${code}`, title: TITLE[error.kind], status: restStatusOf(error),
    detail: error.message, code, instance: `urn:holdfast:request:${requestId}`,
    ...(typeof at === 'string' && { at }),
  };
}

/** Headers of a refusal, besides type and length. */
export function problemHeaders(error: HoldfastError, status: number): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  // No Basic challenge: a browser would open its own dialog over the page that asks.
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer realm="Holdfast"';
  const retrySeconds = retryAfterSeconds(error);
  if (retrySeconds !== undefined) headers['Retry-After'] = String(retrySeconds);
  const { sizeBytes, allow } = error.facts;
  if (status === 416) headers['Content-Range'] = `bytes */${sizeBytes ?? '*'}`;
  if (status === 405 && typeof allow === 'string') headers['Allow'] = allow;
  return headers;
}

/** As an error of ours; what nobody has foreseen becomes an internal one. */
export function faultOf(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const { statusCode, code } = error as { statusCode?: unknown; code?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new HoldfastError('invalid', 'rest/router', 'The request cannot be read.', {
      code: statusCode === 404 ? 'no-such-address' : 'malformed',
      facts: { reason: String(code) }, cause: error,
    });
  }
  const message = 'Something went wrong on the server. Nothing was changed by this request, or it '
    + 'was changed as a whole: look before you try again.';
  return new HoldfastError('internal', 'rest/problem', message, { cause: error });
}

/** Faults of the server go to the log with the request's id; refusals are nobody's fault. */
export function noteFault(exchange: Exchange, fault: HoldfastError, error: unknown): void {
  if (fault.kind !== 'internal' && fault.kind !== 'corrupt') return;
  exchange.log.error({ err: error, method: exchange.req.method }, 'request failed');
}

/** Answers with a problem document, on Node's own response. An error after the answer has begun is
 *  thrown again: the server then cuts the connection, so that nobody takes half for the whole. */
export function sendProblem(exchange: Exchange, error: unknown): void {
  const { req, res } = exchange;
  if (res.destroyed && !res.headersSent) return;
  if (res.headersSent) throw error;
  const fault = faultOf(error);
  noteFault(exchange, fault, error);
  const problem = problemOf(fault, exchange.requestId);
  const body = Buffer.from(JSON.stringify(problem));
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  leaveBody(req, res);
  const headers = Object.entries(problemHeaders(fault, problem.status)).flat();
  headers.push('Content-Type', PROBLEM_TYPE, 'Content-Length', String(body.length));
  res.writeHead(problem.status, headers);
  res.end(req.method === 'HEAD' ? undefined : body);
}
