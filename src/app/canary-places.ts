/** Where an installation keeps metadata: there the verifiers have to be seen to find something. */
import type { CanaryMetadata } from '../durability/index.ts';
import {
  sqliteCanaryMetadata,
} from '../durability/verify/stores/sqlite/sqlite-canary-metadata.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import type { Clock, Config } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import { findShardPlaces } from './shard-places.ts';

export interface CanariesOptions {
  readonly config: Config;
  readonly clock: Clock;
  /** Whether files shall do, wherever the metadata is. */
  readonly onFiles: boolean;
}

/** One for all metadata in files, and one for each database, as servers differ. Nothing is planted
 *  yet. @throws as findShardPlaces; unavailable: a database cannot be asked. */
export async function canariesOf(
  dataPath: string, { config, clock, onFiles }: CanariesOptions,
): Promise<CanaryMetadata[]> {
  if (onFiles) return [inFiles()];
  const { places, shards, installation } = await findShardPlaces(dataPath, { config, clock });
  const found = await Promise.all(shards.map(async ({ number, name }) =>
    ({ name, at: await places.addressOf(number) })));
  const canaries = await Promise.all(found.flatMap(({ name, at }) => (at.kind === 'file' ? []
    : [onMariadb({ name, address: at.address, installation, clock })])));
  return found.some(({ at }) => at.kind === 'file') ? [...canaries, inFiles()] : canaries;
}

function inFiles(): CanaryMetadata {
  return sqliteCanaryMetadata((file) => SqliteMetadataStore.open({ file, create: true }));
}

/** Whoever has no such server never loads what speaks to one. */
export async function onMariadb(
  { name, address, installation, clock }: {
    name: string; address: ServerAddress; installation: string; clock: Clock;
  },
): Promise<CanaryMetadata> {
  const { MariadbCanaryMetadata } = await import(
    '../durability/verify/stores/mariadb/mariadb-canary-metadata.ts');
  const { MariadbMetadataStore } = await import(
    '../metadata/stores/mariadb/mariadb-metadata-store.ts');
  const { TABLES } = await import('../metadata/stores/mariadb/schema.ts');
  return new MariadbCanaryMetadata({
    name: `MariaDB (${name})`, address, installation, clock, tables: new Set(Object.keys(TABLES)),
    open: (at) => MariadbMetadataStore.open({ address: at, create: true }),
  });
}
