export {
  accessOf, accessOfRole, effective, explain, isInForce, roleBelow, subjectList, subjectsOf,
} from './access.ts';
export type { Access, Deed, EffectiveOptions, Reason, Subjects } from './access.ts';
export type { Target } from './aim.ts';
export { bodyCut, bodyOf } from './body.ts';
export type { BodySource, TakePiece } from './body.ts';
export { findAlgorithm, formatChecksum, parseChecksum } from './checksums.ts';
export type { Checksum, ChecksumAlgorithm } from './checksums.ts';
export { ContentStore } from './content-store.ts';
export { blocksOf, FileContent, READ_BYTES } from './download.ts';
export type { ByteRange } from './download.ts';
export { etagOf } from './etag.ts';
export { FileService } from './file-service.ts';
export type { Deal, UploadOptions } from './deal.ts';
export type { FolderListing, Found, QuotaState, SharesAt, Written } from './file-service.ts';
export { decodeManifest } from './manifest.ts';
export type { BlockRef, Manifest } from './manifest.ts';
export { filesSlice } from './settings.ts';
export { Links } from './sharing/links.ts';
export type { LinkVisit } from './sharing/links.ts';
export type {
  LinkPasswordKeeper, NewShare, People, Receiver, Share, ShareWishes,
} from './sharing/share.ts';
export { SharingService } from './sharing/sharing-service.ts';
export type { ShareTerms } from './sharing/terms.ts';
export { SpaceDirectory } from './space-directory.ts';
export { parseWhen } from './time/moment.ts';
export type { When } from './time/moment.ts';
export type { PastFound, PastView } from './time/past-view.ts';
export { Batches } from './time/restore/batches.ts';
export { TrashService } from './time/trash-service.ts';
export type { TrashPage, Trashed } from './time/trash-service.ts';
export { VersionService } from './time/version-service.ts';
export type { KeptVersion } from './time/version-service.ts';
export { TimeService } from './time/time-service.ts';
export type { Comparison } from './time/time-service.ts';
export { isLinkCaller } from './view/link-caller.ts';
export type { LinkCaller } from './view/link-caller.ts';
export { accessAt, roleAt } from './view/sight.ts';
export type { SeenNode, Sight } from './view/sight.ts';
export type { SeenEntry } from './view/views.ts';
export type { WriteSample, WriteWatch } from './write-watch.ts';
export { UPLOAD_TTL_MS, UploadService } from './upload-service.ts';
export type { FinishOptions } from './upload-service.ts';
