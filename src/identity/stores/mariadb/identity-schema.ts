/** The identity tables on MariaDB: those of DATA/identity.db (docs/formats/identity.md), and what
 *  several writers need. They may lie in the database that has the metadata of shard 0. */
import { keysOf, namedSql, namedTable } from '../../../platform/mariadb/index.ts';
import type { NamedSql, TurnSql } from '../../../platform/mariadb/index.ts';
import { IDENTITY_SQL } from '../sql/identity-statements.ts';
import type { Ask } from '../sql/statement.ts';

/** Kept in `identity_meta`. A newer one is refused. */
export const IDENTITY_MARIADB_FORMAT = 1;

const ID = 'VARCHAR(64) NOT NULL';
const HASH = 'CHAR(64) NOT NULL';
const TEXT = 'VARCHAR(255) NOT NULL';
const NUMBER = 'BIGINT NOT NULL';
const FLAG = 'SMALLINT NOT NULL';

/** By name of the table: its columns and keys. The first is made first, and tells that making was
 *  begun. */
export const IDENTITY_TABLES: Readonly<Record<string, string>> = {
  identity_meta: `name ${ID}, value ${TEXT}, PRIMARY KEY (name)`,
  identity_turn: `id ${FLAG}, turn ${NUMBER}, writer ${ID}, PRIMARY KEY (id)`,
  identity_writer: `id ${ID}, operation ${NUMBER}, seen_s ${NUMBER}, PRIMARY KEY (id)`,

  tenants: `id ${ID}, title ${TEXT}, policy ${ID}, created_at ${NUMBER}, PRIMARY KEY (id)`,
  users: `id ${ID}, tenant ${ID}, display_name ${TEXT}, is_admin ${FLAG}, is_disabled ${FLAG},
    password_hash VARCHAR(255) NULL, created_at ${NUMBER}, rev ${NUMBER}, groups_rev ${NUMBER},
    email VARCHAR(255) NULL, has_second_factor ${FLAG}, PRIMARY KEY (id),
    KEY users_by_tenant (tenant, id), KEY users_by_admin (is_admin, is_disabled)`,
  user_groups: `id ${ID}, display_name ${TEXT}, created_at ${NUMBER}, is_removed ${FLAG},
    tenant ${ID}, PRIMARY KEY (id), KEY user_groups_by_tenant (tenant, id)`,
  memberships: `group_id ${ID}, user_id ${ID}, joined_at ${NUMBER},
    PRIMARY KEY (group_id, user_id), KEY memberships_by_user (user_id, group_id)`,
  // One may come back and end again at the same moment, so nothing of it is a key.
  past_memberships: `id BIGINT NOT NULL AUTO_INCREMENT, user_id ${ID}, group_id ${ID},
    joined_at ${NUMBER}, left_at ${NUMBER}, PRIMARY KEY (id),
    KEY past_memberships_by_user (user_id, left_at)`,

  tokens: `token_hash ${HASH}, id ${ID}, kind VARCHAR(16) NOT NULL, user_id ${ID}, device ${TEXT},
    created_at ${NUMBER}, used_at BIGINT NULL, expires_at BIGINT NULL, scopes VARCHAR(255) NULL,
    PRIMARY KEY (token_hash), KEY tokens_by_user (user_id, kind),
    KEY tokens_by_expiry (expires_at)`,
  setup_links: `link_hash ${HASH}, expires_at ${NUMBER}, PRIMARY KEY (link_hash)`,
  login_flows: `poll_hash ${HASH}, flow_hash ${HASH}, device ${TEXT}, user_id VARCHAR(64) NULL,
    created_at ${NUMBER}, expires_at ${NUMBER}, PRIMARY KEY (poll_hash),
    UNIQUE KEY login_flows_by_flow (flow_hash), KEY login_flows_by_age (created_at),
    KEY login_flows_by_expiry (expires_at), KEY login_flows_by_user (user_id)`,

  second_factors: `user_id ${ID}, secret ${TEXT}, is_on ${FLAG}, last_step ${NUMBER},
    since ${NUMBER}, PRIMARY KEY (user_id)`,
  recovery_codes: `user_id ${ID}, code_hash ${HASH}, PRIMARY KEY (user_id, code_hash)`,
};

export function createIdentityTable(name: string, columns: string, collation: string): string {
  return `CREATE TABLE IF NOT EXISTS ${name} (${columns})
    ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${collation}`;
}

/** Both are calm when it was done before. */
export const FIRST_ROWS: readonly string[] = [
  `INSERT IGNORE INTO tenants (id, title, policy, created_at)
   VALUES ('default', 'default', 'default', 0)`,
  `INSERT IGNORE INTO identity_turn (id, turn, writer) VALUES (1, 0, '')`,
];

const OWNER = { owner: 'identity', tables: keysOf(IDENTITY_TABLES) };
/** Of what is done for many at once, and writers that fell silent. */
const ROWS_MAX = 1_000_000;
const FEW = 'there are never more than a few rows';

export const META_SQL = namedTable({
  findIdentityFact: 'SELECT value FROM identity_meta WHERE name = ?',
  addIdentityFact: 'INSERT IGNORE INTO identity_meta (name, value) VALUES (?, ?)',
  forgetIdentityWriters: 'DELETE FROM identity_writer WHERE seen_s < UNIX_TIMESTAMP() - ?',
}, {
  ...OWNER, rows: { forgetIdentityWriters: ROWS_MAX },
  withoutKey: { forgetIdentityWriters: 'it has a row for each process of a month' },
});

export const IDENTITY_TURN_SQL: TurnSql = namedTable({
  takeTurn: `UPDATE identity_turn t JOIN identity_writer w ON w.id = @writer
    SET t.turn = LAST_INSERT_ID(t.turn + 1), t.writer = w.id, w.operation = @operation,
      w.seen_s = UNIX_TIMESTAMP() WHERE t.id = 1`,
  enterWriter: `INSERT IGNORE INTO identity_writer (id, operation, seen_s)
    VALUES (@writer, 0, UNIX_TIMESTAMP())`,
  passTurn: 'UPDATE identity_turn SET turn = turn + 1 WHERE id = 1',
  getOperation: 'SELECT operation FROM identity_writer WHERE id = @writer',
}, OWNER);

export const IDENTITY_MARK = namedSql(
  'identityMark', 'SELECT turn FROM identity_turn WHERE id = 1', OWNER);

const WITHOUT_KEY: ReadonlySet<string> = new Set(['deleteSetupLinks', 'deleteExpiredLinks']);

export interface NamedIdentitySql {
  one: NamedSql;
  many?: NamedSql;
}

/** Every statement of the logic, as a MariaDB server takes it. */
export const NAMED_IDENTITY_SQL: ReadonlyMap<Ask['statement'], NamedIdentitySql> = new Map(
  Object.entries(IDENTITY_SQL).map(([name, statement]) => {
    const { text, textForMany, rowsMax } = statement.parts;
    const owner = { ...OWNER, ...(WITHOUT_KEY.has(name) && { withoutKey: FEW }) };
    const one = namedSql(name, text, { ...owner, rowsPerKey: rowsMax });
    return [statement, textForMany === undefined
      ? { one }
      : { one, many: namedSql(`${name}s`, textForMany, { ...owner, rowsPerKey: ROWS_MAX }) }];
  }),
);
