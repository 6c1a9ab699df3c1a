/** The book of an installation without a database server: one small file. */
import { SqlSchemaBook } from '../sql/sql-schema-book.ts';
import { SqliteSession } from './sqlite-session.ts';

/** Makes the file if it is not there: all that it holds can be found anew in the shards, but for
 *  the days on which changes were done, which then begin anew. @throws unavailable; corrupt. */
export async function openSqliteBook(file: string): Promise<SqlSchemaBook> {
  const session = await SqliteSession.open(file, { create: true });
  const makeTable = (name: string, columns: string): string => (
    `CREATE TABLE IF NOT EXISTS ${name} (${columns})`);
  return SqlSchemaBook.open(session, { there: new Set(), makeTable });
}
