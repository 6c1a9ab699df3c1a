/** Changes of grants, mounts, spaces and quotas: plain data, safe to send between threads. */
import type { GrantId, NodeId, SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { CasePolicy, Name } from '../base/names.ts';
import type { Role } from '../base/roles.ts';
import type { MountTarget, Subject } from './access-records.ts';
import type { Actor } from './changes.ts';
import type { Instant } from './records.ts';

/** Gives a subject a role at a node and below it, or changes what it was given: with `grantId` that
 *  grant; without one, the grant which the same user or group has at this node already. So a user
 *  or group has one grant per node. A link without `grantId` is always a new one. An event of the
 *  space (`grant`); it changes the marks of the folders at and above the node, never a file's.
 *  Answers the grant. @throws not-found: no such live node, no such grant at it; exists: the link's
 *  token, or the subject at this node, has another grant; denied `is-mount`, or `other-tenant`: the
 *  user's personal space is of another tenant; invalid: another kind of subject than it was, or
 *  `revives` an id that no grant ever had; exists: `revives` one that was not ended; too-large:
 *  over GRANTS_PER_SPACE_MAX, GRANT_TERMS_BYTES_MAX. */
export interface PutGrant {
  op: 'put-grant';
  spaceId: SpaceId;
  nodeId: NodeId;
  grantId?: GrantId;
  revives?: RevivedGrant;
  subject: Subject;
  role: Role;
  isShown: boolean;
  expiresAt: Instant | undefined;
  terms: string;
  actor: Actor;
}

/** A grant that was ended comes back as the very one that it was: under its id, with its maker and
 *  its count of downloads. */
export interface RevivedGrant {
  id: GrantId;
  createdBy: UserId;
  createdAt: Instant;
}

/** Ends a grant, also one at a deleted node. An event of the space (`revoke`).
 *  @throws not-found. */
export interface RemoveGrant {
  op: 'remove-grant';
  spaceId: SpaceId;
  grantId: GrantId;
  actor: Actor;
}

/** Counts one download; answers how many there were, as `count`. No event.
 *  @throws not-found; denied `downloads-spent`: it would be more than `countMax`. */
export interface CountDownload {
  op: 'count-download';
  spaceId: SpaceId;
  grantId: GrantId;
  countMax?: number;
}

/** Makes a team space. Its first owner gets an `owner` grant, shown, at its root in the same
 *  transaction. Answers the root as `node`. @throws denied `other-tenant`: the owner's personal
 *  space is of another tenant. */
export interface MakeSpace {
  op: 'make-space';
  /** For good. */
  tenant: TenantId;
  name: Name;
  firstOwner: UserId;
  casePolicy: CasePolicy;
  quotaBytes: number | undefined;
  actor: Actor;
}

/** Mounts keep the names they have. An event of the space (`update` of its root).
 *  @throws not-found; denied `personal-space`. */
export interface RenameSpace {
  op: 'rename-space';
  spaceId: SpaceId;
  name: Name;
  actor: Actor;
}

/** Lets a node of another space appear in this one, under `name` or, if that is taken, `name (2)`
 *  and so on (before the extension of a file). Calm when a live mount of the target is there: that
 *  one is answered. The target is no longer declined. An event of the space (`create`).
 *  @throws not-found: no such space, or the target is not live; conflict `parent-missing`; denied
 *  `cycle`: the target is in this space, or is itself a mount; denied `other-tenant`; too-large:
 *  over MOUNTS_PER_SPACE_MAX; invalid `path-too-deep`; conflict `name-clash`: no free name. */
export interface Mount {
  op: 'mount';
  spaceId: SpaceId;
  parentId: NodeId;
  name: Name;
  target: MountTarget;
  actor: Actor;
}

/** Takes a mount away; the trash has nothing of it. With `isDeclined` its target is remembered as
 *  unwanted until it is mounted again. An event of the space (`delete`).
 *  @throws not-found: no such live mount. */
export interface Unmount {
  op: 'unmount';
  spaceId: SpaceId;
  nodeId: NodeId;
  isDeclined: boolean;
  actor: Actor;
}

/** Promises room to an upload. Until `expiresAt`, or until a `put-file` names it, no other change
 *  gets that room: used and reserved bytes together never exceed the quota. With the id of one that
 *  is there it takes its place. Without any quota it is kept all the same: one may be set later.
 *  @throws not-found: no such space; quota; too-large: over RESERVATIONS_MAX. */
export interface ReserveQuota {
  op: 'reserve-quota';
  spaceId: SpaceId;
  reservationId: string;
  bytes: number;
  at: Instant;
  expiresAt: Instant;
}

/** Calm when it is not there. */
export interface DropReservation {
  op: 'drop-reservation';
  spaceId: SpaceId;
  reservationId: string;
}

/** The quota of all spaces of a tenant together; undefined: no limit. */
export interface SetTenantQuota {
  op: 'set-tenant-quota';
  tenant: TenantId;
  quotaBytes: number | undefined;
}

/** Adds up the files of every folder anew, compares with the figures kept, and puts right what
 *  differs: then it is an event (`update` of the root), and the marks of those folders change.
 *  Answers what was found as `recount`. A busy space is counted without holding up others, as long
 *  as it keeps still between two looks; else the last count holds them up for its duration. */
export interface Recount {
  op: 'recount';
  spaceId: SpaceId;
  actor: Actor;
}

export type AccessChange =
  | PutGrant | RemoveGrant | CountDownload | MakeSpace | RenameSpace | Mount | Unmount
  | ReserveQuota | DropReservation | SetTenantQuota | Recount;

export const GRANTS_PER_SPACE_MAX = 10_000;
export const GRANT_TERMS_BYTES_MAX = 16 * 1024;
/** Most grants that `listGrantsTo` answers. */
export const GRANTS_TO_MAX = 10_000;
/** Most subjects that `listGrantsTo` is asked for: a user and its groups. */
export const SUBJECTS_MAX = 1_000;
/** Live mounts of one space; as many declined targets are remembered. */
export const MOUNTS_PER_SPACE_MAX = 10_000;
/** Reservations of all spaces together that have not expired. */
export const RESERVATIONS_MAX = 100_000;
export const RESERVATION_ID_LENGTH_MAX = 200;
