/** Everything that has to be looked at before a store may work on a database. */
import { checkSettings, readSettings, Session } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ensureSchema } from './create-schema.ts';
import { explainedFault } from './faults.ts';

/** Writers of whom nothing was heard for so long are forgotten. One that comes back is entered
 *  anew. */
const WRITER_KEEP_S = 30 * 24 * 60 * 60;
const FORGET_WRITERS = `/* holdfast:forgetWriters */ DELETE FROM writer
  WHERE seen_s < UNIX_TIMESTAMP() - ?`;

/** @throws HoldfastError: see MariadbMetadataStore.open. */
export async function openDatabase(address: ServerAddress, create: boolean): Promise<void> {
  try {
    const session = await Session.open(address, 'schema');
    try {
      const settings = await readSettings(session);
      checkSettings(settings);
      await ensureSchema(session, { create, isMariadb: settings.version.includes('MariaDB') });
      await session.execute(FORGET_WRITERS, [WRITER_KEEP_S]);
      await session.run('COMMIT');
    } finally {
      await session.end();
    }
  } catch (error) {
    throw explainedFault(error);
  }
}
