/** What a store looks at before it works on a database. */
import { HoldfastError } from '../../base/errors.ts';
import type { DatabaseWords } from './faults.ts';
import { namedSql } from './named-sql.ts';
import { checkSettings, readSettings } from './server-settings.ts';
import type { Session } from './session.ts';

export interface DatabaseFacts {
  /** The names of those that are there. */
  tables: ReadonlySet<string>;
}

/** The table that each of the stores makes first: they may share a database. */
const FIRST_TABLES = [
  'installation', 'meta', 'writer_turn', 'identity_meta', 'keyed_request_meta', 'directory',
];
const LIST_TABLES = namedSql('listTables', `SELECT table_name FROM information_schema.tables
  WHERE table_schema = DATABASE()`, { owner: 'session', tables: new Map() }).text;

/** @throws invalid: the server is not safe; `database-not-ours`: the database belongs to another
 *  program; the driver's error. */
export async function lookAtDatabase(
  session: Session, { op }: DatabaseWords,
): Promise<DatabaseFacts> {
  checkSettings(await readSettings(session));
  const { rows } = await session.run(LIST_TABLES);
  const tables = new Set(rows.map(([name]) => String(name)));
  if (tables.size > 0 && !FIRST_TABLES.some((name) => tables.has(name))) {
    throw new HoldfastError('invalid', op, 'This database belongs to another program. Name an '
      + 'empty one.', { code: 'database-not-ours' });
  }
  return { tables };
}
