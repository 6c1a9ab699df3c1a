/** The changes that a metadata store can commit: plain data, safe to send between threads. */
import type { NodeId, SpaceId, UserId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import type { Witness } from '../base/witness.ts';
import type { AccessChange } from './access-changes.ts';
import type { GrantRecord, RecountRecord } from './access-records.ts';
import type { BeginBatch, NoteBatch } from './batch.ts';
import type { HoldChange } from './holds.ts';
import type { DropTrash, DropVersions, PurgeSlice, SetRetention } from './retention.ts';
import type { DeadProperty, Instant, LockRecord, NodeRecord } from './records.ts';

/** Who changes something, and when. */
export interface Actor {
  user: UserId;
  /** Name of the app password or session, for the journal; '' when unknown. */
  device: string;
  at: Instant;
  /** Lock tokens that the caller showed. One counts only for locks that `user` holds. */
  lockTokens: readonly string[];
  /** The batch that the change is part of: its events carry it. */
  batchId?: number;
  /** Network address that the request came from, for the journal. */
  from?: string;
}

/** What the caller saw before it decided; checked inside the transaction.
 *  `absent`: nothing may be there; otherwise this very node with this very mark. */
export type Expectation = 'absent' | { nodeId: NodeId; mark: number };

export interface NewContent {
  sizeBytes: number;
  manifest: Uint8Array;
  checksums: string;
}

/** Creates a file or gives an existing one new content. Content that the file has already makes no
 *  version: then only its times are set, and its checksums if there are new ones.
 *  @throws conflict `parent-missing`, `name-clash`, `is-folder`, `upload-ended`; not-found
 *  `upload-missing`; precondition; locked; quota; invalid `path-too-deep`. */
export interface PutFile {
  op: 'put-file';
  spaceId: SpaceId;
  parentId: NodeId;
  name: Name;
  content: NewContent;
  /** undefined: `actor.at`. */
  modifiedAt: Instant | undefined;
  createdAt?: Instant;
  expect?: Expectation;
  /** An assembled upload: its session ends in the same transaction. */
  upload?: { owner: UserId; uploadId: string };
  /** Room that was reserved for it, if it still is: what it takes is no longer reserved. */
  reservationId?: string;
  /** The held change that this makes: it is not held any more, in the same transaction.
   *  @throws not-found `held-missing`. */
  heldId?: number;
  /** What the block store had made durable when this change was handed in. */
  witness?: Witness;
  actor: Actor;
}

/** @throws exists; conflict `parent-missing`, `name-clash`; locked; invalid `path-too-deep`. */
export interface MakeFolder {
  op: 'make-folder';
  spaceId: SpaceId;
  parentId: NodeId;
  name: Name;
  /** Folder's own time; undefined: `actor.at`. */
  createdAt?: Instant;
  actor: Actor;
}

/** Renames or moves within a space, in a constant number of rows. Ids, marks and dead properties
 *  of what is moved stay; its locks go. With `replace` what was at the target goes to the trash, by
 *  an event of its own before that of the move; a mount is never replaced. With `toSpaceId` it goes
 *  to another space: a copy appears there and the source goes to the trash of its own space, both
 *  in one transaction; ids are new, mounts within do not come along. `expect` speaks of the node
 *  that is moved; `absent` says the same as `replace: false`. A new spelling of the node's own
 *  name is no clash.
 *  @throws not-found; precondition: the target exists and `replace` is false, or `expect` fails;
 *  conflict `parent-missing`, `name-clash`; denied `cycle`: into itself, onto itself, or onto a
 *  folder that holds it; denied `is-mount`: onto a mount, or a mount to another space; locked;
 *  invalid `path-too-deep`. To another space also as Copy, denied `other-tenant`, and busy: what is
 *  moved was changed while it was copied; too-large: over GRANTS_PER_SPACE_MAX there. */
export interface Move {
  op: 'move';
  spaceId: SpaceId;
  nodeId: NodeId;
  /** Where `toParentId` is; undefined: in the same space. */
  toSpaceId?: SpaceId;
  /** To another space: grants at and below it come along under their ids (`revoke` there, `grant`
   *  here), so that links still work. Else they stay with the source. */
  withGrants?: boolean;
  /** Who counts as the maker of the grants that come along and that `of` has made: a link is over
   *  when its maker is gone. */
  heir?: { of: UserId; is: UserId };
  toParentId: NodeId;
  toName: Name;
  replace: boolean;
  expect?: Expectation;
  actor: Actor;
}

/** Copies a file, or a folder with (`infinity`) or without (`0`) its members. Content is shared,
 *  dead properties are copied, locks are not, ids are new, files keep their times. All of it
 *  becomes visible at once, as it was at one revision: while a big folder is copied other
 *  changes go on, and what is checked here is checked again at the end. One event stands for
 *  all: see CopyOrigin. Mounts are not copied, grants neither.
 *  @throws as Move, and quota; denied `is-mount`, `other-tenant`; too-large: more than
 *  COPY_NODES_MAX nodes. */
export interface Copy {
  op: 'copy';
  spaceId: SpaceId;
  nodeId: NodeId;
  /** Where `toParentId` is; undefined: in the same space. */
  toSpaceId?: SpaceId;
  toParentId: NodeId;
  toName: Name;
  depth: '0' | 'infinity';
  replace: boolean;
  actor: Actor;
}

/** Moves to the trash, with all below it, in a constant number of rows. Mounts within go along.
 *  @throws not-found; precondition; denied: the root, or `is-mount`: see Unmount; locked. */
export interface Delete {
  op: 'delete';
  spaceId: SpaceId;
  nodeId: NodeId;
  expect?: Expectation;
  /** As of PutFile. */
  heldId?: number;
  actor: Actor;
}

/** Brings a trashed node back, to a parent and name that the caller chose.
 *  Its id, mark and dead properties are what they were.
 *  @throws not-found: no such trash entry; exists; conflict `parent-missing`, `name-clash`; locked;
 *  quota; invalid `path-too-deep`. */
export interface Restore {
  op: 'restore';
  spaceId: SpaceId;
  nodeId: NodeId;
  deletedRev: number;
  toParentId: NodeId;
  toName: Name;
  actor: Actor;
}

/** Sets times. Makes no version. @throws not-found; denied `is-mount`; locked. */
export interface SetTimes {
  op: 'set-times';
  spaceId: SpaceId;
  nodeId: NodeId;
  modifiedAt?: Instant;
  createdAt?: Instant;
  actor: Actor;
}

/** Notes checksums of content that somebody has read again. No event, no new mark.
 *  @throws not-found: no such node, or its content is another by now. */
export interface SetChecksums {
  op: 'set-checksums';
  spaceId: SpaceId;
  nodeId: NodeId;
  contentRev: number;
  checksums: string;
}

/** All or nothing. A property in both lists is removed and then set.
 *  @throws not-found; locked; too-large: over PROPERTIES_BYTES_MAX for one node. */
export interface SetProperties {
  op: 'set-properties';
  spaceId: SpaceId;
  nodeId: NodeId;
  set: readonly DeadProperty[];
  remove: readonly { namespace: string; name: string }[];
  actor: Actor;
}

/** @throws not-found; exists: the token is taken; locked: a lock that does not go with this one
 *  covers it; too-large: over LOCKS_PER_SPACE_MAX. */
export interface AddLock {
  op: 'add-lock';
  lock: LockRecord;
  actor: Actor;
}

/** @throws not-found: no such lock, or it has expired; denied: another's. */
export interface RefreshLock {
  op: 'refresh-lock';
  spaceId: SpaceId;
  token: string;
  expiresAt: Instant;
  actor: Actor;
}

/** @throws not-found; denied: another's, unless the change breaks it. */
export interface RemoveLock {
  op: 'remove-lock';
  spaceId: SpaceId;
  token: string;
  /** Whoever commits this may remove locks of others too. */
  breaks?: boolean;
  actor: Actor;
}

/** Calm when the upload is there already: its expiry is renewed.
 *  @throws too-large: over UPLOADS_PER_USER_MAX open uploads. */
export interface BeginUpload {
  op: 'begin-upload';
  owner: UserId;
  uploadId: string;
  totalBytes: number | undefined;
  at: Instant;
  expiresAt: Instant;
}

/** Stores or replaces a part, and renews the expiry. @throws not-found: no such open upload;
 *  too-large: over UPLOAD_PARTS_MAX parts. */
export interface PutPart {
  op: 'put-part';
  owner: UserId;
  uploadId: string;
  number: number;
  name: string;
  sizeBytes: number;
  manifest: Uint8Array;
  expiresAt: Instant;
  witness?: Witness;
}

/** Forgets an upload. Calm when it is not there. */
export interface DropUpload {
  op: 'drop-upload';
  owner: UserId;
  uploadId: string;
}

/** Forgets uploads that expired before `at`, oldest first, at most 1,000 at once; and all
 *  reservations that did, which count for nothing anyway. */
export interface ExpireUploads {
  op: 'expire-uploads';
  at: Instant;
}

/** undefined: no limit. May be less than what is used: then nothing more is taken. */
export interface SetQuota {
  op: 'set-quota';
  spaceId: SpaceId;
  quotaBytes: number | undefined;
}

export type Change =
  | PutFile | MakeFolder | Move | Copy | Delete | Restore | SetTimes | SetChecksums
  | SetProperties | AddLock | RefreshLock | RemoveLock
  | BeginUpload | PutPart | DropUpload | ExpireUploads | SetQuota | AccessChange
  | BeginBatch | NoteBatch | PurgeSlice | DropVersions | DropTrash | SetRetention | HoldChange;

/** What a commit did. */
export interface ChangeResult {
  /** The node as it is now; undefined for changes that name none, and for `delete`. */
  node: NodeRecord | undefined;
  /** True when something new appeared under that name; false when something was replaced. */
  created: boolean;
  /** The space's revision after the change; 0 for changes outside a space. */
  rev: number;
  /** For expire-uploads, count-download, purge-slice, drop-versions and drop-trash: how many; for
   *  begin-batch and note-batch the batch's id; for HoldChange see there. Else 0. */
  count: number;
  /** Only of `put-grant`. */
  grant?: GrantRecord;
  /** Only of `recount`. */
  recount?: RecountRecord;
}

export const COPY_NODES_MAX = 1_000_000;
/** Sum of namespace, name and XML of one node's dead properties. */
export const PROPERTIES_BYTES_MAX = 256 * 1024;
export const LOCKS_PER_SPACE_MAX = 10_000;
/** Most uploads that one `expire-uploads` forgets. */
export const EXPIRE_UPLOADS_MAX = 1_000;
export const UPLOADS_PER_USER_MAX = 1_000;
export const UPLOAD_PARTS_MAX = 100_000;
