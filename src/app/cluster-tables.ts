/** What web nodes keep together on MariaDB. Loaded only where there is such a database. */
import {
  MariadbChangeHints,
} from '../platform/cluster/stores/mariadb/mariadb-change-hints.ts';
import { ensureClusterTables } from '../platform/cluster/stores/mariadb/cluster-schema.ts';
import { MariadbLeases } from '../platform/cluster/stores/mariadb/mariadb-leases.ts';
import {
  MariadbNodeRegistry,
} from '../platform/cluster/stores/mariadb/mariadb-node-registry.ts';
import { ensureDrainTables } from '../metadata/move/stores/mariadb/mariadb-drain-journal.ts';
import { ensureMoveTables } from '../metadata/move/stores/mariadb/mariadb-move-journal.ts';
import {
  ensureFailureTables,
} from '../identity/stores/mariadb/mariadb-failure-counts.ts';
import type { Clock } from '../platform/index.ts';
import { Session, explainedFault, keepTurns } from '../platform/mariadb/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import {
  MariadbLeavingList, ensureLeavingTables,
} from '../storage/shared/stores/mariadb/mariadb-leaving-list.ts';
import type { WebNodeParts } from './web-node.ts';

const WORDS = { op: 'app/WebNode', database: 'directory database' };

/** Makes the tables that are not there. @throws unavailable. */
export async function openCluster(
  address: ServerAddress, clock: Clock,
): Promise<Pick<WebNodeParts, 'registry' | 'leases' | 'leaving' | 'hints'>> {
  try {
    const session = await Session.open(address, 'schema');
    try {
      await ensureClusterTables(session);
      await ensureLeavingTables(session);
      await ensureMoveTables(session);
      await ensureDrainTables(session);
      await ensureFailureTables(session);
      await keepTurns(session, address.known);
    } finally {
      await session.end();
    }
  } catch (error) {
    throw explainedFault(error, WORDS);
  }
  const parts = { address, clock };
  return {
    registry: new MariadbNodeRegistry(parts), leases: new MariadbLeases(parts),
    leaving: new MariadbLeavingList(parts), hints: new MariadbChangeHints(parts),
  };
}
