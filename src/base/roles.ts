/** What somebody may do with a file or folder, as one word out of five. Pure. */

/**
 * From weak to strong; each may all that those before it may.
 * - `none`: nothing; not even see it.
 * - `viewer`: list and read.
 * - `uploader`: and add; neither overwrite, rename nor delete.
 * - `editor`: and overwrite, rename, move, delete and restore.
 * - `owner`: and say who may what.
 *
 * A role is stored as its place in this list, so the list only ever grows at its end.
 */
export const ROLES = ['none', 'viewer', 'uploader', 'editor', 'owner'] as const;

export type Role = (typeof ROLES)[number];

/** Whether `role` may all that `wanted` may. */
export function isAtLeast(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}

/** The stronger of two. */
export function strongerRole(a: Role, b: Role): Role {
  return isAtLeast(a, b) ? a : b;
}

/** The weaker of two. */
export function weakerRole(a: Role, b: Role): Role {
  return isAtLeast(a, b) ? b : a;
}

export function isRole(raw: string): raw is Role {
  return (ROLES as readonly string[]).includes(raw);
}
