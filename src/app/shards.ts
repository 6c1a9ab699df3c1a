/**
 * The metadata of an installation: one shard, which the settings name, and those that were added.
 *
 * The store over shards is there from the beginning, so that adding a second one needs no restart.
 * With one it hands everything on; the directory of shards in files comes about with the second.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { GroupId, SpaceId, UserId } from '../base/ids.ts';
import type { Identity } from '../identity/index.ts';
import type { QuarantineLists } from '../files/index.ts';
import {
  CachedDirectory, ShardPool, ShardedMetadataStore, shardAway,
} from '../metadata/index.ts';
import type {
  DirectoryCopy, DirectoryView, MetadataStore, OnAway, ShardDirectory, ShardRecord, ShardStore,
} from '../metadata/index.ts';
import { SqliteShardDirectory } from '../metadata/shards/stores/sqlite/sqlite-directory.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import type { Clock, DatabaseSettings, Logger } from '../platform/index.ts';
import type { ChangeMarks } from '../platform/mariadb/index.ts';
import { replaceJson } from '../storage/index.ts';
import { warnOfRights } from './database-place.ts';
import type { DatabasePlace } from './database-place.ts';
import { openMetadata } from './metadata-place.ts';
import type { ShardDrift } from '../schema/index.ts';
import { checkLateShard, findTableDrift } from './schema.ts';
import { DIRECTORY_FILE, shardAddress } from './shard-address.ts';
import { inWordsOfShards } from './shard-claim.ts';
import { ShardAdmission } from './shard-admission.ts';

/** What was last known of the directory. */
const COPY_FILE = 'directory-copy.json';
const COPY_FORMAT = 'holdfast-directory-copy';

export interface Shards {
  /** The data directory. */
  readonly root: string;
  readonly directory: CachedDirectory;
  readonly pool: ShardPool;
  /** Whether other machines work on this installation too. */
  readonly isShared: boolean;
  /** What a shard goes through before it is used, if it was not there from the start. */
  readonly admission: ShardAdmission;
  /** See ShardedMetadataStore. */
  withoutAway(onAway: OnAway): MetadataStore;
  /** Makes the tables of a shard. Calm when they are there. @throws as the stores' `open`. */
  make(shard: ShardRecord): Promise<void>;
  /** Whether a database can become a shard; then it is marked as this installation's.
   *  @throws invalid: what is said of it cannot be understood; as claimDatabase. */
  check(shard: Pick<ShardRecord, 'url' | 'passwordPath'>): Promise<void>;
  /** What of the tables of all databases is otherwise than this program makes it. One that cannot
   *  be looked at has a problem. @throws unavailable: the directory cannot be asked. */
  findDrift(): Promise<ShardDrift[]>;
}

export interface ShardsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly installation: string;
  readonly settings: DatabaseSettings | undefined;
  /** Asked only when somebody is served, so that the accounts may be opened later. */
  readonly identity: () => Identity;
  readonly onCommit?: (spaceId: SpaceId) => void;
  /** Of the database that the accounts are in, too. */
  readonly marks?: ChangeMarks | undefined;
}

export interface OpenedShards {
  readonly metadata: ShardedMetadataStore;
  readonly shards: Shards;
}

/** @throws as openMetadata; corrupt: the directory of shards is damaged or gone. */
export async function openShards(
  root: string, place: DatabasePlace, options: ShardsOptions,
): Promise<OpenedShards> {
  const { clock, log, onCommit, identity, marks } = options;
  const first = await openMetadata(root, place, {
    clock, create: place.mayTake, marks, ...(onCommit !== undefined && { onCommit }),
  });
  try {
    const directory = await openDirectory(root, place, options);
    marks?.catchUpFirst((rev) => directory.catchUp(rev));
    const admission = new ShardAdmission();
    const opener = new ShardOpener(root, { ...options, admission });
    const troubled = new Set<number>();
    const pool = new ShardPool({
      clock, open: (shard) => opener.open(shard),
      onOpened: (shard) => {
        if (troubled.delete(shard)) log.info({ shard }, 'a metadata shard is back');
        admission.admitted(shard);
      },
      onTrouble: (shard, err) => {
        if (troubled.has(shard)) return;
        troubled.add(shard);
        log.warn({ err, shard }, 'a metadata shard cannot be opened; its tenants get 503 until it '
          + 'can');
      },
    }, new Map([[0, first]]));
    const metadata = new ShardedMetadataStore({
      directory, pool, clock,
      tenantOf: async ({ kind, id }) => (kind === 'user'
        ? (await identity().users.find(id as UserId))?.tenant
        : (await identity().groups.find(id as GroupId))?.tenant),
    });
    const isShared = place.kind === 'mariadb';
    const shards: Shards = {
      root, directory, pool, isShared, admission,
      withoutAway: (onAway) => metadata.withoutAway(onAway),
      make: (shard) => opener.make(shard, pool),
      check: (shard) => opener.check(shard, isShared),
      findDrift: () => findTableDrift(root, place, { settings: options.settings, clock }),
    };
    return { metadata, shards };
  } catch (error) {
    await first.close();
    throw error;
  }
}

/** Lists that leave out shards which are not open, and no others: those are looked at by
 *  `admission` before they are used. */
export function ofOpenShards(shards: Shards): MetadataStore {
  const { pool } = shards;
  return shards.withoutAway((shard) => {
    if (pool.find(shard) !== undefined) throw shardAway(shard);
  });
}

/** Of one shard, what is at home there. */
export function quarantinesAtHome(
  { number }: ShardRecord, store: ShardStore, { directory }: Pick<Shards, 'directory'>,
): QuarantineLists {
  return {
    listHeld: (id, limit, after) => store.listHeld(id, limit, after),
    async listQuarantines(filter, limit, before) {
      for (let last = before; ;) {
        const page = await store.listQuarantines(filter, limit, last);
        const home = page.filter(({ spaceId }) => directory.map.shardOfSpace(spaceId) === number);
        last = page.at(-1)?.id;
        if (home.length > 0 || last === undefined) return home;
      }
    },
  };
}

/** The shards and who is where, for whoever only looks. @throws unavailable; corrupt. */
export async function readShards(
  root: string, place: DatabasePlace, clock: Clock,
): Promise<DirectoryView> {
  const source = await openSource(root, place, clock);
  try {
    return await source.read();
  } finally {
    await source.close();
  }
}

async function openDirectory(
  root: string, place: DatabasePlace, { clock, log }: ShardsOptions,
): Promise<CachedDirectory> {
  const copy = new FileCopy(join(root, COPY_FILE), clock);
  const source = await openSource(root, place, clock);
  if (place.kind === 'files') await checkNotLost(source, copy);
  return CachedDirectory.open({
    source, clock, isShared: place.kind === 'mariadb', copy,
    onTrouble: (err) => log.warn({ err }, 'the directory of shards cannot be reached or kept; what '
      + 'was last known of it is used'),
  });
}

async function openSource(
  root: string, place: DatabasePlace, clock: Clock,
): Promise<ShardDirectory> {
  if (place.kind === 'files') return new SqliteShardDirectory({ file: join(root, DIRECTORY_FILE) });
  const { MariadbShardDirectory } = await import(
    '../metadata/shards/stores/mariadb/mariadb-directory.ts');
  return MariadbShardDirectory.open({ address: place.address, clock });
}

/** Without its directory an installation would make new and empty spaces for those whose files are
 *  on other shards. */
async function checkNotLost(source: ShardDirectory, copy: DirectoryCopy): Promise<void> {
  const kept = await copy.read();
  if (kept === undefined || kept.view.rev <= await source.readRev()) return;
  await source.close();
  const message = `The data directory is incomplete: ${DIRECTORY_FILE} is missing, or older than `
    + 'what was last known of it. Put it back from the newest backup; nothing was changed.';
  throw new HoldfastError('corrupt', 'app/openStores', message, { code: 'data-incomplete' });
}

/** In the data directory. An installation that never had a second shard has none. */
class FileCopy implements DirectoryCopy {
  readonly #path: string;
  readonly #clock: Clock;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  async read(): Promise<{ view: DirectoryView; at: number } | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const { format, at, view } = JSON.parse(text) as {
      format: string; at: number; view: DirectoryView;
    };
    return format === COPY_FORMAT ? { view, at } : undefined;
  }

  async write(view: DirectoryView): Promise<void> {
    if (view.rev === 0) return;
    await replaceJson(this.#path, { format: COPY_FORMAT, at: this.#clock.now(), view });
  }
}

/** Whoever has no such server never loads what speaks to one. */
async function onMariadb() {
  return {
    ...await import('../metadata/stores/mariadb/installation.ts'),
    ...await import('../metadata/stores/mariadb/mariadb-metadata-store.ts'),
  };
}

/** Opens the databases of added shards, and makes new ones. */
class ShardOpener {
  readonly #root: string;
  readonly #options: ShardsOptions & { admission: ShardAdmission };
  /** Those that are being made: only then an empty database is taken. */
  readonly #making = new Set<number>();

  constructor(root: string, options: ShardsOptions & { admission: ShardAdmission }) {
    this.#root = root;
    this.#options = options;
  }

  async check(
    shard: Pick<ShardRecord, 'url' | 'passwordPath'>, isShared: boolean,
  ): Promise<void> {
    const { installation, settings } = this.#options;
    const found = await shardAddress(this.#root, shard, settings);
    if (found.kind === 'mariadb') {
      const { claimDatabase } = await onMariadb();
      const claim = { installation, mayTake: true };
      await inWordsOfShards(() => claimDatabase(found.address, claim), claim);
      return;
    }
    if (!isShared) return;
    throw new HoldfastError('invalid', 'app/shards', 'This installation keeps its metadata on '
      + 'MariaDB, so that several machines can work on it: a file of this one cannot be a shard. '
      + 'Name a MariaDB database.', { code: 'shard-url' });
  }

  async make(shard: ShardRecord, pool: ShardPool): Promise<void> {
    this.#making.add(shard.number);
    try {
      await pool.openNow(shard);
    } finally {
      this.#making.delete(shard.number);
    }
  }

  async open(shard: ShardRecord): Promise<ShardStore> {
    const store = await this.#open(shard);
    try {
      await this.#options.admission.admit(shard, store);
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  async #open(shard: ShardRecord): Promise<ShardStore> {
    const { clock, log, onCommit, settings, installation } = this.#options;
    const create = this.#making.has(shard.number);
    const options = {
      clock, create, shard: shard.number, ...(onCommit !== undefined && { onCommit }),
    };
    const found = await shardAddress(this.#root, shard, settings);
    if (found.kind === 'file') {
      if (create) await mkdir(dirname(found.file), { recursive: true });
      return SqliteMetadataStore.open({ ...options, file: found.file });
    }
    const { claimDatabase, MariadbMetadataStore } = await onMariadb();
    const claim = { installation, mayTake: create };
    await inWordsOfShards(() => claimDatabase(found.address, claim), claim);
    await warnOfRights(found, { log, shard: shard.name });
    if (!create) await checkLateShard(this.#root, shard, { settings, clock });
    return MariadbMetadataStore.open({ ...options, address: found.address });
  }
}
