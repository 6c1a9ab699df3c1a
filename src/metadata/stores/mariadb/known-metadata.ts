/** By what a metadata database is known again when its server was away: see
 *  platform/mariadb/known-database.ts. */
import {
  keysOf, knowDatabase, lookAtDatabase, namedTable, statements,
} from '../../../platform/mariadb/index.ts';
import type { KnownDatabase, ServerAddress } from '../../../platform/mariadb/index.ts';
import { WORDS } from './faults.ts';
import { INSTALLATION_TABLES } from './installation.ts';
import { withSession } from './open-database.ts';
import { TABLES } from './schema.ts';

const number = (name: string): string => `(SELECT value FROM meta WHERE name = '${name}')`;
const NUMBERS = `'shard', ${number('shard')}, 'format', ${number('schema_version')},
  'names', ${number('canonical_version')}`;
/** Each change of anything has the next turn. */
const TURN = '(SELECT turn FROM writer_turn WHERE id = 1)';

const SQL = namedTable({
  knownMetadata: `SELECT 'installation',
    (SELECT installation FROM installation WHERE id = 1), ${NUMBERS}, ${TURN}`,
  /** Where nobody has said whose it is. */
  knownNumbers: `SELECT ${NUMBERS}, ${TURN}`,
}, { owner: 'metadata.open', tables: keysOf({ ...TABLES, ...INSTALLATION_TABLES }) });

/** Of a database that was opened. @throws unavailable. */
export async function knowMetadata(address: ServerAddress): Promise<KnownDatabase> {
  return withSession(address, 'read', async (session) => {
    const { tables } = await lookAtDatabase(session, WORDS);
    const { text } = tables.has('installation') ? SQL.knownMetadata : SQL.knownNumbers;
    return knowDatabase(session, statements.get(text));
  });
}
