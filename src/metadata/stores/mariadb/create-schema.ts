/** Makes the tables of an empty database, or looks whether those that are there are ours. */
import { CANONICAL_VERSION } from '../../../base/names.ts';
import { HoldfastError } from '../../../base/errors.ts';
import { namedTable } from '../../../platform/mariadb/index.ts';
import type { DatabaseFacts, Session } from '../../../platform/mariadb/index.ts';
import { checkShardNumber } from '../../shard-number.ts';
import {
  SCHEMA_VERSION, TABLES, TABLE_KEYS, createTable, firstNumbers,
} from './schema.ts';

const SQL = namedTable({
  putNumber: 'INSERT IGNORE INTO meta (name, value) VALUES (?, ?)',
  getNumber: 'SELECT value FROM meta WHERE name = ?',
  putTurn: 'INSERT IGNORE INTO writer_turn (id, turn, writer) VALUES (1, 0, \'\')',
}, { owner: 'metadata.open', tables: TABLE_KEYS });

function refuse(code: string, message: string): never {
  throw new HoldfastError('invalid', 'metadata/MariadbMetadataStore.open', message, { code });
}

async function numberOf(session: Session, name: string): Promise<number | undefined> {
  const { rows: [row] } = await session.execute(SQL.getNumber.text, [name]);
  return row?.[0] as number | undefined;
}

/** Several may do this at once: each step is calm when it was done, and the version comes last, so
 *  a database without it is one that is being made. */
async function createTables(session: Session, shard: number): Promise<void> {
  for (const [name, columns] of Object.entries(TABLES)) {
    await session.run(createTable(name, columns, session.collation));
  }
  const { putNumber: { text: put }, putTurn } = SQL;
  for (const [name, value] of firstNumbers(shard)) await session.execute(put, [name, value]);
  await session.run(putTurn.text);
  await session.execute(put, ['canonical_version', CANONICAL_VERSION]);
  await session.execute(put, ['schema_version', SCHEMA_VERSION]);
  await session.run('COMMIT');
}

/** @throws not-found `metadata-missing`: its tables are not there, and `create` is false; invalid:
 *  they belong to another version of this program, or to another shard. */
export async function ensureSchema(
  session: Session,
  { create, shard, tables }: DatabaseFacts & { create: boolean; shard: number },
): Promise<void> {
  const isNew = !tables.has('meta');
  if (isNew && !create) {
    throw new HoldfastError('not-found', 'metadata/MariadbMetadataStore.open',
      'There is no metadata in this database. Name the right one, or restore it from a backup.',
      { code: 'metadata-missing' });
  }
  const version = isNew ? undefined : await numberOf(session, 'schema_version');
  if (version === undefined) await createTables(session, shard);
  else if (version !== SCHEMA_VERSION) {
    refuse('metadata-version', `The metadata database has format ${version}; this version of `
      + `Holdfast knows format ${SCHEMA_VERSION}. Start the version that wrote it.`);
  }
  if (await numberOf(session, 'canonical_version') !== CANONICAL_VERSION) {
    refuse('metadata-canonical-version', 'The metadata database was written with other rules for '
      + 'comparing names. Start the version that wrote it.');
  }
  checkShardNumber(await numberOf(session, 'shard'), shard);
  await session.run('COMMIT');
}
