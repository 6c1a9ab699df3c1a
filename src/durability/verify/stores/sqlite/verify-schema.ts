/** The tables of DATA/verify.db, format 1. Times are milliseconds since 1970 UTC. */

/** Kept as `PRAGMA user_version`. */
export const VERIFY_FORMAT = 1;
/** Kept as `PRAGMA application_id`: "HFvf". */
export const VERIFY_APPLICATION_ID = 0x48467666;

export const VERIFY_SCHEMA = `
CREATE TABLE finding (
  id INTEGER PRIMARY KEY,
  verifier TEXT NOT NULL,
  kind TEXT NOT NULL,
  place TEXT NOT NULL,
  scope TEXT NOT NULL,
  facts TEXT NOT NULL,
  severity TEXT NOT NULL,
  state TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  times INTEGER NOT NULL,
  UNIQUE (verifier, kind, place)
);
CREATE INDEX finding_by_state ON finding (state, severity, last_seen);
CREATE INDEX finding_by_scope ON finding (verifier, state, scope);

CREATE TABLE unit (
  verifier TEXT NOT NULL,
  name TEXT NOT NULL,
  size INTEGER NOT NULL,
  checked INTEGER NOT NULL,
  checked_at INTEGER,
  waiting_since INTEGER,
  resume TEXT,
  PRIMARY KEY (verifier, name)
) WITHOUT ROWID;

CREATE TABLE note (
  verifier TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (verifier, name)
) WITHOUT ROWID;

CREATE TABLE sample (
  id TEXT NOT NULL PRIMARY KEY,
  address TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  written_at INTEGER NOT NULL,
  step INTEGER NOT NULL,
  due INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sample_by_due ON sample (due, id);
`;
