/** The tables of the directory of shards that are carried when an installation moves from a file to
 *  a server, or back. A test holds this against both schemas. */
import type { CarriedTable } from '../../../tables/index.ts';

export const DIRECTORY_CARRIED: readonly CarriedTable[] = [
  { name: 'shard', key: ['number'], others: ['name', 'url', 'password_path', 'state', 'made_at'] },
  { name: 'tenant_place', key: ['tenant'], others: ['shard', 'epoch'] },
  { name: 'moved_space', key: ['space_id'], others: ['tenant'] },
  // A file has the number of the last change in a row of its own; copies are compared by it.
  {
    name: 'directory', key: ['name'], others: ['value'], only: 'name = \'rev\'',
    onSqlite: {
      source: '(SELECT \'rev\' AS name, rev AS value FROM directory)',
      put: 'WITH given (name, value) AS (VALUES (?, ?)) '
        + 'UPDATE directory SET rev = (SELECT value FROM given)',
    },
  },
];
