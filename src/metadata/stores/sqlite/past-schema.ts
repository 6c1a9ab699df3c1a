/** The tables of the past, of batches and of what is forgotten: docs/formats/metadata.md. */

/**
 * `node_past` is read in two ways: the members of a folder as of a revision, in order of their
 * names (the key), and one node as of a revision (the index). Rows of one name in one folder, and
 * rows of one node, never overlap in time; so both ways come to the right row by one search.
 */
export function nodePastTable(nodeColumns: string): string {
  return `
CREATE TABLE node_past (
  space_id INTEGER NOT NULL,
  parent_id INTEGER NOT NULL,
  canon TEXT NOT NULL,
  rev_to INTEGER NOT NULL,
  id INTEGER NOT NULL,${nodeColumns},
  PRIMARY KEY (space_id, parent_id, canon, rev_to)
) WITHOUT ROWID;
CREATE INDEX node_past_by_id ON node_past (space_id, id, rev_to);
`;
}

/** What the past needs besides `node_past` and the column `event.batch_id`. */
export const PAST_TABLES = `
CREATE TABLE space_past (
  space_id INTEGER NOT NULL PRIMARY KEY,
  rev_floor INTEGER NOT NULL,
  rev_purged INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE batch (
  id INTEGER NOT NULL PRIMARY KEY,
  space_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  node_id INTEGER NOT NULL,
  as_of INTEGER NOT NULL,
  undoes INTEGER,
  rev_from INTEGER NOT NULL,
  rev_to INTEGER NOT NULL,
  done_count INTEGER NOT NULL,
  skipped_count INTEGER NOT NULL,
  begun_by TEXT NOT NULL,
  device TEXT NOT NULL,
  begun_at INTEGER NOT NULL,
  ended_at INTEGER
) WITHOUT ROWID;
CREATE INDEX batch_by_space ON batch (space_id, id);
CREATE INDEX batch_by_state ON batch (state, id);

CREATE INDEX trash_by_remover ON trash (space_id, deleted_by, deleted_rev);
CREATE INDEX trash_by_parent ON trash (space_id, parent_id, deleted_rev);
`;

/** From format 1 to format 2, to run within the one transaction of the migration. */
export function pastMigration(nodeColumns: string): string {
  const columns = `space_id, parent_id, canon, rev_to, id, name, kind, size_bytes, modified_at,
    created_at, mark, content_rev, checksums, rev_from`;
  return `
ALTER TABLE node_past RENAME TO node_past_1;
${nodePastTable(nodeColumns)}
INSERT INTO node_past (${columns}) SELECT ${columns} FROM node_past_1
  ORDER BY space_id, parent_id, canon, rev_to;
DROP TABLE node_past_1;
ALTER TABLE event ADD COLUMN batch_id INTEGER;
INSERT INTO meta (name, value) VALUES ('next_batch_id', 1);
${PAST_TABLES}`;
}
