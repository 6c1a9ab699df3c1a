/** How SQLite would run a statement. It plans without figures of what is in the tables: nobody has
 *  it gather any. */
import type { Database } from 'better-sqlite3';

/** Nothing of a table: a row that is made of values, or what a part of the statement answers. */
const OF_NO_TABLE = /^SCAN (?:CONSTANT ROW|\d+-ROW VALUES CLAUSE|\(subquery-\d+\))$/;

/** What it passes over: a table, an index of it, or a range of that, which no value bounds that is
 *  equal in all of its rows. */
export function walksOf(database: Database, text: string): string[] {
  const placed = text.replaceAll(/\?\d*|@\w+/g, '?');
  const values = Array.from(placed.matchAll(/\?/g), () => null);
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${placed}`).all(...values) as
    { detail: string }[];
  const details = rows.map(({ detail }) => detail);
  return details.filter((each) => (
    (each.startsWith('SCAN ') && !OF_NO_TABLE.test(each))
    || (each.startsWith('SEARCH ') && !each.includes('=?'))));
}
