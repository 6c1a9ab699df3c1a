/** The tables of quarantines and of what they hold: docs/formats/metadata.md. Part of format 3. */

export const HOLD_TABLES = `
INSERT INTO meta (name, value) VALUES ('next_quarantine_id', 1),
  ('next_held_id', 1);

CREATE TABLE quarantine (
  id INTEGER NOT NULL PRIMARY KEY,
  space_id INTEGER NOT NULL,
  by_user TEXT NOT NULL,
  device_key TEXT NOT NULL,
  device TEXT NOT NULL,
  state TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  opened_rev INTEGER NOT NULL,
  view_rev INTEGER NOT NULL,
  held_count INTEGER NOT NULL,
  held_bytes INTEGER NOT NULL,
  batch_id INTEGER,
  decided_by TEXT,
  decided_at INTEGER
) WITHOUT ROWID;
CREATE INDEX quarantine_by_state ON quarantine (state, id);

CREATE TABLE held_change (
  id INTEGER NOT NULL PRIMARY KEY,
  quarantine_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  node_kind INTEGER NOT NULL,
  parent_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  base_rev INTEGER NOT NULL,
  base_content_rev INTEGER NOT NULL,
  held_at INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  checksums TEXT NOT NULL,
  manifest BLOB
) WITHOUT ROWID;
CREATE UNIQUE INDEX held_change_by_node ON held_change (quarantine_id, node_id);
`;
