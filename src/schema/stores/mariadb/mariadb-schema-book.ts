/** The book of an installation on database servers: some small tables in the directory's
 *  database. */
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { SqlSchemaBook } from '../sql/sql-schema-book.ts';
import { mariadbTable } from './mariadb-schema-target.ts';
import { ServerSession } from './server-session.ts';
import type { MayAlter } from './server-session.ts';

const TABLES = `/* holdfast:listTables */ SELECT table_name FROM information_schema.tables
  WHERE table_schema = DATABASE()`;

/** Makes its tables where they are missing. @throws unavailable; as `mayAlter`. */
export async function openMariadbBook(
  address: ServerAddress, mayAlter?: MayAlter,
): Promise<SqlSchemaBook> {
  const session = await ServerSession.open(address, mayAlter);
  try {
    const there = new Set((await session.query(TABLES)).map(([name]) => String(name)));
    return await SqlSchemaBook.open(session, { there, makeTable: mariadbTable });
  } catch (error) {
    await session.close();
    throw error;
  }
}
