/** Everything that has to be looked at before the store works on a database. */
import { HoldfastError } from '../../../base/errors.ts';
import {
  ask, lookAtDatabase, withSession,
} from '../../../platform/mariadb/index.ts';
import type { ServerAddress, Session } from '../../../platform/mariadb/index.ts';
import {
  FIRST_ROWS, IDENTITY_MARIADB_FORMAT, IDENTITY_TABLES, META_SQL, createIdentityTable,
} from './identity-schema.ts';
import { WORDS } from './mariadb-identity-database.ts';

const FORMAT = 'format';
const OP = `${WORDS.op}.open`;
/** Writers of whom nothing was heard for so long are forgotten. One that comes back is entered
 *  anew. */
const WRITER_KEEP_S = 30 * 24 * 60 * 60;

/** @throws HoldfastError as MariadbIdentityStore.open; the driver's error. */
export async function ensureIdentityTables(address: ServerAddress, create: boolean): Promise<void> {
  const isMade = await withSession(address, 'write', async (session) => {
    const { tables } = await lookAtDatabase(session, { ...WORDS, op: OP });
    if (!tables.has('identity_meta')) return false;
    const [[format] = []] = await ask(session, META_SQL.findIdentityFact, FORMAT);
    if (format === undefined) return false;
    if (Number(format) > IDENTITY_MARIADB_FORMAT) throw tooNew(Number(format));
    await ask(session, META_SQL.forgetIdentityWriters, WRITER_KEEP_S);
    return true;
  });
  if (isMade) return;
  if (!create) {
    throw new HoldfastError('not-found', OP, 'There are no users in this database. Name the right '
      + 'one, or restore it from a backup.', { code: 'identity-missing' });
  }
  await withSession(address, 'schema', makeTables);
}

/** Several may do this at once: each step is calm when it was done, and the format comes last, so
 *  tables without it are some that are being made. */
async function makeTables(session: Session): Promise<void> {
  await lookAtDatabase(session, { ...WORDS, op: OP });
  for (const [name, columns] of Object.entries(IDENTITY_TABLES)) {
    await session.run(createIdentityTable(name, columns, session.collation));
  }
  for (const text of FIRST_ROWS) await session.run(text);
  await ask(session, META_SQL.addIdentityFact, FORMAT, String(IDENTITY_MARIADB_FORMAT));
}

function tooNew(format: number): HoldfastError {
  return new HoldfastError('invalid', OP, 'The user database was written by a newer version. Start '
    + 'that version.', { code: 'format-newer', facts: { format } });
}
