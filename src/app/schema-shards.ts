/** The shards of an installation, as changes of the schema see them, and the tables they should
 *  have. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { IDENTITY_SCHEMA } from '../identity/stores/sqlite/identity-schema.ts';
import type { ShardDirectory, ShardRecord } from '../metadata/index.ts';
import { SqliteShardDirectory } from '../metadata/shards/stores/sqlite/sqlite-directory.ts';
import { SCHEMA } from '../metadata/stores/sqlite/schema.ts';
import { findDataDirectory } from '../platform/index.ts';
import type { Clock, DatabaseSettings } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import type {
  Catalogue, Family, Goldens, SchemaShard, SchemaTarget,
} from '../schema/index.ts';
import { sqliteGolden } from '../schema/stores/sqlite/sqlite-catalogue.ts';
import { SqliteSchemaTarget } from '../schema/stores/sqlite/sqlite-schema-target.ts';
import type { DatabasePlace } from './database-place.ts';
import { IDENTITY_FILE } from './identity-place.ts';
import { METADATA_FILE } from './metadata-place.ts';
import { DIRECTORY_FILE, shardAddress } from './shard-address.ts';
import { inWordsOfShards } from './shard-claim.ts';

/** Whoever has no such server never loads what speaks to one. */
const onMariadb = () => import('./schema-mariadb.ts');
type OnMariadb = Awaited<ReturnType<typeof onMariadb>>;

/** What this version of the program makes in an empty database. */
export async function goldenCatalogues(): Promise<Goldens> {
  const { metadata, identity } = (await onMariadb()).goldensOnMariadb();
  return {
    metadata: { sqlite: sqliteGolden(SCHEMA), mariadb: metadata },
    identity: { sqlite: sqliteGolden(IDENTITY_SCHEMA), mariadb: identity },
  };
}

/** The same for files alone. */
export function goldenFiles(): Goldens {
  return {
    metadata: { sqlite: sqliteGolden(SCHEMA), mariadb: [] },
    identity: { sqlite: sqliteGolden(IDENTITY_SCHEMA), mariadb: [] },
  };
}

export interface ShardParts {
  readonly place: DatabasePlace;
  /** Left out: there is no shard on a server. */
  readonly settings: DatabaseSettings | undefined;
  readonly clock: Clock;
  /** Files are opened to be described only. */
  readonly readonly: boolean;
}

/** All that are at work: the first ones, then those of the directory by number. @throws
 *  unavailable: the directory cannot be asked. */
export async function schemaShards(root: string, parts: ShardParts): Promise<SchemaShard[]> {
  const directory = await findDirectory(root, parts);
  try {
    const shards = (await directory?.read())?.shards ?? [];
    const others = shards.filter(({ number, state }) => (
      number > 0 && (state === 'open' || state === 'draining')));
    const first = await firstShards(root, parts);
    const found = others.map((shard) => (
      shardOf(root, shard, parts).catch((error: unknown) => withoutAddress(shard, error))));
    return [...first, ...await Promise.all(found)];
  } finally {
    await directory?.close();
  }
}

async function findDirectory(
  root: string, { place, clock }: ShardParts,
): Promise<ShardDirectory | undefined> {
  return place.kind === 'mariadb' ? (await onMariadb()).findShardDirectory(place.address, clock)
    : new SqliteShardDirectory({ file: join(root, DIRECTORY_FILE) });
}

async function firstShards(
  root: string, { place, readonly, clock }: ShardParts,
): Promise<SchemaShard[]> {
  if (place.kind === 'mariadb') {
    const { besideFirst, alwaysBesideFirst } = await onMariadb();
    const beside = { beside: besideFirst(), besideAlways: alwaysBesideFirst() };
    const main = {
      name: 'main', address: place.address, installation: place.installation, shard: 0,
      alters: !readonly,
    };
    return [onServer(main, beside, turnsOf({ place, clock }))];
  }
  return ([['main', METADATA_FILE, 'metadata'], ['identity', IDENTITY_FILE, 'identity']] as const)
    .filter(([, file]) => existsSync(join(root, file)))
    .map(([name, file, family]) => inFile(name, join(root, file), { family, readonly }));
}

/** Left out by who alters nothing. */
type TurnPlace = Partial<Pick<ShardParts, 'place' | 'clock'>>;

/** One of the directory. @throws invalid: its address, or the file of its password, is wrong. */
export async function shardOf(
  root: string, shard: ShardRecord,
  parts: Pick<ShardParts, 'settings' | 'readonly'> & TurnPlace,
): Promise<SchemaShard> {
  const { settings, readonly } = parts;
  const found = await shardAddress(root, shard, settings);
  if (found.kind === 'file') {
    return inFile(shard.name, found.file, { family: 'metadata', readonly });
  }
  const beside = (await onMariadb()).besideAll();
  const { instanceId: installation } = await findDataDirectory(root);
  const whose = { name: shard.name, installation, shard: shard.number, alters: !readonly };
  const opened = onServer({ ...whose, address: found.address }, {
    beside, besideAlways: beside.map(({ name }) => name),
  }, turnsOf(parts));
  return { ...opened, open: () => orAway(() => opened.open()) };
}

/** One at whose address something else is counts as one that does not answer: the others are looked
 *  at, and nobody takes its tables for those of the shard. */
async function orAway(open: () => Promise<SchemaTarget>): Promise<SchemaTarget> {
  try {
    return await inWordsOfShards(open, { mayTake: false });
  } catch (cause) {
    if (!(cause instanceof HoldfastError) || cause.retryable) throw cause;
    const { op, message, code } = cause;
    throw new HoldfastError('unavailable', op, message, {
      ...(code !== undefined && { code }), cause,
    });
  }
}

/** What is said of a shard at whose address something else is. */
const WRONG = new Set(['database-of-another', 'metadata-other-shard', 'database-unmarked',
  'database-empty', 'database-filling', 'database-leaving', 'database-left', 'database-not-ours']);

/** For who is about to alter all of them, before the first one is: each is the one that the
 *  directory means. One that does not answer is the runner's to judge.
 *  @throws conflict `schema-wrong-database`: with all that is wrong. */
export async function checkWhose(shards: readonly SchemaShard[]): Promise<void> {
  const wrong: string[] = [];
  await Promise.all(shards.map(async (shard) => {
    try {
      const target = await shard.open();
      await target.close();
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      if (WRONG.has(error.code ?? '')) wrong.push(`${shard.name}: ${error.message}`);
    }
  }));
  if (wrong.length === 0) return;
  throw new HoldfastError('conflict', 'app/schema', `No shard was altered. ${
    wrong.toSorted().join(' ')}`,
    { code: 'schema-wrong-database' });
}

/** It counts as a shard that does not answer, and the others are looked at. */
function withoutAddress({ name }: ShardRecord, cause: unknown): SchemaShard {
  if (!(cause instanceof HoldfastError)) throw cause;
  const { op, message } = cause;
  const open = () => Promise.reject(new HoldfastError('unavailable', op, message, { cause }));
  return { name, family: 'metadata', engine: 'mariadb', open };
}

function inFile(
  name: string, file: string, { family, readonly }: { family: Family; readonly: boolean },
): SchemaShard {
  const open = () => SqliteSchemaTarget.open(file, { readonly });
  return { name, family, engine: 'sqlite', open };
}

/** Where shards of clusters are altered in turn: in the directory's database. With a directory in
 *  files, whoever alters them has locked the data directory. */
function turnsOf(
  { place, clock }: TurnPlace,
): { address: ServerAddress; clock: Clock } | undefined {
  return place?.kind === 'mariadb' && clock !== undefined ? { address: place.address, clock }
    : undefined;
}

function onServer(
  shard: Parameters<OnMariadb['openTarget']>[0],
  beside: { beside: Catalogue; besideAlways: readonly string[] },
  directory: ReturnType<typeof turnsOf>,
): SchemaShard {
  const open = async () => (await onMariadb()).openTarget(shard, directory);
  return { name: shard.name, family: 'metadata', engine: 'mariadb', ...beside, open };
}
