/** MKCOL (RFC 4918, section 9.3): makes a folder. Bodies have no meaning here and are refused. */
import { HoldfastError } from '../../base/errors.ts';
import { announcedBytes } from '../request-body.ts';
import { dealOf } from './conditions.ts';
import type { DavHandler, DavParts } from './dav-request.ts';
import { sendEmpty, writtenHeaders } from './dav-request.ts';
import { timeIn } from './put.ts';

export function mkcolHandler({ files, instanceId }: DavParts): DavHandler {
  return async ({ exchange, caller, path }) => {
    if (announcedBytes(exchange.req) !== 0) {
      const message = 'A folder is made without a body in the request.';
      throw new HoldfastError('invalid', 'webdav/mkcol', message, { code: 'body-unwanted' });
    }
    const deal = await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path });
    const createdAt = timeIn(exchange.req.headers, 'x-oc-ctime');
    const { node } = await files.makeFolder(caller, path, { ...deal, createdAt });
    sendEmpty(exchange, 201, writtenHeaders(node, instanceId));
  };
}
