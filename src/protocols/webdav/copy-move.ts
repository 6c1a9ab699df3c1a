/** COPY and MOVE (RFC 4918, sections 9.8 and 9.9): both without touching a byte of content. */
import type { IncomingHttpHeaders } from 'node:http';
import { HoldfastError } from '../../base/errors.ts';
import { parseDestination } from '../paths.ts';
import { dealOf } from './conditions.ts';
import type { DavHandler, DavParts } from './dav-request.ts';
import { depthOf } from './depth.ts';
import { sendWritten, timeIn } from './put.ts';

export function copyHandler({ files, instanceId }: DavParts): DavHandler {
  return async ({ exchange, caller, path }) => {
    const { headers } = exchange.req;
    const to = parseDestination(exchange, caller);
    const depth = depthOf(headers);
    if (depth === '1') throw wrongDepth();
    const replace = overwriteOf(headers);
    const deal = await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path });
    const written = await files.copy(caller, path, to, { ...deal, replace, depth });
    sendWritten(exchange, written, instanceId);
  };
}

/** A move takes everything along, so its depth is always infinity. */
export function moveHandler({ files, instanceId }: DavParts): DavHandler {
  return async ({ exchange, caller, path }) => {
    const { headers } = exchange.req;
    const to = parseDestination(exchange, caller);
    if (depthOf(headers) !== 'infinity') {
      const { node } = await files.get(caller, path);
      if (node.kind === 'folder') throw wrongDepth();
    }
    const replace = overwriteOf(headers);
    const modifiedAt = timeIn(headers, 'x-oc-mtime');
    const deal = await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path });
    const written = await files.move(caller, path, to, { ...deal, replace, modifiedAt });
    sendWritten(exchange, written, instanceId);
  };
}

/** Whether what is at the destination may be replaced (RFC 4918, section 10.6).
 *  @throws invalid: neither T nor F. */
export function overwriteOf(headers: IncomingHttpHeaders): boolean {
  const raw = headers['overwrite'];
  if (raw === undefined) return true;
  const wanted = String(raw).trim().toUpperCase();
  if (wanted === 'T' || wanted === 'F') return wanted === 'T';
  throw new HoldfastError('invalid', 'webdav/overwriteOf', 'Overwrite is T or F.');
}

function wrongDepth(): HoldfastError {
  const message = 'A folder is moved whole, and copied with all or none of what is in it.';
  return new HoldfastError('invalid', 'webdav/copyMove', message, { code: 'depth' });
}
