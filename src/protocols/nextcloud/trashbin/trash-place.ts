/** Addresses of the trash: `/remote.php/dav/trashbin/USER/trash/ENTRY/PATH`, `…/restore/NAME`. */
import { HoldfastError } from '../../../base/errors.ts';
import { parseSpaceId } from '../../../base/ids.ts';
import type { NodeId } from '../../../base/ids.ts';
import type { Name } from '../../../base/names.ts';
import type { TrashPlace, Trashed } from '../../../files/index.ts';
import { decodePath, decodeSegment, encodeName } from '../../paths.ts';

export const TRASHBIN_PREFIX = '/remote.php/dav/trashbin/';

export type TrashAddress =
  | { kind: 'home' | 'trash' | 'restore' | 'restored' }
  | { kind: 'entry'; entry: TrashPlace; segment: string; path: Name[] };

export interface TrashLocation {
  /** Percent-encoded, up to the user, with a slash at its end. */
  home: string;
  address: TrashAddress;
}

/** Space, node and revision of the deletion: an entry is found by them. */
const ENTRY = /\.d[0-9]{1,15}-([0-9]{1,15})-([0-9]{1,15})-([0-9]{1,15})$/;

/** What clients see as the name of a file in the trash: its own name, when it was deleted, and what
 *  tells it from others. */
export function entryName({ name, deletedAt, spaceId, nodeId, deletedRev }: Trashed): string {
  return `${name}.d${Math.floor(deletedAt / 1000)}-${spaceId}-${nodeId}-${deletedRev}`;
}

/** @throws invalid: malformed; denied: another user's; not-found: no such place. */
export function locateTrash(raw: string, caller: { user: string }): TrashLocation {
  const [user, folder, segment, ...rest] = raw.slice(TRASHBIN_PREFIX.length).split('/')
    .filter((one) => one !== '');
  if (user === undefined) throw nothingThere();
  const named = decodeSegment(user);
  if (named.toLowerCase() !== caller.user) {
    const message = 'This trash belongs to somebody else.';
    throw new HoldfastError('denied', 'nextcloud/locateTrash', message, { code: 'other-user' });
  }
  const home = `${TRASHBIN_PREFIX}${encodeName(named)}/`;
  return { home, address: addressOf(folder, segment, rest) };
}

function addressOf(
  folder: string | undefined, segment: string | undefined, rest: readonly string[],
): TrashAddress {
  if (folder === undefined) return { kind: 'home' };
  if (folder === 'restore') return { kind: segment === undefined ? 'restore' : 'restored' };
  if (folder !== 'trash') throw nothingThere();
  if (segment === undefined) return { kind: 'trash' };
  const [, space, node, rev] = ENTRY.exec(decodeSegment(segment)) ?? [];
  if (space === undefined) throw nothingThere();
  const entry = {
    spaceId: parseSpaceId(Number(space)), nodeId: Number(node) as NodeId, deletedRev: Number(rev),
  };
  return { kind: 'entry', entry, segment, path: decodePath(rest.join('/')) };
}

export function nothingThere(): HoldfastError {
  const message = 'The trash holds nothing under this name.';
  return new HoldfastError('not-found', 'nextcloud/trashbin', message, { code: 'trash-missing' });
}
