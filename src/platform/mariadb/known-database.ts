/**
 * A database as it was when it was opened: whose it is, and how far it had come. Every connection
 * that is made to it later compares that, and looks at the server's settings once more, before
 * anything is asked of it. So when a server was away and something else answers at its address, a
 * backup that was put back, another installation's database, a replica that lacks what was
 * acknowledged, nobody reads or writes there.
 */
import { HoldfastError } from '../../base/errors.ts';
import { statements } from '../sql/statement-registry.ts';
import type { RegisteredStatement } from '../sql/statement-registry.ts';
import { CHANGED, ServerError, serverFault } from './faults.ts';
import { checkSettings, readSettings } from './server-settings.ts';
import type { Session } from './session.ts';

/** Plain data, so that it can be handed to a thread. */
export interface KnownDatabase {
  /** Answers one row: what never changes, and last a number that never becomes less. */
  readonly statement: RegisteredStatement;
  readonly says: string;
  /** The largest number that was committed as far as this process knows; its threads share it. */
  readonly latest: SharedArrayBuffer;
}

/** No table, no column: it is another database. */
const MISSING = [1054, 1146];

/** @throws the driver's error. */
export async function knowDatabase(
  session: Session, statement: RegisteredStatement,
): Promise<KnownDatabase> {
  const { says, number } = await ask(session, statement);
  const known = { statement, says, latest: new SharedArrayBuffer(8) };
  noteLatest(known, number);
  return known;
}

/** It was committed. Several threads may do this at once. */
export function noteLatest({ latest }: KnownDatabase, number: number): void {
  const view = new BigInt64Array(latest);
  const wanted = BigInt(number);
  for (let seen = Atomics.load(view, 0); seen < wanted;) {
    const found = Atomics.compareExchange(view, 0, seen, wanted);
    if (found === seen) return;
    seen = found;
  }
}

/** Of a new connection; it is in no transaction behind that. @throws ServerError: it is not what it
 *  was, or the server is not safe any more; the driver's error. */
export async function checkKnown(session: Session, known: KnownDatabase): Promise<void> {
  await checkSafe(session);
  // Before it is asked: what is committed meanwhile does not matter.
  const latest = Number(Atomics.load(new BigInt64Array(known.latest), 0));
  const { says, number } = await ask(session, known.statement).catch((error: unknown) => {
    if (MISSING.includes(serverFault(error)?.errno ?? 0)) throw changed(LACKS, error);
    throw error;
  });
  if (says !== known.says) throw changed(`${ANOTHER} (${known.says}; now ${says})`);
  if (number < latest) throw changed(`${OLDER} (change ${number}, and ${latest} was there)`);
}

const PUT_BACK = 'Nothing is read or written there until what was there is back.';
const LACKS = 'the tables that were there are missing';
const ANOTHER = 'it is another one than was there';
const OLDER = 'it is an older state of the one that was there, without changes that were '
  + 'acknowledged: a backup that was put back, or a replica? If this is what is to count, stop all '
  + 'servers of this installation and start them again';

async function checkSafe(session: Session): Promise<void> {
  try {
    checkSettings(await readSettings(session));
  } catch (error) {
    if (error instanceof HoldfastError) throw changed(error.message, error);
    throw error;
  }
}

async function ask(
  session: Session, statement: RegisteredStatement,
): Promise<{ says: string; number: number }> {
  statements.adopt(statement);
  const { rows: [row = []] } = await session.run(statement.text);
  await session.run('COMMIT');
  return { says: row.slice(0, -1).join(' '), number: Number(row.at(-1)) };
}

function changed(what: string, cause?: unknown): ServerError {
  return new ServerError({
    code: 'EDATABASECHANGED', errno: CHANGED, isLost: false,
    message: `is not what it was before the connection was lost: ${what}. ${PUT_BACK}`,
  }, cause);
}
