/** Whoever alters the tables of a database, or says of it that it is left, does so under one lock
 *  of the server: so what is said of a database holds until a statement that was begun after a look
 *  at it has ended, however long whoever began it has slept in between. The server lets go of the
 *  lock when the connection ends, and not before the statement that runs on it. */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';

/** One statement without values; the rows that it answers. */
export type AskRows = (text: string) => Promise<unknown[][]>;

/** One for each database of the server, whatever its name: locks belong to the whole server. Their
 *  names are short, and MySQL has no MD5 any more. */
function lockOf(database: string): string {
  return `holdfast_schema_${createHash('md5').update(database).digest('hex')}`;
}

/** May be done again within `act`, on the same connection.
 *  @throws busy `schema-locked`: somebody else has it; as `act`. */
export async function underSchemaLock<T>(
  ask: AskRows, { op, waitS }: { op: string; waitS: number }, act: () => Promise<T>,
): Promise<T> {
  const [[database] = []] = await ask('/* holdfast:getDatabase */ SELECT DATABASE()');
  const lock = lockOf(String(database));
  const [[taken] = []] = await ask(
    `/* holdfast:lockSchema */ SELECT GET_LOCK('${lock}', ${waitS})`);
  if (Number(taken) !== 1) {
    throw new HoldfastError('busy', op, 'Somebody else is altering the tables of this database: '
      + 'holdfast schema, or a server that starts. Try again when that has ended; is it one that '
      + `stands still, SELECT IS_USED_LOCK('${lock}') there says which connection to end (KILL).`,
    { code: 'schema-locked' });
  }
  try {
    return await act();
  } finally {
    await ask(`/* holdfast:unlockSchema */ SELECT RELEASE_LOCK('${lock}')`);
  }
}
