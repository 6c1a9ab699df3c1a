/** The door of metadata. The stores themselves are named by src/app alone. */
export {
  COPY_NODES_MAX, EXPIRE_UPLOADS_MAX, LOCKS_PER_SPACE_MAX, PROPERTIES_BYTES_MAX,
  UPLOADS_PER_USER_MAX, UPLOAD_PARTS_MAX,
} from './changes.ts';
export type {
  Actor, AddLock, BeginUpload, Change, ChangeResult, Copy, Delete, DropUpload, Expectation,
  ExpireUploads, MakeFolder, Move, NewContent, PutFile, PutPart, RefreshLock, RemoveLock, Restore,
  SetChecksums, SetProperties, SetQuota, SetTimes,
} from './changes.ts';
export { changedProperties, compareCodePoints } from './dead-properties.ts';
export { checkLocks, lockAgainst, locksCovering, locksInForce, locksWithin } from './lock-rules.ts';
export type { LockNeeds, LockView } from './lock-rules.ts';
export {
  CHANGES_QUEUE_MAX, EVENTS_LIMIT_MAX, LIST_PAGE_MAX, MANIFESTS_LIMIT_MAX, TRASH_LIMIT_MAX,
} from './metadata-store.ts';
export type { ListOptions, MetadataStore, NewSpace } from './metadata-store.ts';
export type {
  CopyOrigin, DeadProperty, EventKind, EventRecord, FolderEntry, Instant, LockRecord,
  ManifestPlace, ManifestRecord, NodeKind, NodeRecord, SpaceRecord, TrashRecord,
  UploadPartRecord, UploadRecord, VersionRecord,
} from './records.ts';
