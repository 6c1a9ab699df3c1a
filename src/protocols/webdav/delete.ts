/** DELETE (RFC 4918, section 9.6): moves the file or folder, with all below it, to the trash. */
import { HoldfastError } from '../../base/errors.ts';
import { dealOf } from './conditions.ts';
import type { DavHandler, DavParts } from './dav-request.ts';
import { sendEmpty } from './dav-request.ts';
import { depthOf } from './depth.ts';

export function deleteHandler({ files }: DavParts): DavHandler {
  return async ({ exchange, caller, path }) => {
    if (depthOf(exchange.req.headers) !== 'infinity') {
      const { node } = await files.get(caller, path);
      if (node.kind === 'folder') throw wrongDepth();
    }
    const deal = await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path });
    await files.remove(caller, path, deal);
    sendEmpty(exchange, 204, []);
  };
}

function wrongDepth(): HoldfastError {
  const message = 'A folder is deleted with all that is in it: the depth must be infinity.';
  return new HoldfastError('invalid', 'webdav/delete', message, { code: 'depth' });
}
