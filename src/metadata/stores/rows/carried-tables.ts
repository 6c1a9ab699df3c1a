/** The tables of a metadata database that are carried when an installation moves from a file to a
 *  server, or back: all that a tenant has, and what belongs to the shard itself. A test holds this
 *  against both schemas. */
import type { CarriedTable } from '../../../tables/index.ts';
import { MARIADB_EXTRAS, ROW_TABLES } from '../../move/row-tables.ts';

/** What numbers come next. The rest of `meta` is said by whoever makes the tables. */
const COUNTERS = 'name LIKE \'next%\'';

export const METADATA_CARRIED: readonly CarriedTable[] = [
  { name: 'meta', key: ['name'], others: ['value'], only: COUNTERS },
  { name: 'placement', key: ['tenant'], others: ['epoch', 'state'] },
  ...ROW_TABLES.map(({ name, key, columns, groupedBy }): CarriedTable => {
    const made = MARIADB_EXTRAS[name];
    return {
      name, key, others: columns.slice(key.length),
      ...(groupedBy !== undefined && { orderedBy: key.indexOf(groupedBy) + 1 }),
      ...(made !== undefined && { onMariadb: { made } }),
    };
  }),
  // The last: marks of content say that all that was acknowledged before them is there.
  { name: 'witness', key: ['volume_id'], others: ['durable_bytes'] },
];

/** Tables that stay where they are, and why. */
export const METADATA_NOT_CARRIED: Readonly<Record<string, string>> = {
  move_capture: 'empty: nothing is carried while a tenant moves',
  move_log: 'empty: nothing is carried while a tenant moves',
  writer: 'who writes to this very database',
  writer_turn: 'who writes to this very database',
};
