/** The tables of a directory of shards on MariaDB: docs/formats/directory.md. They may lie in the
 *  database that has the metadata of shard 0. */
import { keysOf, namedTable } from '../../../../platform/mariadb/index.ts';

/** Kept in `directory`. A newer one is refused. */
export const DIRECTORY_FORMAT = 1;

const KEY = 'VARCHAR(255) NOT NULL';
const NUMBER = 'BIGINT NOT NULL';

export const DIRECTORY_TABLES: Readonly<Record<string, string>> = {
  directory: `name ${KEY}, value ${NUMBER}, PRIMARY KEY (name)`,
  shard: `number ${NUMBER}, name ${KEY}, url VARCHAR(500) NOT NULL, password_path TEXT NULL,
    state VARCHAR(16) NOT NULL, made_at ${NUMBER}, PRIMARY KEY (number),
    UNIQUE KEY shard_by_name (name), UNIQUE KEY shard_by_url (url)`,
  tenant_place: `tenant ${KEY}, shard ${NUMBER}, epoch ${NUMBER}, PRIMARY KEY (tenant)`,
  moved_space: `space_id ${NUMBER}, tenant ${KEY}, PRIMARY KEY (space_id)`,
};

export function createDirectoryTable(name: string, columns: string, collation: string): string {
  return `CREATE TABLE IF NOT EXISTS ${name} (${columns})
    ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${collation}`;
}

/** Of one tenant. */
const MOVED_SPACES_MAX = 1_000_000;

export const DIRECTORY_SQL = namedTable({
  directoryRev: 'SELECT value FROM directory WHERE name = \'rev\'',
  directoryFormat: 'SELECT value FROM directory WHERE name = \'format\'',
  putDirectoryNumber: 'INSERT IGNORE INTO directory (name, value) VALUES (?, ?)',
  /** Serialises all that change anything: the row is locked until the transaction ends. */
  raiseDirectoryRev: 'UPDATE directory SET value = value + 1 WHERE name = \'rev\'',
  listShards: `SELECT number, name, url, password_path, state, made_at FROM shard
    ORDER BY number`,
  listPlaces: 'SELECT tenant, shard, epoch FROM tenant_place ORDER BY tenant',
  listMovedSpaces: 'SELECT space_id, tenant FROM moved_space ORDER BY space_id',
  putFirstShard: `INSERT IGNORE INTO shard (number, name, url, password_path, state, made_at)
    VALUES (?, ?, ?, ?, ?, ?)`,
  putShard: `INSERT INTO shard (number, name, url, password_path, state, made_at)
    VALUES (?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE state = VALUES(state)`,
  putPlace: `INSERT INTO tenant_place (tenant, shard, epoch) VALUES (?, ?, ?)
    ON DUPLICATE KEY UPDATE shard = VALUES(shard), epoch = VALUES(epoch)`,
  /** Spaces of a tenant, as a JSON array of their numbers. */
  putMovedSpaces: `INSERT INTO moved_space (space_id, tenant)
    SELECT moved.id, ?1 FROM JSON_TABLE(?2, '$[*]' COLUMNS (id BIGINT PATH '$')) moved
    ON DUPLICATE KEY UPDATE tenant = ?1`,
}, {
  owner: 'directory', tables: keysOf(DIRECTORY_TABLES),
  rows: { putMovedSpaces: MOVED_SPACES_MAX },
});
