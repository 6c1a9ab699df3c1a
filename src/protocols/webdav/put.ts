/**
 * PUT (RFC 9110, section 9.3.4): stores a file's content. The answer goes out when the bytes and
 * the name survive a power cut; nothing of a request that fails becomes visible.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { HoldfastError } from '../../base/errors.ts';
import { parseChecksum } from '../../files/index.ts';
import type { Deal, UploadOptions, Written } from '../../files/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { announcedBytes, bodySource } from '../request-body.ts';
import { dealOf, hasConditions } from './conditions.ts';
import type { DavHandler, DavParts } from './dav-request.ts';
import { sendEmpty, writtenHeaders } from './dav-request.ts';
import { httpDate, parseUnixSeconds } from './http-date.ts';

/** Smaller bodies are here before anybody could want to stop them. */
const WATCHED_BYTES_MIN = 1024 * 1024;

export function putHandler({ files, instanceId }: DavParts): DavHandler {
  return async ({ exchange, caller, path }) => {
    const { req } = exchange;
    const { headers } = req;
    if (headers['content-range'] !== undefined) throw noPartialPut();
    if (!/^(identity)?$/i.test(headers['content-encoding'] ?? '')) throw noEncodedPut();
    const deal = hasConditions(headers)
      ? await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path }) : {};
    const options = uploadOptionsOf(exchange, deal);
    const written = await files.upload(caller, path, bodySource(req), options);
    sendWritten(exchange, written, instanceId);
  };
}

/** What a client says of content besides the bytes: checksum and times.
 *  @throws invalid: a header that cannot be read. */
export function uploadOptionsOf(exchange: Exchange, deal: Deal): UploadOptions {
  const { headers } = exchange.req;
  const options: UploadOptions = { ...deal };
  const checksum = headers['oc-checksum'];
  // Something that we cannot compute is not verified and not kept.
  if (typeof checksum === 'string' && checksum !== '') options.checksum = parseChecksum(checksum);
  options.modifiedAt = timeIn(headers, 'x-oc-mtime');
  options.createdAt = timeIn(headers, 'x-oc-ctime');
  const bytes = announcedBytes(exchange.req);
  if (bytes === undefined || bytes >= WATCHED_BYTES_MIN) options.signal = exchange.signal;
  return options;
}

/** @throws invalid: to take the file under a wrong time would look like success. */
export function timeIn(
  headers: IncomingHttpHeaders, name: 'x-oc-mtime' | 'x-oc-ctime',
): number | undefined {
  const raw = headers[name];
  if (raw === undefined || raw === '') return undefined;
  const at = parseUnixSeconds(String(raw));
  if (at !== undefined) return at;
  const message = 'The time of a file is given in seconds since 1970.';
  throw new HoldfastError('invalid', 'webdav/timeIn', message, { code: 'time-syntax' });
}

/** 201 or 204 with what a client must know of what it has just stored. */
export function sendWritten(exchange: Exchange, written: Written, instanceId: string): void {
  const { node, created } = written;
  const headers = writtenHeaders(node, instanceId);
  headers.push('Last-Modified', httpDate(node.modifiedAt));
  if (exchange.req.headers['x-oc-mtime'] !== undefined) headers.push('X-OC-MTime', 'accepted');
  if (exchange.req.headers['x-oc-ctime'] !== undefined) headers.push('X-OC-CTime', 'accepted');
  sendEmpty(exchange, created ? 201 : 204, headers);
}

/** RFC 9110, section 14.4: whoever does not understand it must not take it for the whole. */
function noPartialPut(): HoldfastError {
  const message = 'Parts of a file cannot be replaced. Send the whole file.';
  return new HoldfastError('invalid', 'webdav/put', message, { code: 'content-range' });
}

/** RFC 9110, section 8.4: what is stored is the content, not the coding it travelled in. */
function noEncodedPut(): HoldfastError {
  const message = 'Files are taken as they are, without a content coding.';
  return new HoldfastError('invalid', 'webdav/put', message, { code: 'content-encoding' });
}
