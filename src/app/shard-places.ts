/** Where the shards of an installation are, for whoever reads them beside their stores. */
import { join } from 'node:path';
import { assert } from '../base/assert.ts';
import type { TenantId } from '../base/ids.ts';
import type { DirectoryView, ShardRecord } from '../metadata/index.ts';
import { databaseSlice, findDataDirectory } from '../platform/index.ts';
import type { Clock, Config, DatabaseSettings } from '../platform/index.ts';
import { claimPlace, findDatabasePlace } from './database-place.ts';
import type { DatabasePlace } from './database-place.ts';
import { METADATA_FILE } from './metadata-place.ts';
import { shardAddress } from './shard-address.ts';
import type { ShardAddress } from './shard-address.ts';
import { readShards } from './shards.ts';

/** Where the shards are. */
export interface ShardPlaces {
  /** The number of the shard on which a tenant is. */
  numberOf(tenant: TenantId): number;
  /** @throws unavailable: nobody can be asked; invalid: its address, or a file of it, is wrong. */
  addressOf(shard: number): Promise<ShardAddress>;
}

/** `shardOf`: where a tenant is; `read`: the directory of shards as it is. */
export function shardPlaces(
  dataPath: string,
  { database, settings, shardOf, read }: {
    database: DatabasePlace; settings: DatabaseSettings | undefined;
    shardOf: (tenant: TenantId) => number; read: () => Promise<Pick<DirectoryView, 'shards'>>;
  },
): ShardPlaces {
  const first: ShardAddress = database.kind === 'mariadb' ? database
    : { kind: 'file', file: join(dataPath, METADATA_FILE) };
  return {
    numberOf: shardOf,
    addressOf: async (shard) => {
      if (shard === 0) return first;
      const record = (await read()).shards.find(({ number }) => number === shard);
      assert(record !== undefined, 'a tenant is on a shard that is in the directory');
      return shardAddress(dataPath, record, settings);
    },
  };
}

/** Of a data directory without its server, once all is sure.
 *  @throws as findDatabasePlace and claimPlace; unavailable. */
export async function findShardPlaces(
  dataPath: string, { config, clock }: { config: Config; clock: Clock },
): Promise<{ places: ShardPlaces; shards: readonly ShardRecord[]; installation: string }> {
  const { instanceId: installation } = await findDataDirectory(dataPath);
  const settings = config.of(databaseSlice);
  const database = await claimPlace(dataPath, await findDatabasePlace(dataPath, {
    settings, installation, isNew: false,
  }));
  const view = await readShards(dataPath, database, clock);
  const places = shardPlaces(dataPath, {
    database, settings, read: () => Promise.resolve(view),
    shardOf: (tenant) => view.places.find((place) => place.tenant === tenant)?.shard ?? 0,
  });
  return { places, shards: view.shards, installation };
}
