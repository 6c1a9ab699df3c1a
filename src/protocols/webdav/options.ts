/** OPTIONS (RFC 4918, section 10.1), and the refusal of methods that are not known. */
import { HoldfastError } from '../../base/errors.ts';
import type { Exchange } from '../../platform/index.ts';
import { sendEmpty } from './dav-request.ts';

export const ALLOW = 'OPTIONS, GET, HEAD, PUT, PATCH, DELETE, MKCOL, COPY, MOVE, PROPFIND, '
  + 'PROPPATCH, LOCK, UNLOCK';

/** Answered to everybody, before a client has signed in: it says nothing about what is there. */
export function answerOptions(exchange: Exchange): void {
  sendEmpty(exchange, 200, [
    'DAV', '1, 2, 3', 'Allow', ALLOW, 'MS-Author-Via', 'DAV', 'Accept-Ranges', 'bytes',
  ]);
}

/** The header stays on `res` and goes out with the error's answer. */
export function refuseMethod({ res }: Exchange): never {
  res.setHeader('Allow', ALLOW);
  const message = 'This cannot be done with a file or folder.';
  throw new HoldfastError('invalid', 'webdav/refuseMethod', message, { code: 'method-unknown' });
}
