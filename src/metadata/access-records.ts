/** Who may what, and what is seen where: plain data, safe to send between threads. */
import type { GrantId, NodeId, SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { Role } from '../base/roles.ts';
import type { Instant } from './records.ts';

/** Whom a grant reaches. A link is known by a hash of its secret, never by the secret. */
export type Subject =
  | { kind: 'user'; id: string }
  | { kind: 'group'; id: string }
  | { kind: 'link'; tokenHash: string };

/** A permission, a share or a public link: `subject` has `role` at a node and below it. It stays
 *  when its node is deleted, counts only while the node is live, and is back with a restore. */
export interface GrantRecord {
  id: GrantId;
  spaceId: SpaceId;
  nodeId: NodeId;
  subject: Subject;
  role: Role;
  /** A share: it is to appear in the receiver's own tree, as a mount. */
  isShown: boolean;
  /** From then on it counts for nothing; undefined: never. */
  expiresAt: Instant | undefined;
  /** JSON of whoever made it: label, note, password and so on. Opaque here. */
  terms: string;
  createdBy: UserId;
  createdAt: Instant;
  /** Revision that made it what it is. */
  revFrom: number;
  /** How often `count-download` counted, in all its time: the past knows no earlier number. */
  downloads: number;
}

/** Where a mount leads: a folder or file of another space. */
export interface MountTarget {
  spaceId: SpaceId;
  nodeId: NodeId;
}

/** A node of kind `mount` that is live: the place at which another space's node is seen. */
export interface MountRecord {
  spaceId: SpaceId;
  nodeId: NodeId;
  parentId: NodeId;
  name: string;
  target: MountTarget;
  /** The folders that it lies in, the space's root first, its parent last. */
  above: readonly NodeId[];
}

export interface SpaceMounts {
  /** By ascending node id. */
  mounts: readonly MountRecord[];
  /** Targets that were unmounted as declined and not mounted since, ascending. */
  declined: readonly MountTarget[];
}

/** Room that an upload under way has been promised. */
export interface ReservationRecord {
  spaceId: SpaceId;
  /** 1 to 200 characters, the caller's own; unique in the space. */
  reservationId: string;
  bytes: number;
  expiresAt: Instant;
}

/** What of a quota is used; undefined: no quota. */
export interface UsageFigures {
  usedBytes: number;
  /** Promised to uploads under way, and not expired. */
  reservedBytes: number;
  quotaBytes: number | undefined;
}

export interface UsageRecord extends UsageFigures {
  tenant: TenantId;
  /** Sums over all spaces of the tenant; undefined when the tenant has no quota. */
  ofTenant: UsageFigures | undefined;
}

/** What counting anew has found. */
export interface RecountRecord {
  /** Folders, the space's own root among them, that were counted. */
  folderCount: number;
  /** Those whose figure was wrong, and is right now. */
  healedCount: number;
  /** What the space seemed to use before. */
  storedBytes: number;
  /** What it uses. */
  countedBytes: number;
}
