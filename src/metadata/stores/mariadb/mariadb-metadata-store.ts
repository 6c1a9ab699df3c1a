import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { NodeId, SpaceId, TenantId, UserId } from '../../../base/ids.ts';
import { assert } from '../../../base/assert.ts';
import type { Name } from '../../../base/names.ts';
import { systemClock } from '../../../platform/index.ts';
import type { Clock } from '../../../platform/index.ts';
import type { Witness } from '../../../base/witness.ts';
import { withChoice } from '../../../platform/mariadb/index.ts';
import type { KnownStates, ServerAddress } from '../../../platform/mariadb/index.ts';
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
import type { ListOptions, NewSpace, ReadOptions } from '../../metadata-store.ts';
import type {
  DeadProperty, EventRecord, FolderEntry, Instant, LockRecord, ManifestPlace, ManifestRecord,
  NodeRecord, SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from '../../records.ts';
import { noted } from '../../noted-commit.ts';
import type { RetentionRule, RetentionScope } from '../../retention.ts';
import {
  otherTenant, outOfRange, spaceMissing, storeClosed, versionMissing,
} from '../../refusals.ts';
import type { TenantRows } from '../../move/tenant-rows.ts';
import type { ShardFigures, ShardStore } from '../../shards/shard-store.ts';
import { SqlTenantRows } from '../rows/sql-tenant-rows.ts';
import { WriterClient } from '../sqlite/writer-client.ts';
import { MariadbRowDatabase } from './mariadb-row-database.ts';
import { knowMetadata } from './known-metadata.ts';
import { openDatabase, withSession } from './open-database.ts';
import { listFolder } from './reader/folder-listing.ts';
import { Readers } from './reader/readers.ts';
import { readFigures } from './shard-figures.ts';
import type { MariadbWriterStart } from './writer/writer-thread.ts';

export interface MariadbStoreOptions {
  /** A database that is there, empty or ours, and a user that has all rights in it. */
  address: ServerAddress;
  /** Whether tables may be made in an empty database. */
  create: boolean;
  /** Which shard it is made as, and has to be; 0 unless said. */
  shard?: number;
  clock?: Clock;
  /** Told of each space that a commit has changed, once that is durable. */
  onCommit?: (spaceId: SpaceId) => void;
  /** What is known of the database's state: then what has not changed is not read again for whoever
   *  takes older answers (ReadOptions). */
  states?: KnownStates | undefined;
}

interface Parts {
  address: ServerAddress;
  readers: Readers;
  writer: WriterClient;
  rows: MariadbRowDatabase;
  onCommit: (spaceId: SpaceId) => void;
}

/**
 * A MetadataStore in one database of a MariaDB server. One thread writes, in batches, by the very
 * logic that writes to SQLite (see writer/); reads have a snapshot each on connections of their own
 * (see reader/). Several of these stores may work on one database.
 */
export class MariadbMetadataStore implements ShardStore {
  readonly #address: ServerAddress;
  readonly #readers: Readers;
  readonly #writer: WriterClient;
  readonly #onCommit: (spaceId: SpaceId) => void;
  readonly #rows: MariadbRowDatabase;
  /** For moves of tenants. */
  readonly tenantRows: TenantRows;
  #closing: Promise<void> | undefined;

  private constructor({ address, readers, writer, rows, onCommit }: Parts) {
    this.#address = address;
    this.#readers = readers;
    this.#writer = writer;
    this.#onCommit = onCommit;
    this.#rows = rows;
    this.tenantRows = new SqlTenantRows(rows);
  }

  /** @throws unavailable: the server cannot be reached; not-found: the database is empty, and
   *  `create` is false; invalid: it is another program's, or of a version that this one does not
   *  know, or of another shard, or the server's settings are not safe: with the setting. */
  static async open(options: MariadbStoreOptions): Promise<MariadbMetadataStore> {
    const { create, clock = systemClock, onCommit = () => undefined, shard = 0, states } = options;
    const found = withChoice(options.address);
    await openDatabase(found, { create, shard });
    const address = { ...found, known: await knowMetadata(found) };
    const workerData: MariadbWriterStart = { address, writerId: randomUUID() };
    const writer = await WriterClient.open(
      new Worker(new URL('./writer/writer-thread.ts', import.meta.url), { workerData }));
    const rows = new MariadbRowDatabase(address, writer);
    const readers = new Readers(address, clock, states);
    return new MariadbMetadataStore({ address, readers, writer, rows, onCommit });
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** How often the readers have asked the server something. */
  get readQuestionCount(): number {
    return this.#readers.questionCount;
  }

  #read<T>(read: (readers: Readers) => T): Promise<T> {
    return this.#readers.answer(read);
  }

  async ensureSpace(wanted: NewSpace): Promise<SpaceRecord> {
    const find = (): Promise<SpaceRecord | undefined> =>
      this.#read(({ records }) => records.findSpaceOf(wanted.owner));
    const there = await find();
    if (there !== undefined) {
      if (there.tenant !== wanted.tenant) throw otherTenant();
      return there;
    }
    await this.#writer.submit({ op: 'ensure-space', wanted });
    const made = await find();
    assert(made !== undefined, 'a space that was made is there');
    return made;
  }

  async getSpace(id: SpaceId): Promise<SpaceRecord> {
    const space = await this.#read(({ records }) => records.findSpace(id));
    if (space === undefined) throw spaceMissing(id);
    return space;
  }

  async listSpaces(limit: number, after = 0): Promise<SpaceRecord[]> {
    checkLimit(limit, SPACES_LIMIT_MAX);
    return this.#read(({ records }) => records.listSpaces(after, limit));
  }

  async resolve(
    spaceId: SpaceId, path: readonly Name[], from?: NodeId, options?: ReadOptions,
  ): Promise<NodeRecord[]> {
    return this.#readers.resolve(spaceId, path, from, options);
  }

  async findChain(spaceId: SpaceId, nodeId: NodeId): Promise<NodeRecord[] | undefined> {
    return this.#read(({ follow }) => follow.findChains(spaceId, [nodeId]).get(nodeId));
  }

  async findChains(spaceId: SpaceId, nodeIds: readonly NodeId[]) {
    return this.#read(({ follow }) => follow.findChains(spaceId, nodeIds));
  }

  async listStandings(spaceIds: readonly SpaceId[]) {
    return this.#read(({ follow }) => follow.listStandings(spaceIds));
  }

  async* listFolder(
    spaceId: SpaceId, folderId: NodeId, options: ListOptions = {},
  ): AsyncIterable<readonly FolderEntry[]> {
    yield* listFolder(this.#readers, spaceId, folderId, options);
  }

  async listProperties(spaceId: SpaceId, nodeId: NodeId): Promise<DeadProperty[]> {
    return this.#read(({ follow, records }) => {
      const found = records.listProperties(spaceId, nodeId);
      return found.length === 0 || follow.findChains(spaceId, [nodeId]).size > 0 ? found : [];
    });
  }

  async getVersion(
    spaceId: SpaceId, nodeId: NodeId, contentRev: number,
  ): Promise<VersionRecord> {
    const found = await this.#read(({ records }) =>
      records.findVersion(spaceId, nodeId, contentRev));
    if (found === undefined) throw versionMissing(nodeId, contentRev);
    return found;
  }

  async listVersions(spaceId: SpaceId, nodeId: NodeId): Promise<VersionRecord[]> {
    return this.#read(({ records }) => records.listVersions(spaceId, nodeId));
  }

  async listEvents(spaceId: SpaceId, afterRev: number, limit: number): Promise<EventRecord[]> {
    checkLimit(limit, EVENTS_LIMIT_MAX);
    return this.#read(({ records }) => {
      const found = records.listEvents(spaceId, afterRev, limit);
      if (found.length === 0 && !records.hasSpace(spaceId)) throw spaceMissing(spaceId);
      return found;
    });
  }

  async listTrash(
    spaceId: SpaceId, limit: number, beforeRev = Number.MAX_SAFE_INTEGER, filter: TrashFilter = {},
  ): Promise<TrashRecord[]> {
    checkLimit(limit, TRASH_LIMIT_MAX);
    const isWhole = filter.by === undefined && filter.parentId === undefined;
    return this.#read(({ records, past }) => {
      const found = isWhole ? records.listTrash(spaceId, beforeRev, limit)
        : past.listTrash(spaceId, filter, { beforeRev, limit });
      if (found.length === 0 && !records.hasSpace(spaceId)) throw spaceMissing(spaceId);
      return found;
    });
  }

  async revisionAt(spaceId: SpaceId, at: Instant): Promise<number> {
    return this.#read(({ past }) => past.revisionAt(spaceId, at));
  }

  async past(spaceId: SpaceId, rev: number): Promise<PastSpace> {
    return this.#read(({ past }) => past.open(spaceId, rev, (read) =>
      this.#read(() => read())));
  }

  async getHorizon(spaceId: SpaceId): Promise<Horizon> {
    return this.#read(({ past }) => past.horizon(spaceId));
  }

  async diff(
    spaceId: SpaceId, fromRev: number, toRev: number, options: DiffOptions = {},
  ): Promise<DiffPage> {
    if (options.limit !== undefined) checkLimit(options.limit, DIFF_LIMIT_MAX);
    return this.#read(({ past }) => past.diff(spaceId, fromRev, toRev, options));
  }

  async findDeleted(spaceId: SpaceId, nodeId: NodeId): Promise<TrashRecord | undefined> {
    return this.#read(({ past }) => past.findDeleted(spaceId, nodeId));
  }

  async listVersionKeys(
    spaceId: SpaceId, limit: number, after = { nodeId: 0 as NodeId, contentRev: 0 },
  ): Promise<VersionKey[]> {
    checkLimit(limit, VERSION_KEYS_LIMIT_MAX);
    return this.#read(({ past }) => past.listVersionKeys(spaceId, limit, after));
  }

  async readRetention(scope: RetentionScope): Promise<RetentionRule> {
    return this.#read(({ past }) => past.readRetention(scope));
  }

  async findBatch(batchId: number): Promise<BatchRecord | undefined> {
    return this.#read(({ past }) => past.findBatch(batchId));
  }

  async listBatches(
    filter: { spaceId?: SpaceId; state?: BatchState }, limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<BatchRecord[]> {
    checkLimit(limit, BATCHES_LIMIT_MAX);
    return this.#read(({ past }) => past.listBatches(filter, limit, before));
  }

  async findQuarantine(id: number): Promise<QuarantineRecord | undefined> {
    return this.#read(({ records }) => records.holds.find(id));
  }

  async listQuarantines(
    { state }: { state?: QuarantineState }, limit: number, before = Number.MAX_SAFE_INTEGER,
  ): Promise<QuarantineRecord[]> {
    checkLimit(limit, QUARANTINES_LIMIT_MAX);
    return this.#read(({ records }) => records.holds.list(state, limit, before));
  }

  async listHeld(quarantineId: number, limit: number, after = 0): Promise<HeldRecord[]> {
    checkLimit(limit, HELD_LIMIT_MAX);
    return this.#read(({ records }) => records.holds.listHeld(quarantineId, limit, after));
  }

  async countOlderFiles(
    spaceId: SpaceId, folderId: NodeId, bounds: OlderFilesBounds,
  ): Promise<number> {
    return this.#read(({ records }) => records.holds.countOlderFiles(spaceId, folderId, bounds));
  }

  async listLocks(spaceId: SpaceId, at: Instant): Promise<LockRecord[]> {
    return this.#read(({ spaces }) => spaces.listLocks(spaceId, at));
  }

  async listGrants(spaceId: SpaceId): Promise<readonly GrantRecord[]> {
    return this.#read(({ spaces }) => spaces.listGrants(spaceId));
  }

  async accessRev(spaceId: SpaceId): Promise<number> {
    const rev = await this.#read(({ access }) => access().accessRev(spaceId));
    if (rev === undefined) throw spaceMissing(spaceId);
    return rev;
  }

  async listGrantsTo(
    subjects: readonly Subject[], options?: ReadOptions,
  ): Promise<readonly GrantRecord[]> {
    if (subjects.length > SUBJECTS_MAX) throw outOfRange('subjects');
    return this.#readers.listGrantsTo(subjects, options);
  }

  async findLink(tokenHash: string): Promise<GrantRecord | undefined> {
    return this.#read(({ access }) => access().findLink(tokenHash));
  }

  async listMounts(spaceId: SpaceId): Promise<SpaceMounts> {
    return this.#read(({ records, access }) => {
      const found = access().listMounts(spaceId);
      const isNothing = found.mounts.length === 0 && found.declined.length === 0;
      if (isNothing && !records.hasSpace(spaceId)) throw spaceMissing(spaceId);
      return found;
    });
  }

  async readUsage(spaceId: SpaceId, at: Instant): Promise<UsageRecord> {
    return this.#read(({ spaces }) => spaces.readUsage(spaceId, at));
  }

  async readTenantUsage(tenant: TenantId, at: Instant): Promise<UsageFigures> {
    return this.#read(({ access }) => access().tenantUsage(tenant, at));
  }

  async listReservations(spaceId: SpaceId, at: Instant): Promise<ReservationRecord[]> {
    return this.#read(({ records, access }) => {
      const found = access().listReservations(spaceId, at);
      if (found.length === 0 && !records.hasSpace(spaceId)) throw spaceMissing(spaceId);
      return found;
    });
  }

  async findUpload(owner: UserId, uploadId: string): Promise<UploadRecord | undefined> {
    return this.#read(({ records }) => records.findUpload(owner, uploadId));
  }

  async listParts(owner: UserId, uploadId: string): Promise<UploadPartRecord[]> {
    return this.#read(({ records }) => records.listParts(owner, uploadId));
  }

  async listManifests(limit: number, after?: ManifestPlace): Promise<ManifestRecord[]> {
    checkLimit(limit, MANIFESTS_LIMIT_MAX);
    return this.#read(({ records }) => records.listManifests(limit, after));
  }

  async commit(change: Change): Promise<ChangeResult> {
    checkChange(change);
    const result = await noted(change, this.#writer.submit(change));
    if (result.rev > 0 && 'spaceId' in change) this.#onCommit(change.spaceId);
    if ('toSpaceId' in change && change.toSpaceId !== undefined) this.#onCommit(change.toSpaceId);
    return result;
  }

  async readWitness(): Promise<Witness> {
    return this.#read(({ records }) => records.listWitness());
  }

  async readFigures(): Promise<ShardFigures> {
    if (this.isClosed) throw storeClosed();
    return withSession(this.#address, 'read', readFigures);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writer.drain();
    await this.#readers.close();
    await this.#rows.close();
    await this.#writer.close();
  }
}

