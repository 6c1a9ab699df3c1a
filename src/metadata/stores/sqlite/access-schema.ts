/** The tables of spaces, grants, mounts and quotas: docs/formats/metadata.md. */

const SPACE_COLUMNS = `
  id INTEGER NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT,
  root_id INTEGER NOT NULL,
  rev INTEGER NOT NULL,
  folders_rev INTEGER NOT NULL,
  access_rev INTEGER NOT NULL,
  case_policy TEXT NOT NULL,
  quota_bytes INTEGER,
  created_at INTEGER NOT NULL,
  UNIQUE (tenant, owner)`;

export const SPACE_TABLE = `CREATE TABLE space (${SPACE_COLUMNS}
);
`;

const GRANT_COLUMNS = `
  node_id INTEGER NOT NULL,
  subject_kind INTEGER NOT NULL,
  subject TEXT NOT NULL,
  role INTEGER NOT NULL,
  is_shown INTEGER NOT NULL,
  expires_at INTEGER,
  terms TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  rev_from INTEGER NOT NULL`;

export const ACCESS_TABLES = `
CREATE TABLE access_grant (
  id INTEGER NOT NULL PRIMARY KEY,
  space_id INTEGER NOT NULL,${GRANT_COLUMNS}
) WITHOUT ROWID;
CREATE UNIQUE INDEX access_grant_by_node
  ON access_grant (space_id, node_id, subject_kind, subject);
CREATE INDEX access_grant_by_subject ON access_grant (subject_kind, subject, id);

CREATE TABLE access_grant_past (
  space_id INTEGER NOT NULL,
  rev_to INTEGER NOT NULL,
  id INTEGER NOT NULL,${GRANT_COLUMNS},
  PRIMARY KEY (space_id, rev_to, id)
) WITHOUT ROWID;

CREATE TABLE grant_count (
  grant_id INTEGER NOT NULL PRIMARY KEY,
  downloads INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE mount (
  space_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  target_space INTEGER NOT NULL,
  target_node INTEGER NOT NULL,
  PRIMARY KEY (space_id, node_id)
) WITHOUT ROWID;
CREATE INDEX mount_by_target ON mount (target_space, target_node, space_id);

CREATE TABLE declined_mount (
  space_id INTEGER NOT NULL,
  target_space INTEGER NOT NULL,
  target_node INTEGER NOT NULL,
  PRIMARY KEY (space_id, target_space, target_node)
) WITHOUT ROWID;

CREATE TABLE reservation (
  space_id INTEGER NOT NULL,
  id TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (space_id, id)
) WITHOUT ROWID;

CREATE TABLE tenant (
  id TEXT NOT NULL PRIMARY KEY,
  quota_bytes INTEGER
) WITHOUT ROWID;
`;

/** From format 1 to format 2, to run within the one transaction of the migration. SQLite cannot
 *  take a NOT NULL from a column, so `space` is built anew; it has one row per user. */
export const ACCESS_MIGRATION = `
ALTER TABLE space RENAME TO space_1;
${SPACE_TABLE}
INSERT INTO space (id, tenant, kind, name, owner, root_id, rev, folders_rev, access_rev,
    case_policy, quota_bytes, created_at)
  SELECT id, tenant, 'personal', '', owner, root_id, rev, folders_rev, 0, case_policy, quota_bytes,
    created_at FROM space_1;
DROP TABLE space_1;
ALTER TABLE event ADD COLUMN more TEXT;
ALTER TABLE event ADD COLUMN from_address TEXT;
INSERT INTO meta (name, value) VALUES ('next_grant_id', 1);
${ACCESS_TABLES}`;
