/** Addresses of uploads in pieces: `/remote.php/dav/uploads/USER/ID/NAME`. */
import { HoldfastError } from '../../base/errors.ts';
import type { Caller } from '../../identity/index.ts';
import { decodeSegment } from '../paths.ts';

export const UPLOADS_PREFIX = '/remote.php/dav/uploads/';
/** The name by which the whole is moved to its place. It is never listed, nor written to. */
export const WHOLE = '.file';

export type UploadPlace =
  | { kind: 'home' }
  | { kind: 'upload'; uploadId: string }
  | { kind: 'whole'; uploadId: string }
  | { kind: 'part'; uploadId: string; partName: string };

/** @throws invalid: a malformed address; denied: another user's; not-found: no such place. */
export function locateUpload(rawPath: string, caller: Pick<Caller, 'user'>): UploadPlace {
  const segments = rawPath.slice(UPLOADS_PREFIX.length).split('/').filter((one) => one !== '');
  const [user, uploadId, partName, ...deeper] = segments.map(decodeSegment);
  if (user === undefined) throw nothingThere();
  if (user !== caller.user && user.toLowerCase() !== caller.user) {
    const message = 'These uploads belong to somebody else.';
    throw new HoldfastError('denied', 'nextcloud/locateUpload', message, { code: 'other-user' });
  }
  if (uploadId === undefined) return { kind: 'home' };
  if (partName === undefined) return { kind: 'upload', uploadId };
  if (deeper.length > 0) throw nothingThere();
  return partName === WHOLE ? { kind: 'whole', uploadId } : { kind: 'part', uploadId, partName };
}

export function nothingThere(): HoldfastError {
  const message = 'There is nothing at this address.';
  return new HoldfastError('not-found', 'nextcloud/locateUpload', message);
}
