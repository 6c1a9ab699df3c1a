/** What tests of statements for SQLite files ask, whosever they are. */
export { walksOf } from './sqlite-plans.ts';
export { fill, keysOfFile, openSqlite, rowsByGuard, tablesOf } from './sqlite-rows.ts';
export type { SqliteFile } from './sqlite-rows.ts';
