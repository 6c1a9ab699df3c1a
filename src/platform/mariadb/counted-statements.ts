/** What goes out on a session: registered statements, each counted with the time it took. */
import { fingerprintOf } from '../sql/fingerprint.ts';
import { currentRequest } from '../sql/request-mark.ts';
import { markOf, statements } from '../sql/statement-registry.ts';
import type { RegisteredStatement } from '../sql/statement-registry.ts';
import { statementTally } from '../sql/statement-tally.ts';
import type { StatementCount } from '../sql/statement-tally.ts';

/** Of what sessions say by themselves. */
export const SESSION_OWNER = { owner: 'session', tables: new Map() };

/** Of this thread, by text. */
const COUNTS = new Map<string, StatementCount>();

function countOf({ name, fingerprint, text }: RegisteredStatement): StatementCount {
  const known = COUNTS.get(text);
  if (known !== undefined) return known;
  const count = statementTally.countOf(name, fingerprint);
  COUNTS.set(text, count);
  return count;
}

export async function counted<T extends { rows: unknown[][]; changes: number }>(
  statement: RegisteredStatement, ask: () => Promise<T>,
): Promise<T> {
  const count = countOf(statement);
  const begunMs = performance.now();
  try {
    const answer = await ask();
    count.note(performance.now() - begunMs, answer.rows.length + answer.changes);
    return answer;
  } catch (error) {
    count.noteError(performance.now() - begunMs);
    throw error;
  }
}

/** Of a statement that went with others. */
export function noteAnswer(
  statement: RegisteredStatement, tookMs: number,
  answer?: { rows: unknown[][]; changes: number },
): void {
  const count = countOf(statement);
  if (answer === undefined) count.noteError(tookMs);
  else count.note(tookMs, answer.rows.length + answer.changes);
}

const ENDS: ReadonlyMap<string, RegisteredStatement> = new Map(['COMMIT', 'ROLLBACK'].map((text) =>
  [text, statements.enter(text.toLowerCase(), text, SESSION_OWNER)]));

/** The end of a transaction, which says for which request that was. It passes as text anyway; what
 *  is prepared could not say it. */
export function endNamed(text: string): RegisteredStatement | undefined {
  const end = ENDS.get(text);
  return end && { ...end, text: `${text} ${markOf(end.name, end.fingerprint, currentRequest())}` };
}

/** What changes the schema is told apart by its form alone. */
export function unregistered(text: string): RegisteredStatement {
  const fingerprint = fingerprintOf(text);
  const name = 'schema.text';
  return {
    name, fingerprint, kind: 'session', rowsMax: 0, looksKeyless: false,
    text: `${markOf(name, fingerprint)} ${text}`,
  };
}
