export { accessOf } from './access.ts';
export type { Access } from './access.ts';
export { bodyCut, bodyOf } from './body.ts';
export type { BodySource, TakePiece } from './body.ts';
export { findAlgorithm, formatChecksum, parseChecksum } from './checksums.ts';
export type { Checksum, ChecksumAlgorithm } from './checksums.ts';
export { ContentStore } from './content-store.ts';
export { blocksOf, FileContent, READ_BYTES } from './download.ts';
export type { ByteRange } from './download.ts';
export { etagOf } from './etag.ts';
export { FileService } from './file-service.ts';
export type {
  Deal, FolderListing, Found, QuotaState, UploadOptions, Written,
} from './file-service.ts';
export { decodeManifest } from './manifest.ts';
export type { BlockRef, Manifest } from './manifest.ts';
export { filesSlice } from './settings.ts';
export { SpaceDirectory } from './space-directory.ts';
export type { WriteSample, WriteWatch } from './write-watch.ts';
export { UPLOAD_TTL_MS, UploadService } from './upload-service.ts';
export type { FinishOptions } from './upload-service.ts';
