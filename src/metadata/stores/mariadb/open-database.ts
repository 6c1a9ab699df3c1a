/** Everything that has to be looked at before a store may work on a database. */
import { lookAtDatabase, namedTable, Session } from '../../../platform/mariadb/index.ts';
import type { ServerAddress, SessionMode } from '../../../platform/mariadb/index.ts';
import { ensureSchema } from './create-schema.ts';
import { WORDS, explainedFault } from './faults.ts';
import { TABLE_KEYS } from './schema.ts';

/** Writers of whom nothing was heard for so long are forgotten. One that comes back is entered
 *  anew. */
const WRITER_KEEP_S = 30 * 24 * 60 * 60;
const SQL = namedTable({
  listSilentWriters: 'SELECT id FROM writer WHERE seen_s < UNIX_TIMESTAMP() - ?',
  /** Unless it has come back. */
  forgetWriter: 'DELETE FROM writer WHERE id = ? AND seen_s < UNIX_TIMESTAMP() - ?',
}, { owner: 'metadata.open', tables: TABLE_KEYS });

async function forgetWriters(session: Session): Promise<void> {
  const { rows } = await session.execute(SQL.listSilentWriters.text, [WRITER_KEEP_S]);
  for (const [id] of rows as [string][]) {
    await session.execute(SQL.forgetWriter.text, [id, WRITER_KEEP_S]);
  }
}

/** @throws HoldfastError: see MariadbMetadataStore.open. */
export async function openDatabase(
  address: ServerAddress, { create, shard }: { create: boolean; shard: number },
): Promise<void> {
  await withSession(address, 'schema', async (session) => {
    await ensureSchema(session, { create, shard, ...await lookAtDatabase(session, WORDS) });
    await forgetWriters(session);
  });
}

/** A session for one purpose, which is committed behind it. @throws HoldfastError. */
export async function withSession<T>(
  address: ServerAddress, mode: SessionMode, act: (session: Session) => Promise<T>,
): Promise<T> {
  try {
    const session = await Session.open(address, mode);
    try {
      const answer = await act(session);
      await session.run('COMMIT');
      return answer;
    } finally {
      await session.end();
    }
  } catch (error) {
    throw explainedFault(error);
  }
}
