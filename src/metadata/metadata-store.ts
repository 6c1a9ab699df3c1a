import type { NodeId, SpaceId, TenantId, UserId } from '../base/ids.ts';
import type { CasePolicy, Name } from '../base/names.ts';
import type { Witness } from '../base/witness.ts';
import type {
  GrantRecord, ReservationRecord, SpaceMounts, Subject, UsageFigures, UsageRecord,
} from './access-records.ts';
import type { Change, ChangeResult } from './changes.ts';
import type { FollowStore } from './following.ts';
import type { HoldStore } from './holds.ts';
import type { PastStore, TrashFilter } from './past.ts';
import type {
  DeadProperty, EventRecord, FolderEntry, Instant, LockRecord, ManifestPlace, ManifestRecord,
  NodeRecord, SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from './records.ts';

/** How old an answer may be. */
export interface ReadOptions {
  /** A moment by the clock that never runs backwards: all changes count whose `commit` had resolved
   *  by then. For whoever reads for somebody who came at that moment, and changes nothing. Left
   *  out: the moment of the call. */
  readonly sinceMs?: number | undefined;
}

/**
 * A MetadataStore keeps spaces: trees of files and folders with a journal, versions, a trash,
 * dead properties, locks and open uploads. It knows nothing of bytes or permissions: a manifest is
 * opaque to it, and whoever commits one has made its blocks durable before.
 *
 * Every method may run concurrently. Changes of one space are serial: each sees the result of the
 * one before, and a change that fails leaves nothing. A read sees all changes whose `commit` had
 * resolved before it began, but see ReadOptions. What a deleted folder held is not live: no method
 * finds it except by way of the trash.
 *
 * Durability: once `commit` or `ensureSpace` has resolved, the change survives a power cut.
 * Errors: `unavailable` once closed; `busy` when too many changes wait; others as listed.
 */
export interface MetadataStore extends PastStore, HoldStore, FollowStore {
  /** The personal space of a user, made on first use.
   *  @throws denied `other-tenant`: there is one, of another tenant. */
  ensureSpace(wanted: NewSpace): Promise<SpaceRecord>;

  /** @throws not-found. */
  getSpace(id: SpaceId): Promise<SpaceRecord>;

  /** All spaces by ascending id, strictly after `after`, at most `limit` (1 to SPACES_LIMIT_MAX).
   *  With `near`, all of that tenant at least: those of others may be left out, and need not.
   *  @throws invalid: another limit. */
  listSpaces(limit: number, after?: SpaceId, near?: TenantId): Promise<SpaceRecord[]>;

  /** Follows names from the root, or from the node `from`. The answer begins with that node and
   *  holds one more for each name that was found; it is complete when its length is that of the
   *  path plus one, and empty when `from` is not live. Names are found by their canonical form, so
   *  the node's own name may be spelled otherwise. A file or a mount ends the walk.
   *  @throws not-found: no such space. */
  resolve(
    spaceId: SpaceId, path: readonly Name[], from?: NodeId, options?: ReadOptions,
  ): Promise<NodeRecord[]>;

  /** A live node and its ancestors, root first, itself last; undefined when it is not live. */
  findChain(spaceId: SpaceId, nodeId: NodeId): Promise<NodeRecord[] | undefined>;

  /** The members of a folder in ascending order of canonical name (by code point), in pages of at
   *  most LIST_PAGE_MAX, all as of one moment. A constant number of statements per page.
   *  `withProperties` adds each entry's dead properties. @throws not-found: no such live folder. */
  listFolder(
    spaceId: SpaceId, folderId: NodeId, options?: ListOptions,
  ): AsyncIterable<readonly FolderEntry[]>;

  listProperties(spaceId: SpaceId, nodeId: NodeId): Promise<DeadProperty[]>;

  /** The version that a live or past node had; or held content of it, by what heldContentRev says.
   *  @throws not-found. */
  getVersion(spaceId: SpaceId, nodeId: NodeId, contentRev: number): Promise<VersionRecord>;

  /** All versions kept of a node, newest first. */
  listVersions(spaceId: SpaceId, nodeId: NodeId): Promise<VersionRecord[]>;

  /** Events with revisions above `afterRev`, ascending, at most `limit` (1 to 2,000). */
  listEvents(spaceId: SpaceId, afterRev: number, limit: number): Promise<EventRecord[]>;

  /** Newest first, strictly older than `beforeRev` when given, at most `limit` (1 to 1,000). */
  listTrash(
    spaceId: SpaceId, limit: number, beforeRev?: number, filter?: TrashFilter,
  ): Promise<TrashRecord[]>;

  /** Locks of a space that have not expired at `at`. */
  listLocks(spaceId: SpaceId, at: Instant): Promise<LockRecord[]>;

  /** All grants of a space by ascending id, expired ones and those at deleted nodes too. Cheap to
   *  ask again and again: it is remembered until a grant of the space changes.
   *  @throws not-found: no such space. */
  listGrants(spaceId: SpaceId): Promise<readonly GrantRecord[]>;

  /** `accessRev` of a space; as cheap as `listGrants`. @throws not-found: no such space. */
  accessRev(spaceId: SpaceId): Promise<number>;

  /** Shown grants of all spaces to any of these users and groups by ascending id, at most
   *  GRANTS_TO_MAX, expired ones and those at deleted nodes too; as cheap as `listGrants`.
   *  @throws invalid: more than SUBJECTS_MAX subjects. */
  listGrantsTo(
    subjects: readonly Subject[], options?: ReadOptions,
  ): Promise<readonly GrantRecord[]>;

  /** The grant of a link, also if it has expired or its node is deleted; undefined: there is none,
   *  or it was ended. */
  findLink(tokenHash: string): Promise<GrantRecord | undefined>;

  /** Live mounts of a space, and what its owner does not want to see. As cheap as `listGrants`, as
   *  long as nothing is moved, deleted or restored in the space.
   *  @throws not-found: no such space. */
  listMounts(spaceId: SpaceId): Promise<SpaceMounts>;

  /** What of the quotas of a space and its tenant is used. @throws not-found: no such space. */
  readUsage(spaceId: SpaceId, at: Instant): Promise<UsageRecord>;

  /** What all spaces of a tenant use together; nothing, where there is none. */
  readTenantUsage(tenant: TenantId, at: Instant): Promise<UsageFigures>;

  /** Reservations of a space that have not expired at `at`, by id. */
  listReservations(spaceId: SpaceId, at: Instant): Promise<ReservationRecord[]>;

  findUpload(owner: UserId, uploadId: string): Promise<UploadRecord | undefined>;

  /** Parts by ascending number. */
  listParts(owner: UserId, uploadId: string): Promise<UploadPartRecord[]>;

  /** Everything that refers to content, page by page, strictly after `after`: the parts of uploads,
   *  what is held, and every version that is kept, be its file live, deleted, replaced or still
   *  being copied. At most `limit` (1 to MANIFESTS_LIMIT_MAX), in the order of ManifestPlace; fewer
   *  say nothing, only an empty page is the end.
   *
   *  Pages are not of one moment. Whoever walks all of them meets every manifest that was referred
   *  to from before the first page until after the last one, even if meanwhile it moves from an
   *  upload to a file or is held on the way, or is copied and then let go by what it was copied
   *  from. One exception: what is copied to a space with a smaller id and purged from the other,
   *  both meanwhile. So nobody may call content unneeded because one single walk has missed it. */
  listManifests(limit: number, after?: ManifestPlace): Promise<ManifestRecord[]>;

  /** Commits one change. Many callers' changes share one durable transaction.
   *  @throws as the change's own description says; not-found: no such space. */
  commit(change: Change): Promise<ChangeResult>;

  /** For each volume the largest mark that any committed change brought. */
  readWitness(): Promise<Witness>;

  /** Finishes what was handed in, then releases files. Calm when called twice. */
  close(): Promise<void>;
}

export interface NewSpace {
  /** For good. */
  tenant: TenantId;
  owner: UserId;
  casePolicy: CasePolicy;
  quotaBytes: number | undefined;
  at: Instant;
}

export interface ListOptions {
  withProperties?: boolean;
  /** Only entries whose canonical name comes after this one (see base/names.ts). */
  after?: string;
  /** Entries of a page: 1 to LIST_PAGE_MAX, which is also what it is unless said. Whoever says it
   *  means to stop soon: then nothing is read ahead. */
  pageMax?: number;
  signal?: AbortSignal;
}

export const LIST_PAGE_MAX = 500;
export const SPACES_LIMIT_MAX = 1_000;
export const EVENTS_LIMIT_MAX = 2_000;
export const TRASH_LIMIT_MAX = 1_000;
export const MANIFESTS_LIMIT_MAX = 1_000;
/** Changes that may wait for the writer; one more is refused with `busy`. */
export const CHANGES_QUEUE_MAX = 10_000;
