/** The door of metadata. The stores themselves are named by src/app alone. */
export {
  GRANTS_PER_SPACE_MAX, GRANTS_TO_MAX, GRANT_TERMS_BYTES_MAX, MOUNTS_PER_SPACE_MAX,
  RESERVATIONS_MAX, RESERVATION_ID_LENGTH_MAX, SUBJECTS_MAX,
} from './access-changes.ts';
export type {
  AccessChange, CountDownload, DropReservation, MakeSpace, Mount, PutGrant, Recount, RemoveGrant,
  RenameSpace, ReserveQuota, RevivedGrant, SetTenantQuota, Unmount,
} from './access-changes.ts';
export type {
  GrantRecord, MountRecord, MountTarget, RecountRecord, ReservationRecord, SpaceMounts, Subject,
  UsageFigures, UsageRecord,
} from './access-records.ts';
export {
  COPY_NODES_MAX, EXPIRE_UPLOADS_MAX, LOCKS_PER_SPACE_MAX, PROPERTIES_BYTES_MAX,
  UPLOADS_PER_USER_MAX, UPLOAD_PARTS_MAX,
} from './changes.ts';
export type {
  Actor, AddLock, BeginUpload, Change, ChangeResult, Copy, Delete, DropUpload, Expectation,
  ExpireUploads, MakeFolder, Move, NewContent, PutFile, PutPart, RefreshLock, RemoveLock, Restore,
  SetChecksums, SetProperties, SetQuota, SetTimes,
} from './changes.ts';
export type { BatchKind, BatchRecord, BatchState, BeginBatch, NoteBatch } from './batch.ts';
export {
  DEVICE_KEY_LENGTH_MAX, HELD_AT_ONCE_MAX, HELD_LIMIT_MAX, HELD_PER_QUARANTINE_MAX,
  QUARANTINES_LIMIT_MAX, heldContentRev, isLiveQuarantine,
} from './holds.ts';
export type {
  DecideQuarantine, DropHeld, EndKeep, HeldContent, HeldRecord, Hold, HoldChange, HoldStore,
  OpenQuarantine, QuarantineRecord, QuarantineState,
} from './holds.ts';
export { CHAINS_MAX, STANDINGS_MAX } from './following.ts';
export type { FollowStore, SpaceStanding } from './following.ts';
export { DIFF_EVENTS_MAX, DIFF_LIMIT_MAX } from './diff.ts';
export type { DiffChange, DiffEntry, DiffOptions, DiffPage, DiffPlace } from './diff.ts';
export { BATCHES_LIMIT_MAX, VERSION_KEYS_LIMIT_MAX } from './past.ts';
export type {
  Horizon, PastListOptions, PastNode, PastSpace, PastStore, TrashFilter, VersionKey,
} from './past.ts';
export {
  KEEP_DAYS_MAX, NOBODY, PURGE_ROWS_MAX, TRASH_DROPPED_MAX, VERSIONS_DROPPED_MAX,
} from './retention.ts';
export type {
  DropTrash, DropVersions, PurgeSlice, RetentionRule, RetentionScope, SetRetention,
} from './retention.ts';
export { changedProperties, compareCodePoints } from './dead-properties.ts';
export { checkLocks, lockAgainst, locksCovering, locksInForce, locksWithin } from './lock-rules.ts';
export type { LockNeeds, LockView } from './lock-rules.ts';
export { lockKindOf, lockedAt, newLockToken } from './lock-token.ts';
export type { LockKind } from './lock-token.ts';
export {
  CHANGES_QUEUE_MAX, EVENTS_LIMIT_MAX, LIST_PAGE_MAX, MANIFESTS_LIMIT_MAX, SPACES_LIMIT_MAX,
  TRASH_LIMIT_MAX,
} from './metadata-store.ts';
export type { ListOptions, MetadataStore, NewSpace, ReadOptions } from './metadata-store.ts';
export { shardOfId } from './shard-number.ts';
export { CachedDirectory, MAP_SURE_MS } from './shards/cached-directory.ts';
export type { DirectoryCopy, DirectoryStanding } from './shards/cached-directory.ts';
export type {
  DirectoryView, ShardDirectory, ShardRecord, ShardState, TenantPlace,
} from './shards/shard-directory.ts';
export { shardAway } from './shards/shard-refusals.ts';
export { ShardPool } from './shards/shard-pool.ts';
export type { ShardFigures, ShardStore, TenantHolding } from './shards/shard-store.ts';
export { ShardedMetadataStore } from './shards/sharded-metadata-store.ts';
export type { KnownMarks, OnAway } from './shards/sharded-metadata-store.ts';
export type {
  CopyOrigin, DeadProperty, EventKind, EventRecord, FolderEntry, Instant, LockRecord,
  ManifestPlace, ManifestRecord, NodeKind, NodeRecord, SpaceRecord, TrashRecord,
  UploadPartRecord, UploadRecord, VersionRecord,
} from './records.ts';
export type { DrainJournal, DrainRecord } from './move/drain-journal.ts';
export { NotedDrainJournal } from './move/noted-drain-journal.ts';
export type { MoveJournal, MoveRecord } from './move/move-record.ts';
export { NotedMoveJournal } from './move/noted-move-journal.ts';
export { tenantMoveSlice } from './move/settings.ts';
export { TenantMover } from './move/tenant-mover.ts';
export type { TenantRows } from './move/tenant-rows.ts';
