/** What changes of the schema need of MariaDB. Loaded by who has such a server alone. */
import { IDENTITY_TABLES } from '../identity/stores/mariadb/identity-schema.ts';
import type { ShardDirectory } from '../metadata/index.ts';
import { DIRECTORY_TABLES } from '../metadata/shards/stores/mariadb/directory-schema.ts';
import { MariadbShardDirectory } from '../metadata/shards/stores/mariadb/mariadb-directory.ts';
import { INSTALLATION_TABLES } from '../metadata/stores/mariadb/installation.ts';
import { TABLES } from '../metadata/stores/mariadb/schema.ts';
import type { Clock, NodeRegistry } from '../platform/index.ts';
import { CLUSTER_TABLES } from '../platform/cluster/stores/mariadb/cluster-schema.ts';
import {
  MariadbNodeRegistry,
} from '../platform/cluster/stores/mariadb/mariadb-node-registry.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import {
  KEYED_REQUEST_TABLES,
} from '../protocols/rest/idempotency/stores/mariadb/keyed-request-schema.ts';
import type { Catalogue, SchemaBook, SchemaTarget } from '../schema/index.ts';
import { mariadbGolden } from '../schema/stores/mariadb/mariadb-golden.ts';
import { openMariadbBook } from '../schema/stores/mariadb/mariadb-schema-book.ts';
import {
  MariadbSchemaTarget, OUR_COLLATION,
} from '../schema/stores/mariadb/mariadb-schema-target.ts';

/** What this version of the program makes in an empty database. */
export function goldensOnMariadb(): { metadata: Catalogue; identity: Catalogue } {
  return {
    metadata: mariadbGolden(TABLES, OUR_COLLATION),
    identity: mariadbGolden(IDENTITY_TABLES, OUR_COLLATION),
  };
}

/** What else lies in the database that the settings name. */
export function besideFirst(): Catalogue {
  return mariadbGolden({
    ...IDENTITY_TABLES, ...INSTALLATION_TABLES, ...DIRECTORY_TABLES, ...CLUSTER_TABLES,
    ...KEYED_REQUEST_TABLES,
  }, OUR_COLLATION);
}

export function openTarget(address: ServerAddress): Promise<SchemaTarget> {
  return MariadbSchemaTarget.open(address);
}

/** Nothing is made: undefined where there never was a second shard. */
export async function findShardDirectory(
  address: ServerAddress, clock: Clock,
): Promise<ShardDirectory | undefined> {
  return await hasTable(address, 'directory') ? MariadbShardDirectory.of({ address, clock })
    : undefined;
}

/** Without a registry no program has ever entered one. */
export async function openBooksOn(
  address: ServerAddress, clock: Clock,
): Promise<{ book: SchemaBook; nodes?: NodeRegistry }> {
  const hasNodes = await hasTable(address, 'cluster_node');
  const book = await openMariadbBook(address);
  return hasNodes ? { book, nodes: new MariadbNodeRegistry({ address, clock }) } : { book };
}

async function hasTable(address: ServerAddress, name: string): Promise<boolean> {
  const target = await MariadbSchemaTarget.open(address);
  try {
    return (await target.readCatalogue()).some((table) => table.name === name);
  } finally {
    await target.close();
  }
}
