/** The book of an installation on database servers: some small tables in the directory's
 *  database. */
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { SqlSchemaBook } from '../sql/sql-schema-book.ts';
import { mariadbTable } from './mariadb-schema-target.ts';
import { ServerSession } from './server-session.ts';

/** Makes its tables where they are missing. @throws unavailable. */
export async function openMariadbBook(address: ServerAddress): Promise<SqlSchemaBook> {
  return SqlSchemaBook.open(await ServerSession.open(address), mariadbTable);
}
