/** Everything that has to be looked at before a store may work on a database. */
import { lookAtDatabase, Session } from '../../../platform/mariadb/index.ts';
import type { ServerAddress, SessionMode } from '../../../platform/mariadb/index.ts';
import { ensureSchema } from './create-schema.ts';
import { WORDS, explainedFault } from './faults.ts';

/** Writers of whom nothing was heard for so long are forgotten. One that comes back is entered
 *  anew. */
const WRITER_KEEP_S = 30 * 24 * 60 * 60;
const FORGET_WRITERS = `/* holdfast:forgetWriters */ DELETE FROM writer
  WHERE seen_s < UNIX_TIMESTAMP() - ?`;

/** @throws HoldfastError: see MariadbMetadataStore.open. */
export async function openDatabase(
  address: ServerAddress, { create, shard }: { create: boolean; shard: number },
): Promise<void> {
  await withSession(address, 'schema', async (session) => {
    await ensureSchema(session, { create, shard, ...await lookAtDatabase(session, WORDS) });
    await session.execute(FORGET_WRITERS, [WRITER_KEEP_S]);
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
