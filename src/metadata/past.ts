/** The past of a space: how it was at any revision that is still kept. */
import type { NodeId, SpaceId, UserId } from '../base/ids.ts';
import type { Name } from '../base/names.ts';
import type { GrantRecord } from './access-records.ts';
import type { BatchFilter, BatchRecord } from './batch.ts';
import type { DiffPage, DiffOptions } from './diff.ts';
import type { Instant, NodeRecord, TrashRecord } from './records.ts';
import type { RetentionRule, RetentionScope } from './retention.ts';

/** A file or folder as it was. What is kept of a folder is its place: neither its size nor the time
 *  of the latest change below it, so both are undefined, and its mark is 0. */
export interface PastNode extends Omit<NodeRecord, 'sizeBytes' | 'modifiedAt'> {
  sizeBytes: number | undefined;
  modifiedAt: Instant | undefined;
}

export interface PastListOptions {
  signal?: AbortSignal;
}

/** A space as of one revision. It never changes: the same question has the same answer, until the
 *  revision is older than what is kept; then every method throws not-found `past-gone`. Checksums
 *  alone may be added later, to content that somebody has read again. */
export interface PastSpace {
  readonly spaceId: SpaceId;
  readonly rootId: NodeId;
  readonly rev: number;
  /** When the revision came about; for revision 0 when the space was made. */
  readonly at: Instant;

  /** As MetadataStore.resolve. */
  resolve(path: readonly Name[], from?: NodeId): Promise<PastNode[]>;

  /** As MetadataStore.findChain. */
  findChain(nodeId: NodeId): Promise<PastNode[] | undefined>;

  /** All grants that there were, by ascending id; those at nodes that were deleted too. */
  listGrants(): Promise<readonly GrantRecord[]>;

  /** As MetadataStore.listFolder, without dead properties: they have no past.
   *  @throws not-found: no such live folder at that revision. */
  listFolder(folderId: NodeId, options?: PastListOptions): AsyncIterable<readonly PastNode[]>;
}

/** Which entries of the trash are asked for. */
export interface TrashFilter {
  /** Only what this user has deleted. */
  by?: UserId;
  /** Only what was deleted out of this very folder. */
  parentId?: NodeId;
}

/** A version without its content: what retention decides by. */
export interface VersionKey {
  nodeId: NodeId;
  contentRev: number;
  sizeBytes: number;
  savedAt: Instant;
}

/** What a space still has of its past. */
export interface Horizon {
  /** The oldest revision that can be shown; 0: all of them. */
  revFloor: number;
  at: Instant;
}

export const VERSION_KEYS_LIMIT_MAX = 1_000;
export const BATCHES_LIMIT_MAX = 1_000;

/** The part of MetadataStore that looks back. */
export interface PastStore {
  /** The newest revision at or before an instant; 0 before the first one.
   *  @throws not-found: no such space. */
  revisionAt(spaceId: SpaceId, at: Instant): Promise<number>;

  /** @throws not-found: no such space, or code `past-gone`: older than what is kept, with the fact
   *  `oldestAt`; invalid `rev-ahead`: the space has no such revision yet. */
  past(spaceId: SpaceId, rev: number): Promise<PastSpace>;

  getHorizon(spaceId: SpaceId): Promise<Horizon>;

  /** What is different between two revisions, in order of the first change of each node. The cost
   *  grows with the events between them, not with the space. @throws as past. */
  diff(
    spaceId: SpaceId, fromRev: number, toRev: number, options?: DiffOptions,
  ): Promise<DiffPage>;

  /** How a node that is not live can be brought back: the trash entry of itself, or of the folder
   *  with which it went; undefined when it is live, unknown or gone for good. */
  findDeleted(spaceId: SpaceId, nodeId: NodeId): Promise<TrashRecord | undefined>;

  /** What was set for a space or a tenant itself; empty where nothing was. */
  readRetention(scope: RetentionScope): Promise<RetentionRule>;

  /** Versions by node and revision, strictly after `after`, at most `limit` (1 to 1,000). */
  listVersionKeys(
    spaceId: SpaceId, limit: number, after?: { nodeId: NodeId; contentRev: number },
  ): Promise<VersionKey[]>;

  findBatch(batchId: number): Promise<BatchRecord | undefined>;

  /** Batches of a space (undefined: of all, `near` as in listSpaces), newest first, strictly older
   *  than `before`, at most `limit` (1 to 1,000). */
  listBatches(filter: BatchFilter, limit: number, before?: number): Promise<BatchRecord[]>;
}
