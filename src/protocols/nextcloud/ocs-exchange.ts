/** One OCS request: which version and format it speaks, and how its answer is written. */
import { HoldfastError } from '../../base/errors.ts';
import type { Exchange } from '../../platform/index.ts';
import { leaveBody } from '../request-body.ts';
import { retryAfterSeconds, statusOf } from '../status.ts';
import type { OcsAnswer, OcsVersion } from './ocs-envelope.ts';
import { encodeOcs, ocsFormatOf } from './ocs-envelope.ts';

const CHALLENGE = 'Basic realm="Holdfast", charset="UTF-8"';

export type SendOcs = (answer: OcsAnswer, headers?: Readonly<Record<string, string>>) => void;

export function ocsSender(exchange: Exchange, version: OcsVersion): SendOcs {
  const { req, res } = exchange;
  return (answer, headers = {}) => {
    const format = ocsFormatOf(exchange.query.get('format'), req.headers.accept);
    const { status, contentType, body } = encodeOcs(version, format, answer);
    leaveBody(req, res);
    res.statusCode = status;
    if (status === 401) res.setHeader('WWW-Authenticate', CHALLENGE);
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    res.setHeader('Content-Type', contentType);
    res.setHeader('Content-Length', Buffer.byteLength(body));
    if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'no-store');
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.end(req.method === 'HEAD' ? undefined : body);
  };
}

/** Tells the client in the words of its protocol; a fault of the server is logged as well. */
export function sendOcsError(exchange: Exchange, version: OcsVersion, error: unknown): void {
  const { req, res, requestId } = exchange;
  if (res.headersSent) throw error;
  const send = ocsSender(exchange, version);
  const fault = error instanceof HoldfastError ? error : undefined;
  if (fault === undefined || fault.kind === 'internal' || fault.kind === 'corrupt') {
    exchange.log.error({ err: error, method: req.method }, 'request failed');
    send({ status: 500, message: `Something went wrong here. Request id: ${requestId}` });
    return;
  }
  const retrySeconds = retryAfterSeconds(fault);
  const headers = retrySeconds === undefined ? {} : { 'Retry-After': String(retrySeconds) };
  send({ status: statusOf(fault), message: fault.message }, headers);
}
