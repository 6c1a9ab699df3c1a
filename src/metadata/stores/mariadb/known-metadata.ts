/** By what a metadata database is known again when its server was away: see
 *  platform/mariadb/known-database.ts. */
import {
  keysOf, knowDatabase, lookAtDatabase, namedTable, statements,
} from '../../../platform/mariadb/index.ts';
import type { KnownDatabase, NamedSql, ServerAddress } from '../../../platform/mariadb/index.ts';
import { WORDS } from './faults.ts';
import { INSTALLATION_TABLES } from './installation.ts';
import { withSession } from './open-database.ts';
import { TABLES } from './schema.ts';

const number = (name: string): string => `(SELECT value FROM meta WHERE name = '${name}')`;

const SQL = namedTable({
  knownInstallation: `SELECT 'installation', installation FROM installation WHERE id = 1`,
  knownMetadata: `SELECT 'shard', ${number('shard')}, 'format', ${number('schema_version')},
    'names', ${number('canonical_version')}`,
}, { owner: 'metadata.open', tables: keysOf({ ...TABLES, ...INSTALLATION_TABLES }) });

/** Of a database that was claimed, whatever else there is in it yet; an address with it is for all
 *  who work there. @throws unavailable. */
export async function knowInstallation(address: ServerAddress): Promise<KnownDatabase> {
  return know(address, () => [SQL.knownInstallation]);
}

/** Of a database whose metadata was opened: what is known of it already, and which shard it is.
 *  @throws unavailable. */
export async function knowMetadata(address: ServerAddress): Promise<KnownDatabase> {
  return know(address, (tables) => {
    const isNew = address.known === undefined && tables.has('installation');
    return [...(isNew ? [SQL.knownInstallation] : []), SQL.knownMetadata];
  });
}

async function know(
  address: ServerAddress, choose: (tables: ReadonlySet<string>) => readonly NamedSql[],
): Promise<KnownDatabase> {
  return withSession(address, 'read', async (session) => {
    const { tables } = await lookAtDatabase(session, WORDS);
    const facts = choose(tables).map(({ text }) => statements.get(text));
    return knowDatabase(session, { facts, tables, before: address.known });
  });
}
