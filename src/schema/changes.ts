/**
 * All changes of the schema that this program knows, in the order in which they are made. A change
 * that has been released is never edited.
 *
 * There is none yet. The tables as they are now were made by the first version that can have
 * several shards, and files of SQLite come up to them when they are opened (docs/adr/0047). The
 * first one goes here, together with its place in the tables of new databases: a column at the
 * table's end.
 */
import type { SchemaChange } from './change.ts';

export const CHANGES: readonly SchemaChange[] = [];
