/** The tables of the metadata database on MariaDB: docs/formats/metadata.md says what each holds.
 *  They are those of SQLite's format 4, with keys of stated lengths. Times, sizes and ids are
 *  BIGINT; every text is compared byte by byte. */
import { keysOf } from '../../../platform/mariadb/index.ts';

import { firstIdOf } from '../../shard-number.ts';

/** Kept in `meta`. A newer one is refused. */
export const SCHEMA_VERSION = 1;

const ID = 'BIGINT NOT NULL';
const NUMBER = 'BIGINT NOT NULL';
const SMALL = 'SMALLINT NOT NULL';
/** Texts that are part of keys: user, tenant and upload ids, tokens. */
const KEY = 'VARCHAR(255) NOT NULL';
/** Canonical names: NAME_BYTES_MAX, and what folding may add. */
const CANON = 'VARCHAR(512) NOT NULL';
const NAME = 'VARCHAR(255)';

const NODE_COLUMNS = `name ${NAME} NULL, kind ${SMALL}, size_bytes ${NUMBER},
  modified_at ${NUMBER}, created_at ${NUMBER}, mark ${NUMBER}, content_rev ${NUMBER},
  checksums TEXT NOT NULL, rev_from ${NUMBER}`;

const GRANT_COLUMNS = `node_id ${ID}, subject_kind ${SMALL}, subject ${KEY}, role ${SMALL},
  is_shown ${SMALL}, expires_at BIGINT NULL, terms TEXT NOT NULL, created_by ${KEY},
  created_at ${NUMBER}, rev_from ${NUMBER}`;

/** By name of the table: its columns and keys. */
export const TABLES: Readonly<Record<string, string>> = {
  meta: `name ${KEY}, value ${NUMBER}, PRIMARY KEY (name)`,

  writer_turn: `id ${SMALL}, turn ${NUMBER}, writer ${KEY}, PRIMARY KEY (id)`,
  writer: `id ${KEY}, batch ${NUMBER}, seen_s ${NUMBER}, PRIMARY KEY (id)`,

  // Where tenants are at home, and what is noted of one that moves: see metadata/move.
  placement: `tenant ${KEY}, epoch ${NUMBER}, state VARCHAR(16) NOT NULL, PRIMARY KEY (tenant)`,
  move_capture: `tenant ${KEY}, PRIMARY KEY (tenant)`,
  move_log: `seq BIGINT NOT NULL AUTO_INCREMENT, tenant ${KEY}, name VARCHAR(64) NOT NULL,
    row_key LONGTEXT NOT NULL, PRIMARY KEY (seq), KEY move_log_by_tenant (tenant, seq)`,

  space: `id ${ID}, tenant ${KEY}, kind VARCHAR(16) NOT NULL, name ${NAME} NOT NULL,
    owner VARCHAR(255) NULL, root_id ${ID}, rev ${NUMBER}, folders_rev ${NUMBER},
    access_rev ${NUMBER}, case_policy VARCHAR(16) NOT NULL, quota_bytes BIGINT NULL,
    created_at ${NUMBER}, PRIMARY KEY (id), UNIQUE KEY space_by_owner (owner),
    KEY space_by_tenant (tenant, id)`,

  node: `space_id ${ID}, parent_id ${ID}, canon ${CANON}, id ${ID}, ${NODE_COLUMNS},
    PRIMARY KEY (space_id, parent_id, canon), UNIQUE KEY node_by_id (space_id, id)`,
  node_past: `space_id ${ID}, parent_id ${ID}, canon ${CANON}, rev_to ${NUMBER}, id ${ID},
    ${NODE_COLUMNS}, PRIMARY KEY (space_id, parent_id, canon, rev_to),
    KEY node_past_by_id (space_id, id, rev_to)`,
  folder: `space_id ${ID}, id ${ID}, mark ${NUMBER}, size_bytes ${NUMBER}, changed_at ${NUMBER},
    PRIMARY KEY (space_id, id)`,
  version: `space_id ${ID}, node_id ${ID}, content_rev ${NUMBER}, size_bytes ${NUMBER},
    modified_at ${NUMBER}, checksums TEXT NOT NULL, manifest LONGBLOB NOT NULL,
    saved_at ${NUMBER}, saved_by ${KEY}, PRIMARY KEY (space_id, node_id, content_rev)`,
  event: `space_id ${ID}, rev ${NUMBER}, kind ${SMALL}, node_id ${ID}, node_kind ${SMALL},
    parent_before BIGINT NULL, parent_after BIGINT NULL, name_before ${NAME} NULL,
    name_after ${NAME} NULL, content_rev ${NUMBER}, by_user ${KEY}, device TEXT NOT NULL,
    at ${NUMBER}, copied_node BIGINT NULL, copied_rev BIGINT NULL, copied_count BIGINT NULL,
    batch_id BIGINT NULL, more TEXT NULL, from_address TEXT NULL, PRIMARY KEY (space_id, rev)`,
  trash: `space_id ${ID}, deleted_rev ${NUMBER}, node_id ${ID}, parent_id ${ID},
    name ${NAME} NOT NULL, kind ${SMALL}, size_bytes ${NUMBER}, content_rev ${NUMBER},
    deleted_at ${NUMBER}, deleted_by ${KEY}, PRIMARY KEY (space_id, deleted_rev),
    KEY trash_by_remover (space_id, deleted_by, deleted_rev),
    KEY trash_by_parent (space_id, parent_id, deleted_rev)`,
  // A property's name has no length that a key could hold: a digest of it stands for it.
  property: `space_id ${ID}, node_id ${ID}, digest BINARY(32) NOT NULL,
    namespace MEDIUMTEXT NOT NULL, name MEDIUMTEXT NOT NULL, xml MEDIUMTEXT NOT NULL,
    PRIMARY KEY (space_id, node_id, digest)`,
  dav_lock: `space_id ${ID}, token ${KEY}, node_id ${ID}, scope VARCHAR(16) NOT NULL,
    depth VARCHAR(16) NOT NULL, owner_xml MEDIUMTEXT NOT NULL, holder ${KEY},
    expires_at ${NUMBER}, PRIMARY KEY (space_id, token)`,

  upload: `owner ${KEY}, upload_id ${KEY}, total_bytes BIGINT NULL, created_at ${NUMBER},
    expires_at ${NUMBER}, part_count ${NUMBER}, ended ${SMALL}, result_space BIGINT NULL,
    result_node BIGINT NULL, result_mark BIGINT NULL, result_created SMALLINT NULL,
    PRIMARY KEY (owner, upload_id), KEY upload_by_expiry (expires_at, owner, upload_id)`,
  upload_part: `owner ${KEY}, upload_id ${KEY}, number ${NUMBER}, name TEXT NOT NULL,
    size_bytes ${NUMBER}, manifest LONGBLOB NOT NULL, PRIMARY KEY (owner, upload_id, number)`,
  copy_job: `first_id ${ID}, space_id ${ID}, node_count ${NUMBER}, writer ${KEY},
    PRIMARY KEY (first_id)`,
  witness: `volume_id ${ID}, durable_bytes ${NUMBER}, PRIMARY KEY (volume_id)`,

  space_past: `space_id ${ID}, rev_floor ${NUMBER}, rev_purged ${NUMBER}, PRIMARY KEY (space_id)`,
  batch: `id ${ID}, space_id ${ID}, kind VARCHAR(32) NOT NULL, state VARCHAR(32) NOT NULL,
    node_id ${ID}, as_of ${NUMBER}, undoes BIGINT NULL, rev_from ${NUMBER}, rev_to ${NUMBER},
    done_count ${NUMBER}, skipped_count ${NUMBER}, begun_by ${KEY}, device TEXT NOT NULL,
    begun_at ${NUMBER}, ended_at BIGINT NULL, with_sharing SMALLINT NOT NULL DEFAULT 0,
    PRIMARY KEY (id), KEY batch_by_space (space_id, id), KEY batch_by_state (state, id)`,
  retention: `scope VARCHAR(16) NOT NULL, id ${KEY}, history_keep_days BIGINT NULL,
    versions_keep_daily_days BIGINT NULL, trash_keep_days BIGINT NULL, PRIMARY KEY (scope, id)`,

  access_grant: `id ${ID}, space_id ${ID}, ${GRANT_COLUMNS}, PRIMARY KEY (id),
    UNIQUE KEY access_grant_by_node (space_id, node_id, subject_kind, subject),
    KEY access_grant_by_subject (subject_kind, subject, id)`,
  access_grant_past: `space_id ${ID}, rev_to ${NUMBER}, id ${ID}, ${GRANT_COLUMNS},
    PRIMARY KEY (space_id, rev_to, id)`,
  grant_count: `grant_id ${ID}, downloads ${NUMBER}, PRIMARY KEY (grant_id)`,
  mount: `space_id ${ID}, node_id ${ID}, target_space ${ID}, target_node ${ID},
    PRIMARY KEY (space_id, node_id), KEY mount_by_target (target_space, target_node, space_id)`,
  declined_mount: `space_id ${ID}, target_space ${ID}, target_node ${ID},
    PRIMARY KEY (space_id, target_space, target_node)`,
  reservation: `space_id ${ID}, id ${KEY}, bytes ${NUMBER}, expires_at ${NUMBER},
    PRIMARY KEY (space_id, id)`,
  tenant: `id ${KEY}, quota_bytes BIGINT NULL, PRIMARY KEY (id)`,

  quarantine: `id ${ID}, space_id ${ID}, by_user ${KEY}, device_key TEXT NOT NULL,
    device TEXT NOT NULL, state VARCHAR(32) NOT NULL, opened_at ${NUMBER}, opened_rev ${NUMBER},
    view_rev ${NUMBER}, held_count ${NUMBER}, held_bytes ${NUMBER}, batch_id BIGINT NULL,
    decided_by VARCHAR(255) NULL, decided_at BIGINT NULL, PRIMARY KEY (id),
    KEY quarantine_by_state (state, id)`,
  held_change: `id ${ID}, quarantine_id ${ID}, node_id ${ID}, kind VARCHAR(32) NOT NULL,
    node_kind ${SMALL}, parent_id ${ID}, name ${NAME} NOT NULL, base_rev ${NUMBER},
    base_content_rev ${NUMBER}, held_at ${NUMBER}, size_bytes ${NUMBER}, modified_at ${NUMBER},
    checksums TEXT NOT NULL, manifest LONGBLOB NULL, PRIMARY KEY (id),
    UNIQUE KEY held_change_by_node (quarantine_id, node_id)`,
};

/** By which rows are found: the guard of statements wants to know. */
export const TABLE_KEYS = keysOf(TABLES);

export function createTable(name: string, columns: string, collation: string): string {
  return `CREATE TABLE IF NOT EXISTS ${name} (${columns})
    ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${collation}`;
}

/** Rows that there are from the beginning. */
export function firstNumbers(shard: number): (readonly [name: string, value: number])[] {
  const counters = ['node', 'space', 'batch', 'grant', 'quarantine', 'held'].map(
    (what) => [`next_${what}_id`, firstIdOf(shard)] as const);
  return [...counters, ['shard', shard]];
}
