import type { NodeId, SpaceId, TenantId, UserId } from '../../../base/ids.ts';
import { assert } from '../../../base/assert.ts';
import type { Name } from '../../../base/names.ts';
import { systemClock } from '../../../platform/index.ts';
import type { Clock } from '../../../platform/index.ts';
import type { Witness } from '../../../base/witness.ts';
import type { BatchRecord, BatchState } from '../../batch.ts';
import { SUBJECTS_MAX } from '../../access-changes.ts';
import type {
  GrantRecord, ReservationRecord, SpaceMounts, Subject, UsageFigures, UsageRecord,
} from '../../access-records.ts';
import type { Change, ChangeResult } from '../../changes.ts';
import { checkChange, checkLimit } from '../../check-change.ts';
import { HELD_LIMIT_MAX, QUARANTINES_LIMIT_MAX } from '../../holds.ts';
import type {
  HeldRecord, OlderFilesBounds, QuarantineRecord, QuarantineState,
} from '../../holds.ts';
import { DIFF_LIMIT_MAX } from '../../diff.ts';
import type { DiffOptions, DiffPage } from '../../diff.ts';
import { BATCHES_LIMIT_MAX, VERSION_KEYS_LIMIT_MAX } from '../../past.ts';
import type { Horizon, PastSpace, TrashFilter, VersionKey } from '../../past.ts';
import {
  EVENTS_LIMIT_MAX, MANIFESTS_LIMIT_MAX, SPACES_LIMIT_MAX, TRASH_LIMIT_MAX,
} from '../../metadata-store.ts';
import type { ListOptions, NewSpace } from '../../metadata-store.ts';
import type {
  DeadProperty, EventRecord, FolderEntry, Instant, LockRecord, ManifestPlace, ManifestRecord,
  NodeRecord, SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from '../../records.ts';
import { noted } from '../../noted-commit.ts';
import type { RetentionRule, RetentionScope } from '../../retention.ts';
import {
  otherTenant, outOfRange, spaceMissing, storeClosed, versionMissing,
} from '../../refusals.ts';
import type { ShardFigures, ShardStore } from '../../shards/shard-store.ts';
import { openConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { ensureDatabaseFile } from './database-file.ts';
import { explained } from './faults.ts';
import { readFigures } from './shard-figures.ts';
import { AccessReader } from './reader/access-reader.ts';
import { FollowReader } from './reader/follow-reader.ts';
import { listFolder } from './reader/listing.ts';
import { PastReader } from './reader/past-reader.ts';
import { preparePast } from './reader/past-statements.ts';
import { prepareReads } from './reader/read-statements.ts';
import { ReaderPool } from './reader/reader-pool.ts';
import { RecordReader } from './reader/record-reader.ts';
import { TreeReader } from './reader/tree-reader.ts';
import type { TenantRows } from '../../move/tenant-rows.ts';
import { SqlTenantRows } from '../rows/sql-tenant-rows.ts';
import { SqliteRowDatabase } from './sqlite-row-database.ts';
import { WriterClient, startWriterThread } from './writer-client.ts';
import type { StartThread } from './writer-client.ts';

/** Page cache of the connection for short reads. */
const CACHE_KIB = 16 * 1024;

export interface SqliteStoreOptions {
  /** The database file; its folder must be there. */
  file: string;
  /** Whether a missing file may be made. */
  create: boolean;
  /** Which shard it is made as, and has to be; 0 unless said. */
  shard?: number;
  /** How the writer's thread is started; tests stop it at bad moments. */
  startThread?: StartThread;
  clock?: Clock;
  /** Told of each space that a commit has changed, once that is durable. */
  onCommit?: (spaceId: SpaceId) => void;
}

interface Parts {
  connection: Connection;
  pool: ReaderPool;
  writer: WriterClient;
  onCommit: (spaceId: SpaceId) => void;
}

/**
 * A MetadataStore in one SQLite file. One thread writes, in batches (see writer/); short reads run
 * on the calling thread, each on a snapshot of its own; listings have connections of their own.
 */
export class SqliteMetadataStore implements ShardStore {
  readonly #connection: Connection;
  readonly #pool: ReaderPool;
  readonly #writer: WriterClient;
  readonly #records: RecordReader;
  readonly #tree: TreeReader;
  readonly #access: AccessReader;
  readonly #past: PastReader;
  readonly #follow: FollowReader;
  readonly #onCommit: (spaceId: SpaceId) => void;
  /** For moves of tenants. */
  readonly tenantRows: TenantRows;
  #closing: Promise<void> | undefined;

  private constructor({ connection, pool, writer, onCommit }: Parts) {
    this.#onCommit = onCommit;
    this.#connection = connection;
    this.#pool = pool;
    this.#writer = writer;
    const reads = prepareReads(connection);
    this.#records = new RecordReader(reads);
    this.#past = new PastReader(preparePast(connection), (spaceId, afterRev, limit) =>
      this.#records.listEvents(spaceId, afterRev, limit));
    this.#tree = new TreeReader(reads, () => this.#writer.reportCount);
    this.#access = new AccessReader(reads, this.#tree);
    this.#follow = new FollowReader(reads);
    this.tenantRows = new SqlTenantRows(new SqliteRowDatabase({
      connection, writer, onChanged: () => this.#access.forget(),
    }));
  }

  /** The file is checked before SQLite touches it.
   *  @throws not-found: missing, and `create` is false; corrupt: cut off, or no SQLite database;
   *  invalid: another program's, of a version that this one does not know, or of another shard. */
  static async open(options: SqliteStoreOptions): Promise<SqliteMetadataStore> {
    const { file, create, shard = 0, clock = systemClock } = options;
    const { startThread = startWriterThread } = options;
    explained(() => ensureDatabaseFile(file, create, shard));
    const writer = await WriterClient.open(startThread({ file, shard }));
    const connection = openConnection(file, { readonly: true, cacheKib: CACHE_KIB });
    const { onCommit = () => undefined } = options;
    const pool = new ReaderPool(file, clock);
    return new SqliteMetadataStore({ connection, pool, writer, onCommit });
  }

  #read<T>(read: () => T): T {
    if (this.#closing !== undefined) throw storeClosed();
    return explained(read);
  }

  async ensureSpace(wanted: NewSpace): Promise<SpaceRecord> {
    const there = this.#read(() => this.#records.findSpaceOf(wanted.owner));
    if (there !== undefined) {
      if (there.tenant !== wanted.tenant) throw otherTenant();
      return there;
    }
    await this.#writer.submit({ op: 'ensure-space', wanted });
    const made = this.#read(() => this.#records.findSpaceOf(wanted.owner));
    assert(made !== undefined, 'a space that was made is there');
    return made;
  }

  async getSpace(id: SpaceId): Promise<SpaceRecord> {
    const space = this.#read(() => this.#records.findSpace(id));
    if (space === undefined) throw spaceMissing(id);
    return space;
  }

  async listSpaces(limit: number, after = 0): Promise<SpaceRecord[]> {
    checkLimit(limit, SPACES_LIMIT_MAX);
    return this.#read(() => this.#records.listSpaces(after, limit));
  }

  async resolve(spaceId: SpaceId, path: readonly Name[], from?: NodeId): Promise<NodeRecord[]> {
    return this.#read(() => this.#tree.resolve(spaceId, path, from));
  }

  async findChain(spaceId: SpaceId, nodeId: NodeId): Promise<NodeRecord[] | undefined> {
    return this.#read(() => this.#tree.findChain(spaceId, nodeId));
  }

  async findChains(spaceId: SpaceId, nodeIds: readonly NodeId[]) {
    return this.#read(() => this.#follow.findChains(spaceId, nodeIds));
  }

  async listStandings(spaceIds: readonly SpaceId[]) {
    return this.#read(() => this.#follow.listStandings(spaceIds));
  }

  async* listFolder(
    spaceId: SpaceId, folderId: NodeId, options: ListOptions = {},
  ): AsyncIterable<readonly FolderEntry[]> {
    if (this.#closing !== undefined) throw storeClosed();
    yield* listFolder(this.#pool, spaceId, folderId, options);
  }

  async listProperties(spaceId: SpaceId, nodeId: NodeId): Promise<DeadProperty[]> {
    return this.#read(() => (this.#tree.isLive(spaceId, nodeId)
      ? this.#records.listProperties(spaceId, nodeId) : []));
  }

  async getVersion(
    spaceId: SpaceId, nodeId: NodeId, contentRev: number,
  ): Promise<VersionRecord> {
    const found = this.#read(() => this.#records.findVersion(spaceId, nodeId, contentRev));
    if (found === undefined) throw versionMissing(nodeId, contentRev);
    return found;
  }

  async listVersions(spaceId: SpaceId, nodeId: NodeId): Promise<VersionRecord[]> {
    return this.#read(() => this.#records.listVersions(spaceId, nodeId));
  }

  #checkSpace(spaceId: SpaceId): void {
    if (!this.#records.hasSpace(spaceId)) throw spaceMissing(spaceId);
  }

  async listEvents(spaceId: SpaceId, afterRev: number, limit: number): Promise<EventRecord[]> {
    checkLimit(limit, EVENTS_LIMIT_MAX);
    return this.#read(() => {
      this.#checkSpace(spaceId);
      return this.#records.listEvents(spaceId, afterRev, limit);
    });
  }

  async listTrash(
    spaceId: SpaceId, limit: number, beforeRev = Number.MAX_SAFE_INTEGER, filter: TrashFilter = {},
  ): Promise<TrashRecord[]> {
    checkLimit(limit, TRASH_LIMIT_MAX);
    return this.#read(() => {
      this.#checkSpace(spaceId);
      const isWhole = filter.by === undefined && filter.parentId === undefined;
      return isWhole ? this.#records.listTrash(spaceId, beforeRev, limit)
        : this.#past.listTrash(spaceId, filter, { beforeRev, limit });
    });
  }

  async revisionAt(spaceId: SpaceId, at: Instant): Promise<number> {
    return this.#read(() => this.#past.snapshot(() => this.#past.revisionAt(spaceId, at)));
  }

  async past(spaceId: SpaceId, rev: number): Promise<PastSpace> {
    return this.#read(() => this.#past.open(spaceId, rev, (read) => this.#read(read)));
  }

  async getHorizon(spaceId: SpaceId): Promise<Horizon> {
    return this.#read(() => this.#past.snapshot(() => this.#past.horizon(spaceId)));
  }

  async diff(
    spaceId: SpaceId, fromRev: number, toRev: number, options: DiffOptions = {},
  ): Promise<DiffPage> {
    if (options.limit !== undefined) checkLimit(options.limit, DIFF_LIMIT_MAX);
    return this.#read(() =>
      this.#past.snapshot(() => this.#past.diff(spaceId, fromRev, toRev, options)));
  }

  async findDeleted(spaceId: SpaceId, nodeId: NodeId): Promise<TrashRecord | undefined> {
    return this.#read(() => this.#past.snapshot(() => this.#past.findDeleted(spaceId, nodeId)));
  }

  async listVersionKeys(
    spaceId: SpaceId, limit: number, after = { nodeId: 0 as NodeId, contentRev: 0 },
  ): Promise<VersionKey[]> {
    checkLimit(limit, VERSION_KEYS_LIMIT_MAX);
    return this.#read(() => this.#past.listVersionKeys(spaceId, limit, after));
  }

  async readRetention(scope: RetentionScope): Promise<RetentionRule> {
    return this.#read(() => this.#past.readRetention(scope));
  }

  async findBatch(batchId: number): Promise<BatchRecord | undefined> {
    return this.#read(() => this.#past.findBatch(batchId));
  }

  async listBatches(
    filter: { spaceId?: SpaceId; state?: BatchState }, limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<BatchRecord[]> {
    checkLimit(limit, BATCHES_LIMIT_MAX);
    return this.#read(() => this.#past.listBatches(filter, limit, before));
  }

  async findQuarantine(id: number): Promise<QuarantineRecord | undefined> {
    return this.#read(() => this.#records.holds.find(id));
  }

  async listQuarantines(
    { state }: { state?: QuarantineState }, limit: number, before = Number.MAX_SAFE_INTEGER,
  ): Promise<QuarantineRecord[]> {
    checkLimit(limit, QUARANTINES_LIMIT_MAX);
    return this.#read(() => this.#records.holds.list(state, limit, before));
  }

  async listHeld(quarantineId: number, limit: number, after = 0): Promise<HeldRecord[]> {
    checkLimit(limit, HELD_LIMIT_MAX);
    return this.#read(() => this.#records.holds.listHeld(quarantineId, limit, after));
  }

  async countOlderFiles(
    spaceId: SpaceId, folderId: NodeId, bounds: OlderFilesBounds,
  ): Promise<number> {
    return this.#read(() => this.#records.holds.countOlderFiles(spaceId, folderId, bounds));
  }

  async listLocks(spaceId: SpaceId, at: Instant): Promise<LockRecord[]> {
    return this.#read(() => {
      this.#checkSpace(spaceId);
      return this.#records.listLocks(spaceId, at);
    });
  }

  async listGrants(spaceId: SpaceId): Promise<readonly GrantRecord[]> {
    await this.accessRev(spaceId);
    return this.#read(() => this.#access.listGrants(spaceId));
  }

  async accessRev(spaceId: SpaceId): Promise<number> {
    const rev = this.#read(() => this.#access.accessRev(spaceId));
    if (rev === undefined) throw spaceMissing(spaceId);
    return rev;
  }

  async listGrantsTo(subjects: readonly Subject[]): Promise<readonly GrantRecord[]> {
    if (subjects.length > SUBJECTS_MAX) throw outOfRange('subjects');
    return this.#read(() => this.#access.listGrantsTo(subjects));
  }

  async findLink(tokenHash: string): Promise<GrantRecord | undefined> {
    return this.#read(() => this.#access.findLink(tokenHash));
  }

  async listMounts(spaceId: SpaceId): Promise<SpaceMounts> {
    await this.accessRev(spaceId);
    return this.#read(() => this.#access.listMounts(spaceId));
  }

  async readUsage(spaceId: SpaceId, at: Instant): Promise<UsageRecord> {
    const space = await this.getSpace(spaceId);
    return this.#read(() => this.#access.usage(space, at));
  }

  async readTenantUsage(tenant: TenantId, at: Instant): Promise<UsageFigures> {
    return this.#read(() => this.#access.tenantUsage(tenant, at));
  }

  async listReservations(spaceId: SpaceId, at: Instant): Promise<ReservationRecord[]> {
    return this.#read(() => {
      this.#checkSpace(spaceId);
      return this.#access.listReservations(spaceId, at);
    });
  }

  async findUpload(owner: UserId, uploadId: string): Promise<UploadRecord | undefined> {
    return this.#read(() => this.#records.findUpload(owner, uploadId));
  }

  async listParts(owner: UserId, uploadId: string): Promise<UploadPartRecord[]> {
    return this.#read(() => this.#records.listParts(owner, uploadId));
  }

  async listManifests(limit: number, after?: ManifestPlace): Promise<ManifestRecord[]> {
    checkLimit(limit, MANIFESTS_LIMIT_MAX);
    return this.#read(() => this.#records.listManifests(limit, after));
  }

  async commit(change: Change): Promise<ChangeResult> {
    checkChange(change);
    const result = await noted(change, this.#writer.submit(change))
      .finally(() => this.#access.noteChange(change)); // Also when nobody knows if it was made.
    if (result.rev > 0 && 'spaceId' in change) this.#onCommit(change.spaceId);
    if ('toSpaceId' in change && change.toSpaceId !== undefined) this.#onCommit(change.toSpaceId);
    return result;
  }

  async readWitness(): Promise<Witness> {
    return this.#read(() => this.#records.listWitness());
  }

  async readFigures(): Promise<ShardFigures> {
    return this.#read(() => readFigures(this.#connection));
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writer.drain();
    this.#past.close();
    this.#pool.close();
    this.#connection.close();
    await this.#writer.close(); // The last to close folds the write-ahead log into the file.
  }
}
