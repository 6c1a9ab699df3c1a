/** Findings that somebody has looked into and that count no more: why, who says so, since when. */
import { HoldfastError } from '../../base/errors.ts';
import type { VerifyStore } from './verify-store.ts';

export interface Explanation {
  why: string;
  /** The account of the machine under which it was said. */
  who: string;
  atMs: number;
}

/** Of the text, in characters. */
const WHY_MAX = 1_000;
const OP = 'durability/explainFinding';

/** The finding counts no more, also when it is seen again.
 *  @throws not-found: there is no such finding; invalid: the text is empty or too long. */
export function explainFinding(
  store: VerifyStore, findingId: number, { why, who, atMs }: Explanation,
): void {
  const text = why.trim();
  if (text === '' || text.length > WHY_MAX) {
    const message = `Say why in a few words, at most ${WHY_MAX} characters.`;
    throw new HoldfastError('invalid', OP, message);
  }
  store.together(() => {
    store.setState(findingId, 'explained', atMs);
    const explanation: Explanation = { why: text, who, atMs };
    store.putNote('explained', `${findingId}`, explanation);
  });
}

/** It counts again. @throws not-found. */
export function reopenFinding(store: VerifyStore, findingId: number, atMs: number): void {
  store.together(() => {
    store.setState(findingId, 'open', atMs);
    store.dropNote('explained', `${findingId}`);
  });
}

export function findExplanation(store: VerifyStore, findingId: number): Explanation | undefined {
  return store.findNote('explained', `${findingId}`) as Explanation | undefined;
}
