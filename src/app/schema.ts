/** Changes of the schema, for commands and for a server that starts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenedSchema } from '../cli/index.ts';
import { assert } from '../base/assert.ts';
import type { ShardRecord } from '../metadata/index.ts';
import { databaseSlice, findDataDirectory, lockData, serverSlice } from '../platform/index.ts';
import type { Clock, Config, DatabaseSettings, Logger, NodeRegistry } from '../platform/index.ts';
import { CHANGES, checkServing, findDrift, schemaSlice } from '../schema/index.ts';
import type { SchemaBook, SchemaChange, ShardDrift } from '../schema/index.ts';
import { openSqliteBook } from '../schema/stores/sqlite/sqlite-schema-book.ts';
import { DriftWork } from './drift-work.ts';
import type { DriftOptions } from './drift-work.ts';
import { comparePlace, findDatabasePlace } from './database-place.ts';
import type { DatabasePlace } from './database-place.ts';
import { PROGRAM_VERSION } from './program-version.ts';
import {
  checkWhose, goldenCatalogues, goldenFiles, schemaShards, shardOf,
} from './schema-shards.ts';

/** Of an installation whose databases are files. */
const BOOK_FILE = 'schema.db';

interface Books {
  readonly book?: SchemaBook;
  /** Where the databases are files, nobody works on them beside who has the data directory. */
  readonly nodes?: NodeRegistry;
}

/** With `alters`, files are locked: a server remembers what is in them. On MariaDB servers run on;
 *  before anything is made there it is looked whose the databases are.
 *  @throws conflict `data-locked`; as findDataDirectory, findDatabasePlace and comparePlace; with
 *  `alters` as checkWhose. */
export async function openSchema(
  config: Config, { alters, clock }: { alters: boolean; clock: Clock },
): Promise<OpenedSchema> {
  const { path, instanceId } = await findDataDirectory(config.of(serverSlice).dataDirectory);
  const settings = config.of(databaseSlice);
  const place = await comparePlace(await findDatabasePlace(path, {
    settings, installation: instanceId, isNew: !existsSync(join(path, 'stores-complete')),
  }));
  const { stepAfterSeconds, contractAfterSeconds, rowsPerSecond } = config.of(schemaSlice);
  const lock = alters && place.kind === 'files' ? lockData(path) : undefined;
  try {
    const shards = await schemaShards(path, { place, settings, clock, readonly: !alters });
    if (alters) await checkWhose(shards);
    const { book, nodes } = await openBooks(path, place, { clock, create: true });
    assert(book !== undefined, 'a book was made');
    return {
      changes: CHANGES, shards, book, clock, goldens: await goldenCatalogues(),
      ...(nodes !== undefined && { nodes }),
      policy: {
        stepAfterMs: stepAfterSeconds * 1000,
        contractAfterMs: contractAfterSeconds * 1000, rowsPerSecond,
      },
      async close() {
        await nodes?.close();
        await book.close();
        lock?.release();
      },
    };
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** Without `create` a book that is not there is left out: nobody has written into it. */
async function openBooks(
  root: string, place: DatabasePlace, { clock, create }: { clock: Clock; create: boolean },
): Promise<Books> {
  if (place.kind === 'files') return { book: await openSqliteBook(join(root, BOOK_FILE)) };
  return (await import('./schema-mariadb.ts')).openBooksOn(place.address, {
    clock, create, installation: place.installation,
  });
}

/**
 * Whether the shards are such that this version may serve them. On MariaDB before the stores are
 * opened: what is quickly made is made, where nobody else is at work. Files afterwards, since each
 * comes up to this version when it is opened: here only what a newer version has noted counts.
 * What this program has entered in the registry of nodes must be there by then.
 * @throws as checkServing.
 */
export async function checkShards(
  root: string, place: DatabasePlace,
  { database: settings, clock, log, changes = CHANGES, version = PROGRAM_VERSION }: CheckOptions,
): Promise<void> {
  const shards = await schemaShards(root, { place, settings, clock, readonly: true });
  const isOnServer = place.kind === 'mariadb';
  const books = isOnServer ? await openBooks(root, place, { clock, create: false }) : {};
  try {
    const { unreached, madeCount } = await checkServing({
      ...books, shards, version, clock,
      // What is made anew is made whole; files come up when they are opened.
      changes: place.mayTake || !isOnServer ? [] : changes,
    });
    for (const shard of unreached) log.warn(shard, 'a shard does not answer');
    if (madeCount > 0) log.info({ madeCount }, 'the tables have been brought up to this version');
  } finally {
    await books.nodes?.close();
    await books.book?.close();
  }
}

/** A shard of the directory that was not there at the start, or was added since. @throws as
 *  checkServing; nothing is made. */
export async function checkLateShard(
  root: string, record: ShardRecord, { settings, clock, changes = CHANGES }: {
    settings: DatabaseSettings | undefined; clock: Clock; changes?: readonly SchemaChange[];
  },
): Promise<void> {
  const shard = await shardOf(root, record, { settings, readonly: true });
  await checkServing({
    changes, shards: [shard], version: PROGRAM_VERSION, looksOnly: true, clock,
  });
}

/** Whether all shards have the tables that this program knows, as one `schema drift` says it. */
export async function findTableDrift(
  root: string, place: DatabasePlace,
  { settings, clock }: { settings: DatabaseSettings | undefined; clock: Clock },
): Promise<ShardDrift[]> {
  const shards = await schemaShards(root, { place, settings, clock, readonly: true });
  const isOnServers = shards.some(({ engine }) => engine === 'mariadb');
  const goldens = isOnServers ? await goldenCatalogues() : goldenFiles();
  return findDrift(shards, { changes: CHANGES, goldens });
}

interface CheckOptions {
  /** Left out: files. */
  readonly database?: DatabaseSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Those of this program, unless a test says so. */
  readonly changes?: readonly SchemaChange[];
  readonly version?: string;
}

/** Finds the shards anew each time: they come and go. */
export function startDriftWork(
  root: string, config: Config, parts: Pick<DriftOptions, 'clock' | 'log' | 'metrics'>,
): DriftWork {
  const settings = config.of(databaseSlice);
  const find = async () => {
    const { instanceId: installation } = await findDataDirectory(root);
    const place = await findDatabasePlace(root, { settings, installation, isNew: false });
    const shards = await schemaShards(root, { ...parts, place, settings, readonly: true });
    const isOnServers = shards.some(({ engine }) => engine === 'mariadb');
    return { shards, goldens: isOnServers ? await goldenCatalogues() : goldenFiles() };
  };
  return DriftWork.start({ ...parts, find });
}
