/**
 * PATCH with `X-Recalculate-Hash`: a client met content that did not hash to the checksum it was
 * told, and asks for the checksum of what is really stored. Nothing is changed.
 */
import { HoldfastError } from '../../base/errors.ts';
import { etagOf, findAlgorithm, formatChecksum } from '../../files/index.ts';
import type { DavHandler, DavParts } from './dav-request.ts';
import { sendEmpty } from './dav-request.ts';
import { refuseMethod } from './options.ts';

export function patchHandler({ files }: DavParts): DavHandler {
  return async ({ exchange, caller, path }) => {
    const wanted = exchange.req.headers['x-recalculate-hash'];
    if (wanted === undefined) refuseMethod(exchange);
    const algorithm = findAlgorithm(String(wanted));
    if (algorithm === undefined) {
      const message = 'This kind of checksum is not known here. Ask for SHA1, SHA256 or MD5.';
      throw new HoldfastError('invalid', 'webdav/patch', message, { code: 'checksum-unknown' });
    }
    const { node, checksum } = await files.computeChecksum(
      caller, path, algorithm, exchange.signal,
    );
    const etag = etagOf(node);
    sendEmpty(exchange, 204, [
      'OC-Checksum', formatChecksum(checksum), 'ETag', etag, 'OC-ETag', etag,
    ]);
  };
}
