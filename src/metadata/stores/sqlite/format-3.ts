/** What format 3 adds to format 2: docs/formats/metadata.md. A new database is made as one of
 *  format 2 and gets this at once, so that it has the very shape of one that was migrated. */
import { HOLD_TABLES } from './hold-schema.ts';

const RETENTION = `
ALTER TABLE batch ADD COLUMN with_sharing INTEGER NOT NULL DEFAULT 0;

CREATE TABLE retention (
  scope TEXT NOT NULL,
  id TEXT NOT NULL,
  history_keep_days INTEGER,
  versions_keep_daily_days INTEGER,
  trash_keep_days INTEGER,
  PRIMARY KEY (scope, id)
) WITHOUT ROWID;
`;

/** User ids are unique over the installation, whatever the tenant. */
const OWNERS = `
CREATE UNIQUE INDEX space_by_owner ON space (owner);
`;

export const FORMAT_3 = RETENTION + HOLD_TABLES + OWNERS;
