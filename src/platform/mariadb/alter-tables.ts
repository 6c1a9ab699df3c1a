/** Statements that make or drop triggers, or alter tables, one after the other. Each waits until
 *  nobody has a transaction open in which the table was used, and while it waits nobody else can
 *  begin to use the table: so none waits for long. */
import { HoldfastError } from '../../base/errors.ts';
import { LOCK_WAIT, explainedFault, serverFault } from './faults.ts';
import type { DatabaseWords } from './faults.ts';
import { Session } from './session.ts';
import type { ServerAddress } from './session.ts';

export interface AlterOptions {
  readonly words: DatabaseWords;
  /** Of each statement, for transactions of others. */
  readonly waitS: number;
}

/** What was done before a failure stays: so let each be one that may be done twice.
 *  @throws busy `table-in-use`; as any statement. */
export async function alterTables(
  address: ServerAddress, texts: readonly string[], { words, waitS }: AlterOptions,
): Promise<void> {
  try {
    const session = await Session.open(address, 'schema');
    try {
      await session.run(`SET SESSION lock_wait_timeout = ${waitS}`);
      for (const text of texts) await session.run(text);
    } finally {
      await session.end();
    }
  } catch (error) {
    if (serverFault(error)?.errno === LOCK_WAIT) throw inUse(error, { words, waitS });
    throw explainedFault(error, words);
  }
}

function inUse(cause: unknown, { words: { op, database }, waitS }: AlterOptions): HoldfastError {
  return new HoldfastError('busy', op, 'Somebody has a transaction open that keeps a table of the '
    + `${database} from being altered; ${waitS} s were waited for it. The server shows whose it `
    + 'is: SELECT trx_mysql_thread_id, trx_started, trx_query FROM information_schema.innodb_trx. '
    + 'Try again when it has ended, or end it there (KILL).', { code: 'table-in-use', cause });
}
