/** What format 4 adds to format 3: where tenants are at home, and what is noted of one that moves:
 *  docs/formats/metadata.md. */

export const FORMAT_4 = `
CREATE TABLE placement (
  tenant TEXT NOT NULL PRIMARY KEY,
  epoch INTEGER NOT NULL,
  state TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE move_capture (
  tenant TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE move_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  row_key TEXT NOT NULL
);
CREATE INDEX move_log_by_tenant ON move_log (tenant, seq);
`;
