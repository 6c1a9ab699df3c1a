/** What changes of the schema need of MariaDB. Loaded by who has such a server alone. */
import { FAILURE_TABLES } from '../identity/stores/mariadb/mariadb-failure-counts.ts';
import { IDENTITY_TABLES } from '../identity/stores/mariadb/identity-schema.ts';
import type { ShardDirectory } from '../metadata/index.ts';
import { DRAIN_TABLES } from '../metadata/move/stores/mariadb/mariadb-drain-journal.ts';
import { MOVE_TABLES } from '../metadata/move/stores/mariadb/mariadb-move-journal.ts';
import { DIRECTORY_TABLES } from '../metadata/shards/stores/mariadb/directory-schema.ts';
import { MariadbShardDirectory } from '../metadata/shards/stores/mariadb/mariadb-directory.ts';
import {
  INSTALLATION_TABLES, checkNotAnothers, checkWhole,
} from '../metadata/stores/mariadb/installation.ts';
import { TABLES } from '../metadata/stores/mariadb/schema.ts';
import type { Clock, NodeRegistry } from '../platform/index.ts';
import {
  CLUSTER_TABLES, ensureClusterTables,
} from '../platform/cluster/stores/mariadb/cluster-schema.ts';
import { MariadbLeases } from '../platform/cluster/stores/mariadb/mariadb-leases.ts';
import { Session, withSession } from '../platform/mariadb/index.ts';
import {
  MariadbNodeRegistry,
} from '../platform/cluster/stores/mariadb/mariadb-node-registry.ts';
import type { AskRows, ServerAddress } from '../platform/mariadb/index.ts';
import {
  KEYED_REQUEST_TABLES,
} from '../protocols/rest/idempotency/stores/mariadb/keyed-request-schema.ts';
import type { Catalogue, SchemaBook, SchemaTarget } from '../schema/index.ts';
import { mariadbGolden } from '../schema/stores/mariadb/mariadb-golden.ts';
import { openMariadbBook } from '../schema/stores/mariadb/mariadb-schema-book.ts';
import {
  MariadbSchemaTarget, OUR_COLLATION,
} from '../schema/stores/mariadb/mariadb-schema-target.ts';
import type { ClusterTurnParts } from '../schema/stores/mariadb/cluster-turn.ts';
import { ServerSession } from '../schema/stores/mariadb/server-session.ts';
import {
  LEAVING_TABLES,
} from '../storage/shared/stores/mariadb/mariadb-leaving-list.ts';
import { WEBHOOK_TABLES } from '../webhooks/stores/mariadb/webhook-schema.ts';
import { HOME_TABLES } from '../storage/shared/stores/mariadb/mariadb-home-table.ts';

/** For somebody who is altering the tables. */
const LOCK_WAIT_S = 3;

/** What this version of the program makes in an empty database. */
export function goldensOnMariadb(): { metadata: Catalogue; identity: Catalogue } {
  return {
    metadata: mariadbGolden(TABLES, OUR_COLLATION),
    identity: mariadbGolden(IDENTITY_TABLES, OUR_COLLATION),
  };
}

/** What else lies in every database. */
export function besideAll(): Catalogue {
  return mariadbGolden(INSTALLATION_TABLES, OUR_COLLATION);
}

/** What else lies in the database that the settings name. */
export function besideFirst(): Catalogue {
  return mariadbGolden({
    ...IDENTITY_TABLES, ...INSTALLATION_TABLES, ...DIRECTORY_TABLES, ...CLUSTER_TABLES,
    ...KEYED_REQUEST_TABLES, ...LEAVING_TABLES, ...WEBHOOK_TABLES, ...MOVE_TABLES,
    ...HOME_TABLES, ...DRAIN_TABLES, ...FAILURE_TABLES,
  }, OUR_COLLATION);
}

/** What of that is there from the first start on. */
export function alwaysBesideFirst(): string[] {
  return Object.keys({ ...IDENTITY_TABLES, ...INSTALLATION_TABLES });
}

/** A shard whose tables are altered only while it counts, and the database with the book of
 *  changes. `directory`: that one, where whoever alters shards of a cluster keeps others away, too;
 *  left out where the data directory is locked. @throws as checkNotAnothers; with `alters` as
 *  checkWhole; unavailable. */
export async function openTarget(
  { name, address, installation, shard, alters }: {
    name: string; address: ServerAddress; installation: string; shard: number; alters: boolean;
  },
  directory: { address: ServerAddress; clock: Clock } | undefined,
): Promise<SchemaTarget> {
  const turn = directory && turnOf(name, directory);
  const target = await MariadbSchemaTarget.open(address, turn, async (ask) => {
    if (directory !== undefined && directory.address !== address) {
      await withSession(directory.address, 'schema', (session) =>
        checkWhole(async (text) => (await session.run(text)).rows, { installation, shard: 0 }));
    }
    await checkWhole(ask, { installation, shard }); // The last question is one to itself.
  });
  try {
    const check = alters ? checkWhole : checkNotAnothers;
    await target.ask((ask) => check(ask, { installation, shard }));
    return target;
  } catch (error) {
    await target.close();
    throw error;
  }
}

/** Where those who alter a shard at several nodes of its cluster take turns. */
function turnOf(
  shard: string, directory: { address: ServerAddress; clock: Clock },
): ClusterTurnParts {
  return {
    name: `schema of ${shard}`, clock: directory.clock,
    openLeases: () => new MariadbLeases(directory),
  };
}

/** Resolves when whoever has looked before whether it may alter this shard, here or in the
 *  directory's database, has done so or never will.
 *  @throws busy `schema-locked`: one is at it, or stands still; unavailable. */
export async function whenNotAltered(
  { name, address }: { name: string; address: ServerAddress },
  directory: { address: ServerAddress; clock: Clock },
): Promise<void> {
  const session = await ServerSession.open(address);
  try {
    await session.exclusively(() => Promise.resolve(), turnOf(name, directory), LOCK_WAIT_S);
  } finally {
    await session.close();
  }
}

/** Nothing is made: undefined where there never was a second shard. */
export async function findShardDirectory(
  address: ServerAddress, clock: Clock,
): Promise<ShardDirectory | undefined> {
  return await hasTable(address, 'directory') ? MariadbShardDirectory.of({ address, clock })
    : undefined;
}

/** With `create` makes the tables that are missing. */
export async function openBooksOn(
  address: ServerAddress,
  { clock, create, installation }: { clock: Clock; create: boolean; installation: string },
): Promise<{ book?: SchemaBook; nodes: NodeRegistry }> {
  const nodes = await openNodes(address, clock);
  const mayMake = (ask: AskRows) => checkWhole(ask, { installation, shard: 0 });
  const hasBook = create || await hasTable(address, 'schema_pause');
  return { nodes, ...(hasBook && { book: await openMariadbBook(address, mayMake) }) };
}

/** Makes its table where it is missing. */
export async function openNodes(address: ServerAddress, clock: Clock): Promise<NodeRegistry> {
  if (!await hasTable(address, 'cluster_node')) {
    const session = await Session.open(address, 'schema');
    await ensureClusterTables(session).finally(() => session.end());
  }
  return new MariadbNodeRegistry({ address, clock });
}

async function hasTable(address: ServerAddress, name: string): Promise<boolean> {
  const target = await MariadbSchemaTarget.open(address);
  try {
    return await target.hasTable(name);
  } finally {
    await target.close();
  }
}
