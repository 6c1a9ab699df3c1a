export { makeClusterKey, readClusterKey, rotateClusterKey } from './filer/cluster-key.ts';
export { FilerServer } from './filer/filer-server.ts';
export type { FilerFinding } from './filer/filer-server.ts';
export type { FilerRoot, FilerServerOptions, RefusedDisk } from './filer/filer-server.ts';
export { filerRoots, filerSlice, KEEP_TRASH_MS } from './filer/filer-settings.ts';
export { FilerClient } from './filer/filer-client.ts';
export type { FilerClientOptions, FilerState } from './filer/filer-client.ts';
export { DiskClaims } from './filer/disk-claims.ts';
export { identifyDisk } from './filer/disk-identity.ts';
export { LocalDisk } from './filer/local-disk.ts';
export type { LocalDiskOptions } from './filer/local-disk.ts';
export { DIGEST_SPAN_BYTES, DIGEST_SPANS_MAX } from './filer/disk.ts';
export type { Disk, SpanDigests, TrashEntry } from './filer/disk.ts';
export { storageSlice } from './settings.ts';
export { STORAGE_POLICIES } from './storage-policies.ts';
export { backendSlice, partOf, placeSettings, where } from './backend-settings.ts';
export type {
  AzurePlaceSettings, BackendSettings, GcsPlaceSettings, ObjectBackend, PlaceSettings,
  S3PlaceSettings,
} from './backend-settings.ts';
export { readJson, replaceJson, syncFolder } from './filer/durable-json.ts';
export { missingFrom } from './mirror/comparison.ts';
export { LateStore } from './mirror/late-store.ts';
export { Block, BLOCK_BYTES_MAX } from './block.ts';
export { SEGMENT_BYTES } from './block-store.ts';
export { RECLAIM_PAGE_MAX } from './block-reclaim.ts';
export type {
  BlockClaim, BlockReclaim, ReclaimState, UnneededBlock,
} from './block-reclaim.ts';
export { INSPECTED_BLOCKS_MAX } from './volume-reclaim.ts';
export type {
  Compaction, CompactOptions, InspectedVolume, TrashedVolume, TrashInspection, VolumeReclaim,
  VolumeUse,
} from './volume-reclaim.ts';
export type { BlockStore, BlockStoreState } from './block-store.ts';
export { CACHE_DEFAULTS } from './cache/cache-limits.ts';
export type { CacheCounters, CacheLimits } from './cache/cache-limits.ts';
export { DiskCache } from './cache/disk-cache.ts';
export type { DiskCacheOptions } from './cache/disk-cache.ts';
export { MemoryCache } from './cache/memory-cache.ts';
export { BlockCutter } from './chunker.ts';
export { MIRROR_DEFAULTS } from './mirror/mirror-limits.ts';
export type { MirrorLimits, MirrorPolicy, MirrorStatus } from './mirror/mirror-limits.ts';
export { MirrorStore } from './mirror/mirror-store.ts';
export type { MirrorOptions } from './mirror/mirror-store.ts';
export { ErasureSet } from './erasure/erasure-set.ts';
export type { ErasureSetOptions } from './erasure/erasure-set.ts';
export { encodeErasureSet } from './erasure/set-encoder.ts';
export type { EncodedSet, ErasureSetPlan, ErasureWork } from './erasure/set-encoder.ts';
export { parityName, parseParityName } from './erasure/set-layout.ts';
export { proveErasureSet } from './erasure/set-proof.ts';
export type { ErasureProof } from './erasure/set-proof.ts';
export { rebuildShard } from './erasure/set-rebuild.ts';
export { shardCopy } from './erasure/shard-copy.ts';
export type { ErasureFinding, SetPlaces, ShardPlace } from './erasure/shard-place.ts';
export { BlockSealer, DEFAULT_TENANT, isShredded } from './sealing/block-sealer.ts';
export type { BlockSealerOptions, CompressionMode } from './sealing/block-sealer.ts';
export {
  initKeys, keyStatus, openSealer, rotateDataKey, rotateMasterKey, shredConfirmation, shredTenant,
} from './sealing/key-commands.ts';
export type {
  HoldEncrypted, KeyPlaces, KeyStatus, SealerSettings, TenantKeys,
} from './sealing/key-commands.ts';
export type { ClusterKey } from './filer/cluster-key.ts';
export { nextEpoch, returnEpoch } from './filer/epoch.ts';
export { readCopyPlaces } from './replication/copy-places.ts';
export type { CopyFinding } from './replication/copy-findings.ts';
export type { DiskLink } from './replication/disk-link.ts';
export { DiskRegister } from './replication/disk-register.ts';
export type { RegisteredDisk } from './replication/disk-register.ts';
export type { DiskOverview, DiskPlan, Disks, NewDisk } from './replication/disks.ts';
export type { ErasureSets, SetKind, SetStatus } from './replication/sets/erasure-sets.ts';
export { erasurePolicy, erasureSlice } from './replication/sets/erasure-settings.ts';
export { openReplicatedFiles } from './replication/open-replicated-files.ts';
export type { DamagedVolume, RepairStatus } from './replication/repair-meter.ts';
export type { ProposalOutcome, RepairProposal } from './replication/repair-proposals.ts';
export type { RepairWorker } from './replication/repair-worker.ts';
export type {
  ErasureReason, ReplacedCopies, ReplacedCopy,
} from './replication/replaced-copies.ts';
export type { ReplicatedVolumeFiles } from './replication/replicated-volume-files.ts';
export { DOMAIN_LEVELS, usualPolicy } from './replication/volume-disk.ts';
export type {
  DiskLabels, DomainLevel, ReplicationPolicy, VolumeDisk,
} from './replication/volume-disk.ts';
export type { HomeEntry, HomeTable } from './shared/home-table.ts';
export type { LeavingList } from './shared/leaving-list.ts';
export type { StoreSharing } from './shared/leaving-view.ts';
