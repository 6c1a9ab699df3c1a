/** Opens the metadata of shard 0 where it is: in a file of the data directory, or on MariaDB. */
import { join } from 'node:path';
import type { SpaceId } from '../base/ids.ts';
import type { ShardStore } from '../metadata/index.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import type { Clock } from '../platform/index.ts';
import type { ChangeMarks } from '../platform/mariadb/index.ts';
import type { DatabasePlace } from './database-place.ts';

export const METADATA_FILE = 'metadata.db';

export interface MetadataOptions {
  readonly clock: Clock;
  /** Whether metadata that is missing may be made. */
  readonly create: boolean;
  readonly onCommit?: (spaceId: SpaceId) => void;
  /** Of the database that the accounts are in, too. */
  readonly marks?: ChangeMarks | undefined;
}

/** The database must have been claimed. @throws as the stores do. */
export async function openMetadata(
  root: string, place: DatabasePlace, options: MetadataOptions,
): Promise<ShardStore> {
  if (place.kind === 'mariadb') {
    const { MariadbMetadataStore } = await import(
      '../metadata/stores/mariadb/mariadb-metadata-store.ts');
    const { marks: states, ...others } = options;
    return MariadbMetadataStore.open({ ...others, states, address: place.address });
  }
  return SqliteMetadataStore.open({ ...options, file: join(root, METADATA_FILE) });
}
