/** The one place where it is decided who may do what. Pure; denies by default. */
import { HoldfastError } from '../base/errors.ts';
import type { Caller } from '../identity/index.ts';
import type { SpaceRecord } from '../metadata/index.ts';

/** What a caller may do with a node. */
export interface Access {
  read: boolean;
  /** Change content, times and properties. */
  update: boolean;
  /** Add files and folders below. */
  create: boolean;
  delete: boolean;
  /** Rename and move. */
  move: boolean;
}

export type Deed = keyof Access;

const NOTHING: Access = { read: false, update: false, create: false, delete: false, move: false };
const EVERYTHING: Access = { read: true, update: true, create: true, delete: true, move: true };

/** A personal space belongs to its owner alone: not even an administrator reads along. */
export function accessOf(caller: Caller, space: Pick<SpaceRecord, 'owner'>): Access {
  return caller.user === space.owner ? EVERYTHING : NOTHING;
}

/** @throws denied. */
export function checkAccess(access: Access, deed: Deed): void {
  if (access[deed]) return;
  const message = 'You do not have permission to do this here.';
  throw new HoldfastError('denied', 'files/checkAccess', message, { facts: { deed } });
}
