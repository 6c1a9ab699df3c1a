import type { NodeId, SpaceId, UserId } from '../../../base/ids.ts';
import { assert } from '../../../base/assert.ts';
import type { Name } from '../../../base/names.ts';
import { systemClock } from '../../../platform/index.ts';
import type { Clock } from '../../../platform/index.ts';
import type { Witness } from '../../../base/witness.ts';
import type { Change, ChangeResult } from '../../changes.ts';
import { checkChange, checkLimit } from '../../check-change.ts';
import { EVENTS_LIMIT_MAX, MANIFESTS_LIMIT_MAX, TRASH_LIMIT_MAX } from '../../metadata-store.ts';
import type { ListOptions, MetadataStore, NewSpace } from '../../metadata-store.ts';
import type {
  DeadProperty, EventRecord, FolderEntry, Instant, LockRecord, ManifestPlace, ManifestRecord,
  NodeRecord, SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from '../../records.ts';
import { spaceMissing, storeClosed, versionMissing } from '../../refusals.ts';
import { openConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { ensureDatabaseFile } from './database-file.ts';
import { explained } from './faults.ts';
import { listFolder } from './reader/listing.ts';
import { prepareReads } from './reader/read-statements.ts';
import { ReaderPool } from './reader/reader-pool.ts';
import { RecordReader } from './reader/record-reader.ts';
import { TreeReader } from './reader/tree-reader.ts';
import { WriterClient, startWriterThread } from './writer-client.ts';
import type { StartThread } from './writer-client.ts';

/** Page cache of the connection for short reads. */
const CACHE_KIB = 16 * 1024;

export interface SqliteStoreOptions {
  /** The database file; its folder must be there. */
  file: string;
  /** Whether a missing file may be made. */
  create: boolean;
  /** How the writer's thread is started; tests stop it at bad moments. */
  startThread?: StartThread;
  clock?: Clock;
}

interface Parts {
  connection: Connection;
  pool: ReaderPool;
  writer: WriterClient;
}

/**
 * A MetadataStore in one SQLite file. One thread writes, in batches (see writer/); short reads run
 * on the calling thread, each on a snapshot of its own; listings have connections of their own.
 */
export class SqliteMetadataStore implements MetadataStore {
  readonly #connection: Connection;
  readonly #pool: ReaderPool;
  readonly #writer: WriterClient;
  readonly #records: RecordReader;
  readonly #tree: TreeReader;
  #closing: Promise<void> | undefined;

  private constructor({ connection, pool, writer }: Parts) {
    this.#connection = connection;
    this.#pool = pool;
    this.#writer = writer;
    const reads = prepareReads(connection);
    this.#records = new RecordReader(reads);
    this.#tree = new TreeReader(reads, () => this.#writer.reportCount);
  }

  /** The file is checked before SQLite touches it.
   *  @throws not-found: missing, and `create` is false; corrupt: cut off, or no SQLite database;
   *  invalid: another program's, or of a version that this one does not know. */
  static async open(options: SqliteStoreOptions): Promise<SqliteMetadataStore> {
    const { file, create, startThread = startWriterThread, clock = systemClock } = options;
    explained(() => ensureDatabaseFile(file, create));
    const writer = await WriterClient.open({ file }, startThread);
    const connection = openConnection(file, { readonly: true, cacheKib: CACHE_KIB });
    return new SqliteMetadataStore({ connection, pool: new ReaderPool(file, clock), writer });
  }

  #read<T>(read: () => T): T {
    if (this.#closing !== undefined) throw storeClosed();
    return explained(read);
  }

  async ensureSpace(wanted: NewSpace): Promise<SpaceRecord> {
    const there = this.#read(() => this.#records.findSpaceOf(wanted.owner));
    if (there !== undefined) return there;
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

  async resolve(spaceId: SpaceId, path: readonly Name[]): Promise<NodeRecord[]> {
    return this.#read(() => this.#tree.resolve(spaceId, path));
  }

  async findChain(spaceId: SpaceId, nodeId: NodeId): Promise<NodeRecord[] | undefined> {
    return this.#read(() => this.#tree.findChain(spaceId, nodeId));
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
    spaceId: SpaceId, limit: number, beforeRev = Number.MAX_SAFE_INTEGER,
  ): Promise<TrashRecord[]> {
    checkLimit(limit, TRASH_LIMIT_MAX);
    return this.#read(() => {
      this.#checkSpace(spaceId);
      return this.#records.listTrash(spaceId, beforeRev, limit);
    });
  }

  async listLocks(spaceId: SpaceId, at: Instant): Promise<LockRecord[]> {
    return this.#read(() => {
      this.#checkSpace(spaceId);
      return this.#records.listLocks(spaceId, at);
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
    return this.#writer.submit(change);
  }

  async readWitness(): Promise<Witness> {
    return this.#read(() => this.#records.listWitness());
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writer.drain();
    this.#pool.close();
    this.#connection.close();
    await this.#writer.close(); // The last to close folds the write-ahead log into the file.
  }
}
