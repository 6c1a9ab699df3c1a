/** The tables of the metadata database: docs/formats/metadata.md says what each holds. */
import { ACCESS_TABLES, SPACE_TABLE } from './access-schema.ts';
import { FORMAT_3 } from './format-3.ts';
import { FORMAT_4 } from './format-4.ts';
import { PAST_TABLES, nodePastTable } from './past-schema.ts';

/** Kept in `user_version`. A newer one is refused; an older one is migrated at open. */
export const SCHEMA_VERSION = 4;
/** `HFMD` as a big-endian number: tells our files from other SQLite databases. */
export const APPLICATION_ID = 0x48_46_4d_44;

export const NODE_COLUMNS = `
  name TEXT,
  kind INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  mark INTEGER NOT NULL,
  content_rev INTEGER NOT NULL,
  checksums TEXT NOT NULL,
  rev_from INTEGER NOT NULL`;

export const SCHEMA = `
CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

${SPACE_TABLE}
CREATE TABLE node (
  space_id INTEGER NOT NULL,
  parent_id INTEGER NOT NULL,
  canon TEXT NOT NULL,
  id INTEGER NOT NULL,${NODE_COLUMNS},
  PRIMARY KEY (space_id, parent_id, canon)
) WITHOUT ROWID;
CREATE UNIQUE INDEX node_by_id ON node (space_id, id);

${nodePastTable(NODE_COLUMNS)}
CREATE TABLE folder (
  space_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  mark INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (space_id, id)
) WITHOUT ROWID;

CREATE TABLE version (
  space_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  content_rev INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  checksums TEXT NOT NULL,
  manifest BLOB NOT NULL,
  saved_at INTEGER NOT NULL,
  saved_by TEXT NOT NULL,
  PRIMARY KEY (space_id, node_id, content_rev)
) WITHOUT ROWID;

CREATE TABLE event (
  space_id INTEGER NOT NULL,
  rev INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  node_kind INTEGER NOT NULL,
  parent_before INTEGER,
  parent_after INTEGER,
  name_before TEXT,
  name_after TEXT,
  content_rev INTEGER NOT NULL,
  by_user TEXT NOT NULL,
  device TEXT NOT NULL,
  at INTEGER NOT NULL,
  copied_node INTEGER,
  copied_rev INTEGER,
  copied_count INTEGER,
  batch_id INTEGER,
  more TEXT,
  from_address TEXT,
  PRIMARY KEY (space_id, rev)
) WITHOUT ROWID;

CREATE TABLE trash (
  space_id INTEGER NOT NULL,
  deleted_rev INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  parent_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  content_rev INTEGER NOT NULL,
  deleted_at INTEGER NOT NULL,
  deleted_by TEXT NOT NULL,
  PRIMARY KEY (space_id, deleted_rev)
) WITHOUT ROWID;

CREATE TABLE property (
  space_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  xml TEXT NOT NULL,
  PRIMARY KEY (space_id, node_id, namespace, name)
) WITHOUT ROWID;

CREATE TABLE dav_lock (
  space_id INTEGER NOT NULL,
  token TEXT NOT NULL,
  node_id INTEGER NOT NULL,
  scope TEXT NOT NULL,
  depth TEXT NOT NULL,
  owner_xml TEXT NOT NULL,
  holder TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (space_id, token)
) WITHOUT ROWID;

CREATE TABLE upload (
  owner TEXT NOT NULL,
  upload_id TEXT NOT NULL,
  total_bytes INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  part_count INTEGER NOT NULL,
  ended INTEGER NOT NULL,
  result_space INTEGER,
  result_node INTEGER,
  result_mark INTEGER,
  result_created INTEGER,
  PRIMARY KEY (owner, upload_id)
) WITHOUT ROWID;
CREATE INDEX upload_by_expiry ON upload (expires_at, owner, upload_id);

CREATE TABLE upload_part (
  owner TEXT NOT NULL,
  upload_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  manifest BLOB NOT NULL,
  PRIMARY KEY (owner, upload_id, number)
) WITHOUT ROWID;

CREATE TABLE copy_job (
  first_id INTEGER NOT NULL PRIMARY KEY,
  space_id INTEGER NOT NULL,
  node_count INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE witness (
  volume_id INTEGER NOT NULL PRIMARY KEY,
  durable_bytes INTEGER NOT NULL
);
${PAST_TABLES}${ACCESS_TABLES}${FORMAT_3}${FORMAT_4}`;
