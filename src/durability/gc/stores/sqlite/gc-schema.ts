/**
 * The tables of DATA/gc.db, format 1: docs/formats/gc.md says what each holds. Times are
 * milliseconds since 1970 UTC.
 */

/** Kept as `PRAGMA user_version`. */
export const GC_FORMAT = 1;
/** Kept as `PRAGMA application_id`: "HFgc". */
export const GC_APPLICATION_ID = 0x48466763;

export const GC_SCHEMA = `
CREATE TABLE census (
  id              INTEGER NOT NULL PRIMARY KEY,
  begun_at        INTEGER NOT NULL,
  ended_at        INTEGER,
  manifest_count  INTEGER NOT NULL DEFAULT 0,
  reference_count INTEGER NOT NULL DEFAULT 0,
  pending_bytes   INTEGER NOT NULL DEFAULT 0,
  absent_count    INTEGER NOT NULL DEFAULT 0,
  unmet_count     INTEGER NOT NULL DEFAULT 0,
  unmet_bytes     INTEGER NOT NULL DEFAULT 0,
  condemned_count INTEGER NOT NULL DEFAULT 0,
  condemned_bytes INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE suspect (
  id            BLOB    NOT NULL PRIMARY KEY,
  size_bytes    INTEGER NOT NULL,
  first_at      INTEGER NOT NULL,
  first_census  INTEGER NOT NULL,
  latest_census INTEGER NOT NULL,
  condemned_by  INTEGER
) WITHOUT ROWID;

CREATE TABLE ledger_head (
  only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
  seq  INTEGER NOT NULL,
  hash TEXT    NOT NULL
);
`;
