/** What tests of statements for SQLite files ask, whosever they are. */
export { keysOfFile, openSqlite, rowsByGuard } from './sqlite-rows.ts';
export type { SqliteFile } from './sqlite-rows.ts';
