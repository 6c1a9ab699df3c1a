/** UNLOCK (RFC 4918, section 9.11). */
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { DavHandler, DavParts } from './dav-request.ts';
import { sendEmpty } from './dav-request.ts';
import { parseLockToken } from './lock-request.ts';
import { userUnlockHandler } from './user-lock.ts';

export function unlockHandler(parts: DavParts): DavHandler {
  const { files } = parts;
  const unlockForUser = userUnlockHandler(parts);
  return async (request) => {
    const { exchange, caller, path } = request;
    const { headers } = exchange.req;
    if (headers['x-user-lock'] !== undefined) return unlockForUser(request);
    const token = parseLockToken(headers['lock-token']?.toString());
    try {
      await files.unlock(caller, path, token);
    } catch (error) {
      throw isKind(error, 'not-found') ? wrongToken(error) : error;
    }
    sendEmpty(exchange, 204, []);
  };
}

function wrongToken(cause: HoldfastError): HoldfastError {
  const message = 'No lock with this token covers this address. It may have expired.';
  const code = 'lock-token-wrong';
  return new HoldfastError('conflict', 'webdav/unlock', message, { code, cause });
}
