/** Locks of files: those by which people tell each other "I am working on this". */
import { HoldfastError } from '../../base/errors.ts';
import { newLockToken } from '../../metadata/index.ts';
import { LockWish } from '../../wire/history.ts';
import { NodeShape } from '../../wire/node.ts';
import { DEFAULT_LOCK_SECONDS } from '../webdav/user-lock.ts';
import { escapeText } from '../xml-text.ts';
import { dealOfRequest } from './node-deals.ts';
import { NodeView, placeOf } from './node-view.ts';
import { ById, TAG, withEtag } from './nodes.ts';
import type { RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

const TOKEN_BYTES = 10;

export function locksResource(api: RestApi, parts: RestParts): void {
  const { files, now, random, lockTimeoutSeconds = DEFAULT_LOCK_SECONDS } = parts;
  api.operation({
    id: 'lockFile', tag: TAG, method: 'PUT', path: '/nodes/{id}/lock', scope: 'files:write',
    summary: 'Lock a file, or keep it locked for longer',
    description: 'All programs of whoever locks it work on; others can read, and not change it.',
    params: ById, body: LockWish, refusals: [409, 423],
    success: { status: 200, description: 'The file, locked.', schema: NodeShape },
    async answer(request) {
      const { caller, params, body } = request;
      const { path } = await placeOf(parts, caller, params.id);
      const seconds = body.seconds ?? lockTimeoutSeconds;
      const { isRefused } = await files.locks.lockFile(caller, path, {
        token: newLockToken('person', now(), random.bytes(TOKEN_BYTES)),
        ownerXml: escapeText(caller.displayName), expiresAt: now() + seconds * 1000,
      }, dealOfRequest(request));
      if (isRefused) throw lockedByAnother();
      const place = await placeOf(parts, caller, params.id);
      return withEtag(await new NodeView(parts, caller).one(place));
    },
  });
  api.operation({
    id: 'unlockFile', tag: TAG, method: 'DELETE', path: '/nodes/{id}/lock', scope: 'files:write',
    summary: 'End the own lock of a file',
    description: 'Who owns the file, and administrators, can end those of others.',
    params: ById, refusals: [423],
    success: { status: 200, description: 'The file as it is now.', schema: NodeShape },
    async answer({ caller, params }) {
      const place = await placeOf(parts, caller, params.id);
      const held = await files.locks.unlockFile(caller, place.path);
      if (held?.isRefused === true) throw lockedByAnother();
      return withEtag(await new NodeView(parts, caller).one(place));
    },
  });
}

function lockedByAnother(): HoldfastError {
  const message = 'Somebody else has locked this file. Ask them, or wait.';
  return new HoldfastError('locked', 'rest/locks', message);
}
