/**
 * Sessions that write have the server itself refuse what changes rows without searching a key
 * (error 1175): a second pair of eyes behind our own guard, which has read the text, not the plan.
 *
 * The server takes a join with rows of values for a scan, and refuses that too. So statements of
 * which the guard knows that they join, and the few that need no key, are sent with that look
 * switched off, for them alone.
 */
import type { Dialect } from './dialect.ts';
import type { RegisteredStatement } from '../sql/statement-registry.ts';

const MARK_END = '*/ ';
/** For each dialect as many as are registered. */
const texts = new WeakMap<Dialect, Map<string, string>>();

/** The text of a statement in a session that writes. */
export function safelySent(
  { looksKeyless, text }: RegisteredStatement, dialect: Dialect,
): string {
  if (!looksKeyless) return text;
  const ofDialect = texts.get(dialect) ?? new Map<string, string>();
  texts.set(dialect, ofDialect);
  const known = ofDialect.get(text);
  if (known !== undefined) return known;
  const at = text.indexOf(MARK_END) + MARK_END.length;
  const sent = text.slice(0, at) + dialect.unlooked(text.slice(at));
  ofDialect.set(text, sent);
  return sent;
}
