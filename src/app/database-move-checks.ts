/** What has to be over before the databases of an installation are carried elsewhere. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NotedMoveJournal } from '../metadata/index.ts';
import type { MoveRecord, ShardDirectory, ShardRecord } from '../metadata/index.ts';
import { readMoves } from '../metadata/move/stores/mariadb/mariadb-move-journal.ts';
import { SqliteShardDirectory } from '../metadata/shards/stores/sqlite/sqlite-directory.ts';
import type { Clock } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import type { CarriedTable, TableSide } from '../tables/index.ts';
import { MariadbTables } from '../tables/stores/mariadb/mariadb-tables.ts';
import { SqliteTables } from '../tables/stores/sqlite/sqlite-tables.ts';
import { openCluster } from './cluster-tables.ts';
import * as refusals from './database-move-refusals.ts';
import { METADATA_FILE } from './metadata-place.ts';
import { DIRECTORY_FILE } from './shard-address.ts';
import { TENANT_MOVES_FOLDER } from './tenant-moves.ts';
import { placeOfNode } from './web-node.ts';

/** A node that fell silent without a farewell may go on: then what it writes would be lost. */
const SILENT_MS_MAX = 24 * 60 * 60 * 1000;
const METADATA_TURN: CarriedTable = { name: 'writer_turn', key: ['id'], others: ['turn'] };
const IDENTITY_TURN: CarriedTable = { name: 'identity_turn', key: ['id'], others: ['turn'] };
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

/** What grows with each change on a server, by whomever. */
export async function readTurns(address: ServerAddress): Promise<string> {
  const side = await MariadbTables.open(address);
  try {
    const rows = [await side.readPage(METADATA_TURN), await side.readPage(IDENTITY_TURN)];
    return JSON.stringify(rows);
  } finally {
    await side.close();
  }
}

/** No other server works on the database; this directory's own is held off by its lock.
 *  @throws conflict. */
export async function checkAlone(
  address: ServerAddress, { root, clock }: Whose,
): Promise<void> {
  const { registry, ...rest } = await openCluster(address, clock);
  try {
    const own = placeOfNode(root);
    const other = (await registry.list()).find(({ place, silentMs }) =>
      place !== own && silentMs < SILENT_MS_MAX);
    if (other !== undefined) throw refusals.othersAtWork(other);
  } finally {
    for (const part of [registry, ...Object.values(rest)]) await part.close();
  }
}
