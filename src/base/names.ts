/**
 * Names of files and folders.
 *
 * A name is kept byte for byte as the client gave it. Beside it stands its canonical form, which
 * decides whether two names clash in one folder. In every space the composed and the decomposed
 * spelling of a name clash (one person sees one name, macOS sends the other: peers lost folders to
 * that); in an `insensitive` space upper and lower case clash too.
 */
import { caseFold } from 'unicode-case-folding';
import { HoldfastError } from './errors.ts';

export const NAME_BYTES_MAX = 255;
export const PATH_DEPTH_MAX = 128;
/** Bumped when the canonical form of any name changes: stored forms must then be made anew. */
export const CANONICAL_VERSION = 1;

export type CasePolicy = 'sensitive' | 'insensitive';

declare const nameBrand: unique symbol;
/** A checked name of a file or folder: see `parseName`. */
export type Name = string & { readonly [nameBrand]: true };

function refuse(code: string, message: string): never {
  throw new HoldfastError('invalid', 'base/parseName', message, { code });
}

/** @throws invalid: empty, `.` or `..`, a slash or NUL, not well-formed Unicode, over 255 bytes. */
export function parseName(raw: string): Name {
  if (raw === '' || raw === '.' || raw === '..') refuse('name-reserved', 'This name is reserved.');
  if (/[/\0]/.test(raw)) refuse('name-characters', 'A name cannot hold a slash or a NUL.');
  if (!raw.isWellFormed()) refuse('name-encoding', 'A name must be well-formed Unicode.');
  if (raw.length * 3 > NAME_BYTES_MAX && Buffer.byteLength(raw) > NAME_BYTES_MAX) {
    refuse('name-too-long', `A name can be ${NAME_BYTES_MAX} bytes long at most, as UTF-8.`);
  }
  return raw as Name;
}

/** @throws invalid: a bad name, or more than PATH_DEPTH_MAX of them. */
export function parsePath(raw: readonly string[]): Name[] {
  if (raw.length > PATH_DEPTH_MAX) {
    const message = `Folders can be nested ${PATH_DEPTH_MAX} deep at most.`;
    throw new HoldfastError('invalid', 'base/parsePath', message, { code: 'path-too-deep' });
  }
  return raw.map(parseName);
}

const ASCII_ONLY = /^[\x20-\x7e]*$/;

/** The form by which names clash. Names with equal forms cannot live in one folder. */
export function canonicalName(name: string, policy: CasePolicy): string {
  if (ASCII_ONLY.test(name)) return policy === 'sensitive' ? name : name.toLowerCase();
  const composed = name.normalize('NFC');
  return policy === 'sensitive' ? composed : caseFold(composed).normalize('NFC');
}
