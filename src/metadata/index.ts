export type {
  Actor, AddLock, BeginUpload, Change, ChangeResult, Copy, Delete, DropUpload, Expectation,
  ExpireUploads, MakeFolder, Move, NewContent, PutFile, PutPart, RefreshLock, RemoveLock, Restore,
  SetChecksums, SetProperties, SetQuota, SetTimes,
} from './changes.ts';
export {
  COPY_NODES_MAX, LOCKS_PER_SPACE_MAX, PROPERTIES_BYTES_MAX, UPLOAD_PARTS_MAX, UPLOADS_PER_USER_MAX,
} from './changes.ts';
export { CHANGES_QUEUE_MAX, LIST_PAGE_MAX } from './metadata-store.ts';
export type { ListOptions, MetadataStore, NewSpace } from './metadata-store.ts';
export type {
  DeadProperty, EventKind, EventRecord, FolderEntry, Instant, LockRecord, NodeKind, NodeRecord,
  SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from './records.ts';
