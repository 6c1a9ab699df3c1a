/** A session for one piece of work. */
import { valuesFor } from './named-sql.ts';
import type { NamedSql, SqlValue } from './named-sql.ts';
import { Session } from './session.ts';
import type { ServerAddress } from './session.ts';

/** The rows that a statement answers, each an array of its columns. */
export async function ask(
  session: Session, statement: NamedSql, ...values: SqlValue[]
): Promise<unknown[][]> {
  return (await session.execute(statement.text, valuesFor(statement, values))).rows;
}

/** What `act` did is committed once this has resolved; the session ends in any case. */
export async function withSession<T>(
  address: ServerAddress, mode: 'write' | 'schema', act: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await Session.open(address, mode);
  try {
    const result = await act(session);
    await session.run('COMMIT');
    return result;
  } finally {
    await session.end();
  }
}
