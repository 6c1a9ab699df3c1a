/**
 * Permissions in the client protocol are a sum of bits; here they are roles. A role is answered as
 * the bits that it stands for, and a wish for bits becomes the strongest role that needs none but
 * those. Pure.
 */
import type { Role } from '../../../base/roles.ts';

const READ = 1;
const UPDATE = 2;
const CREATE = 4;
const DELETE = 8;
const SHARE = 16;
export const ALL_BITS = READ + UPDATE + CREATE + DELETE + SHARE;
/** What a new share has unless its maker says otherwise. */
export const DEFAULT_BITS = READ + UPDATE + CREATE + DELETE;

type Kind = 'file' | 'folder';

const OF_FOLDER: Readonly<Record<Role, number>> = {
  none: 0, viewer: READ, uploader: READ + CREATE, editor: READ + UPDATE + CREATE + DELETE,
  owner: ALL_BITS,
};
/** Nothing can be added to a file, and it is deleted where it lies. */
const OF_FILE: Readonly<Record<Role, number>> = {
  none: 0, viewer: READ, uploader: READ, editor: READ + UPDATE, owner: READ + UPDATE + SHARE,
};

export function bitsOf(role: Role, kind: Kind, { fileDrop = false } = {}): number {
  if (fileDrop) return CREATE;
  return kind === 'file' ? OF_FILE[role] : OF_FOLDER[role];
}

const STRONGEST_FIRST: readonly Role[] = ['owner', 'editor', 'uploader', 'viewer'];

/** undefined: no role does with those bits. For a link the role of an owner is none of them. */
export function roleOf(
  bits: number, kind: Kind, { isLink = false } = {},
): { role: Role; fileDrop: boolean } | undefined {
  if (isLink && kind === 'folder' && (bits & ALL_BITS) === CREATE) {
    return { role: 'uploader', fileDrop: true };
  }
  const role = STRONGEST_FIRST.find((one) => {
    const wanted = kind === 'file' ? OF_FILE[one] : OF_FOLDER[one];
    const isPlain = one !== 'uploader' || kind === 'folder';
    return isPlain && (one !== 'owner' || !isLink) && (bits & wanted) === wanted;
  });
  return role && { role, fileDrop: false };
}
