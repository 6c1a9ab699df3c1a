/** Everything that has to be looked at before a store may work on a database. */
import { ensureSchema } from './create-schema.ts';
import { explainedFault } from './faults.ts';
import { checkSettings, readSettings } from './server-settings.ts';
import { Session } from './session.ts';
import type { ServerAddress } from './session.ts';

/** Writers of whom nothing was heard for so long are forgotten: their rows have no more use. */
const WRITER_KEEP_MS = 30 * 24 * 60 * 60 * 1_000;

export interface Opening {
  create: boolean;
  /** Under which the writer is entered. */
  writerId: string;
  at: number;
}

/** @throws HoldfastError: see MariadbMetadataStore.open. */
export async function openDatabase(address: ServerAddress, opening: Opening): Promise<void> {
  const { create, writerId, at } = opening;
  try {
    const session = await Session.open(address, 'write');
    try {
      const settings = await readSettings(session);
      checkSettings(settings);
      await ensureSchema(session, { create, isMariadb: settings.version.includes('MariaDB') });
      await session.execute('/* holdfast:forgetWriters */ DELETE FROM writer WHERE opened_at < ?',
        [at - WRITER_KEEP_MS]);
      await session.execute('/* holdfast:addWriter */ INSERT INTO writer (id, batch, opened_at) '
        + 'VALUES (?, 0, ?)', [writerId, at]);
      await session.run('COMMIT');
    } finally {
      await session.end();
    }
  } catch (error) {
    throw explainedFault(error);
  }
}
