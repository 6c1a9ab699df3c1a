/** Ids and checked text: branded, each made by one function that checks. */
import { HoldfastError } from './errors.ts';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** Lower-case hexadecimal SHA-256 of a block's bytes. */
export type BlockId = Branded<string, 'BlockId'>;
/** Lower-case user id: letters, digits, `.`, `_`, `-`, `@`; 1 to 64 characters. */
export type UserId = Branded<string, 'UserId'>;
/** A company or household on the installation: 1 to 32 of `a`-`z`, `0`-`9`, `-`; a letter first. */
export type TenantId = Branded<string, 'TenantId'>;
/** Lower-case id of a group of users: same letters as a user id. Never used again. */
export type GroupId = Branded<string, 'GroupId'>;
export type SpaceId = Branded<number, 'SpaceId'>;
/** Unique over the instance, never used again. */
export type NodeId = Branded<number, 'NodeId'>;
/** Of a permission, share or link. Unique over the instance, never used again. */
export type GrantId = Branded<number, 'GrantId'>;

function refuse(op: string, message: string): never {
  throw new HoldfastError('invalid', op, message);
}

export function parseBlockId(raw: string): BlockId {
  if (!/^[0-9a-f]{64}$/.test(raw)) refuse('base/parseBlockId', 'A block id is 64 hex digits.');
  return raw as BlockId;
}

export function parseUserId(raw: string): UserId {
  if (!/^[a-z0-9][a-z0-9._@-]{0,63}$/.test(raw)) {
    const rule = 'lower-case letters, digits, and . _ - @, 64 characters at most';
    refuse('base/parseUserId', `A user name starts with a letter or digit and holds ${rule}.`);
  }
  return raw as UserId;
}

export function parseGroupId(raw: string): GroupId {
  if (!/^[a-z0-9][a-z0-9._@-]{0,63}$/.test(raw)) {
    const rule = 'lower-case letters, digits, and . _ - @, 64 characters at most';
    refuse('base/parseGroupId', `A group's name starts with a letter or digit and holds ${rule}.`);
  }
  return raw as GroupId;
}

export function parseTenantId(raw: string): TenantId {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(raw)) {
    const rule = 'lower-case letters, digits and -, 32 characters at most';
    refuse('base/parseTenantId', `A tenant's name starts with a letter and holds ${rule}.`);
  }
  return raw as TenantId;
}

export function parseNodeId(raw: number): NodeId {
  if (!Number.isSafeInteger(raw) || raw <= 0) refuse('base/parseNodeId', 'Not a node id.');
  return raw as NodeId;
}

export function parseSpaceId(raw: number): SpaceId {
  if (!Number.isSafeInteger(raw) || raw <= 0) refuse('base/parseSpaceId', 'Not a space id.');
  return raw as SpaceId;
}

export function parseGrantId(raw: number): GrantId {
  if (!Number.isSafeInteger(raw) || raw <= 0) refuse('base/parseGrantId', 'Not a share id.');
  return raw as GrantId;
}

export const DEFAULT_TENANT = 'default' as TenantId;
