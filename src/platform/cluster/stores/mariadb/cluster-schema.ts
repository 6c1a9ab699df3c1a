/** What the nodes of an installation know of each other, on MariaDB: docs/formats/cluster.md. */
import { NODE_TURN_TABLES, keysOf, makeMissingTables, namedTable } from '../../../mariadb/index.ts';
import type { Session } from '../../../mariadb/index.ts';

const KEY = 'VARCHAR(255) NOT NULL';
const NUMBER = 'BIGINT NOT NULL';

export const CLUSTER_TABLES: Readonly<Record<string, string>> = {
  lease: `name ${KEY}, holder ${KEY}, epoch ${NUMBER}, until ${NUMBER}, PRIMARY KEY (name)`,
  cluster_node: `name ${KEY}, incarnation ${KEY}, version ${KEY}, place TEXT NOT NULL,
    started_at ${NUMBER}, seen_at ${NUMBER}, quiet_round ${NUMBER}, PRIMARY KEY (name)`,
  change_hint: `number BIGINT NOT NULL AUTO_INCREMENT, space_id ${NUMBER}, told_at ${NUMBER},
    PRIMARY KEY (number), KEY hint_by_time (told_at)`,
  ...NODE_TURN_TABLES,
};

/** Several may do this at once. */
export async function ensureClusterTables(session: Session): Promise<void> {
  await makeMissingTables(session, CLUSTER_TABLES);
}

/** Milliseconds of the server. Not NOW(): that is when a statement began, which may have waited. */
const SERVER_MS = 'CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)';
const HELD = `name = @name AND holder = @holder AND epoch = @epoch AND until > ${SERVER_MS}`;

const OWNER = { owner: 'cluster', tables: keysOf(CLUSTER_TABLES) };

export const LEASE_SQL = namedTable({
  makeLease: 'INSERT IGNORE INTO lease (name, holder, epoch, until) VALUES (?, \'\', 0, 0)',
  takeLease: `UPDATE lease SET epoch = epoch + 1, holder = @holder, until = ${SERVER_MS} + @ttl
    WHERE name = @name AND (until <= ${SERVER_MS} OR holder = @holder)`,
  epochOfLease: 'SELECT epoch FROM lease WHERE name = ?',
  renewLease: `UPDATE lease SET until = ${SERVER_MS} + @ttl WHERE ${HELD}`,
  releaseLease: `UPDATE lease SET until = 0 WHERE ${HELD}`,
  holdsLease: `SELECT 1 FROM lease WHERE ${HELD}`,
  listLeases: `SELECT name, holder, epoch, until - ${SERVER_MS} FROM lease WHERE epoch > 0
    ORDER BY name`,
}, OWNER);

export const NODE_SQL = namedTable({
  enterNode: `INSERT INTO cluster_node (name, incarnation, version, place, started_at,
      seen_at, quiet_round)
    VALUES (@name, @incarnation, @version, @place, ${SERVER_MS}, ${SERVER_MS}, @round)
    ON DUPLICATE KEY UPDATE incarnation = @incarnation, version = @version,
      place = @place, started_at = ${SERVER_MS}, seen_at = ${SERVER_MS},
      quiet_round = @round`,
  lockNode: `SELECT place, ${SERVER_MS} - seen_at FROM cluster_node WHERE name = ?
    FOR UPDATE`,
  beatNode: `UPDATE cluster_node SET seen_at = ${SERVER_MS}, quiet_round = @round
    WHERE name = @name AND incarnation = @incarnation`,
  removeNode: 'DELETE FROM cluster_node WHERE name = ? AND incarnation = ?',
  listNodes: `SELECT name, incarnation, version, place, started_at,
    ${SERVER_MS} - seen_at, quiet_round FROM cluster_node ORDER BY name`,
}, OWNER);

/** Of one statement. */
export const HINTS_MAX = 10_000;
const HINTS_KEPT_MS = 60_000;

export const HINT_SQL = namedTable({
  tellHints: `INSERT INTO change_hint (space_id, told_at) SELECT told.id, ${SERVER_MS}
    FROM JSON_TABLE(?1, '$[*]' COLUMNS (id BIGINT PATH '$')) told`,
  lastHint: 'SELECT number FROM change_hint ORDER BY number DESC LIMIT 1',
  readHints: `SELECT number, space_id FROM change_hint WHERE number > ? ORDER BY number
    LIMIT ${HINTS_MAX}`,
  lastOldHint: `SELECT number FROM change_hint WHERE told_at < ${SERVER_MS} - ${HINTS_KEPT_MS}
    ORDER BY told_at DESC LIMIT 1`,
  firstHint: 'SELECT number FROM change_hint ORDER BY number LIMIT 1',
  pruneHints: 'DELETE FROM change_hint WHERE number > ? AND number <= ?',
}, {
  ...OWNER, rows: { tellHints: HINTS_MAX, pruneHints: HINTS_MAX },
});
