/**
 * Lines of text of which each carries a SHA-256 over the one before: none can be changed, taken out
 * or put in between without changing every hash behind it. What is missing at the end has to be
 * known from elsewhere.
 *
 *     <hash> <text>\n      hash = SHA-256(hash of the line before + ' ' + text), in hexadecimal
 */
import { hash } from 'node:crypto';

/** What the first line goes on from. */
export const ZERO_HASH = '0'.repeat(64);
/** Not `.`, which stops at the line ends of Unicode: names of files may hold those. */
const LINE = /^([0-9a-f]{64}) ([^\n]+)$/;

/** `text` holds no line end. Answers the line with its end, and what the next one goes on from. */
export function chainLine(text: string, previous: string): { line: string; hash: string } {
  const chained = hash('sha256', `${previous} ${text}`);
  return { line: `${chained} ${text}\n`, hash: chained };
}

/** One line without its end; undefined when it does not go on from `previous`. */
export function unchainLine(
  line: string, previous: string,
): { text: string; hash: string } | undefined {
  const [, chained = '', text = ''] = LINE.exec(line) ?? [];
  if (text === '' || hash('sha256', `${previous} ${text}`) !== chained) return undefined;
  return { text, hash: chained };
}
