/** What has to be over before the databases of an installation are carried elsewhere. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { parseTenantId } from '../base/ids.ts';
import { NotedMoveJournal } from '../metadata/index.ts';
import type { MoveRecord, ShardDirectory, ShardRecord } from '../metadata/index.ts';
import { readMoves } from '../metadata/move/stores/mariadb/mariadb-move-journal.ts';
import { SqliteShardDirectory } from '../metadata/shards/stores/sqlite/sqlite-directory.ts';
import { NODE_DEAD_MS } from '../platform/index.ts';
import type { Clock, DatabaseSettings } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import type { CarriedTable, TableSide } from '../tables/index.ts';
import { MariadbTables } from '../tables/stores/mariadb/mariadb-tables.ts';
import { SqliteTables } from '../tables/stores/sqlite/sqlite-tables.ts';
import { openCluster } from './cluster-tables.ts';
import * as refusals from './database-move-refusals.ts';
import { HomeList, partOfHome } from './home-list.ts';
import { METADATA_FILE } from './metadata-place.ts';
import { DIRECTORY_FILE, shardAddress } from './shard-address.ts';
import { TENANT_MOVES_FOLDER } from './tenant-moves.ts';
import { placeOfNode } from './web-node.ts';

/** A node that fell silent without a farewell may go on: then what it writes would be lost. */
const SILENT_MS_MAX = 24 * 60 * 60 * 1000;
/** What each change on a server begins with. */
export const TURN_TABLES: readonly string[] = ['writer_turn', 'identity_turn'];
const CAPTURES: CarriedTable = { name: 'move_capture', key: ['tenant'], others: [] };

interface Whose {
  readonly root: string;
  readonly clock: Clock;
}

/** Tenants are not on their way. @throws conflict. */
export async function checkNoTenantMoves(root: string, metadata: TableSide): Promise<void> {
  const folder = join(root, TENANT_MOVES_FOLDER);
  const moves = existsSync(folder) ? await (await NotedMoveJournal.open(folder)).list() : [];
  checkOver(moves);
  const [row] = await metadata.readPage(CAPTURES);
  if (row !== undefined) throw refusals.tenantMoves(String(row[0]));
}

function checkOver(moves: readonly MoveRecord[]): void {
  const open = moves.find(({ state }) => state !== 'done' && state !== 'aborted');
  if (open !== undefined) throw refusals.tenantMoves(open.tenant);
}

/** Of an installation on files, which are of this version. @throws conflict. */
export async function checkFilesMovable(root: string): Promise<void> {
  const metadata = SqliteTables.open(join(root, METADATA_FILE));
  try {
    await checkNoTenantMoves(root, metadata);
  } finally {
    metadata.close();
  }
  await withDirectory(root, async (directory) => {
    const { shards, places } = await directory.read();
    for (const { number, name } of inFiles(shards)) {
      const held = places.find(({ shard }) => shard === number);
      if (held !== undefined) throw refusals.shardInFile(name, held.tenant);
    }
  });
}

/** Those that are files, and hold nobody: other machines could not reach them. Calm when it was
 *  done before. */
export async function closeFileShards(root: string): Promise<void> {
  await withDirectory(root, async (directory) => {
    const { shards } = await directory.read();
    for (const { number } of inFiles(shards)) await directory.setShardState(number, 'closed');
  });
}

function inFiles(shards: readonly ShardRecord[]): ShardRecord[] {
  return shards.filter(({ url, state }) => url.startsWith('sqlite:') && state !== 'closed');
}

async function withDirectory<T>(
  root: string, act: (directory: ShardDirectory) => Promise<T>,
): Promise<T> {
  const directory = new SqliteShardDirectory({ file: join(root, DIRECTORY_FILE) });
  return act(directory).finally(() => directory.close());
}

/** Of one on a server. @throws conflict. */
export async function checkServerMovable(
  address: ServerAddress, { root, clock }: Pick<Whose, 'root' | 'clock'>,
): Promise<void> {
  checkOver(await readMoves(address, clock));
  const metadata = await MariadbTables.open(address);
  try {
    await checkNoTenantMoves(root, metadata);
  } finally {
    await metadata.close();
  }
}

/** Of a database that says by now that it is being left, and of all shards on servers: whoever has
 *  looked at it before, and is about to alter one of them, is done. Shards are served on, and
 *  nobody alters them by what that database has said.
 *  @throws busy `schema-locked`: somebody is at it, or stands still; unavailable: a shard is
 *  away. */
export async function checkNotAltered(
  { root, address, settings, clock }: Pick<Whose, 'root' | 'clock'> & {
    address: ServerAddress; settings: DatabaseSettings;
  },
): Promise<void> {
  const { findShardDirectory, whenNotAltered } = await import('./schema-mariadb.ts');
  const directory = await findShardDirectory(address, clock);
  const read = async (source: ShardDirectory) => source.read().finally(() => source.close());
  const shards = directory === undefined ? [] : (await read(directory)).shards;
  const places = [{ name: 'main', address }];
  for (const shard of shards) {
    if (shard.number === 0 || (shard.state !== 'open' && shard.state !== 'draining')) continue;
    const found = await shardAddress(root, shard, settings);
    if (found.kind === 'mariadb') places.push({ name: shard.name, address: found.address });
  }
  for (const place of places) {
    try {
      await whenNotAltered(place, { address, clock });
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      throw refusals.notLeftBy(place.name, error);
    }
  }
}

/** No server works on the database. This directory's own is held off by its lock, and not waited
 *  for as long as others; but one that was heard of just now may be of another machine that has the
 *  same name. @throws conflict. */
export async function checkAlone(
  address: ServerAddress, { root, clock }: Whose,
): Promise<void> {
  const { registry, ...rest } = await openCluster(address, clock);
  try {
    const own = placeOfNode(root);
    const other = (await registry.list()).find(({ place, silentMs }) =>
      silentMs < (place === own ? NODE_DEAD_MS : SILENT_MS_MAX));
    if (other !== undefined) throw refusals.othersAtWork(other);
  } finally {
    for (const part of [registry, ...Object.values(rest)]) await part.close();
  }
}

/** The list of homes in the data directory is what all servers have noted in the database, and each
 *  home has its place there: on files nobody would make it. @throws conflict. */
export async function bringHomes(
  address: ServerAddress, { root, installation, clock }: Whose & { installation: string },
): Promise<void> {
  const { MariadbHomeTable } = await import(
    '../storage/shared/stores/mariadb/mariadb-home-table.ts');
  const table = await MariadbHomeTable.open(address, clock);
  try {
    await HomeList.open({ path: root, instanceId: installation }, table);
    const founded = (await table.read()).filter((home) => home.founded);
    const missing = founded.find(({ tenant }) =>
      !existsSync(join(root, partOfHome(parseTenantId(tenant)))));
    if (missing !== undefined) throw refusals.homeElsewhere(missing.tenant);
  } finally {
    await table.close();
  }
}
