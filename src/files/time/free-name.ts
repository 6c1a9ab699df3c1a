/** Names for what comes back where its own name is taken. Pure. */
import { NAME_BYTES_MAX, canonicalName, parseName } from '../../base/names.ts';
import type { CasePolicy, Name } from '../../base/names.ts';
import { HoldfastError } from '../../base/errors.ts';

const TRIES_MAX = 10_000;

/** `report (restored 2026-11-20).pdf`, and with a number where that is taken too. The ending stays,
 *  so that programs still know the file; a long name is cut before it. */
export function freeName(
  name: string, remark: string, isTaken: (name: Name) => boolean,
): Name {
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let number = 1; number <= TRIES_MAX; number += 1) {
    const addition = number === 1 ? ` (${remark})` : ` (${remark}, ${number})`;
    const candidate = parseName(fitted(stem, addition + ending));
    if (!isTaken(candidate)) return candidate;
  }
  const message = 'No free name was found for what should come back. Rename something first.';
  throw new HoldfastError('conflict', 'files/freeName', message, { code: 'name-clash' });
}

function fitted(stem: string, rest: string): string {
  const room = NAME_BYTES_MAX - Buffer.byteLength(rest);
  const letters = [...stem];
  while (letters.length > 0 && Buffer.byteLength(letters.join('')) > room) letters.pop();
  return letters.join('') + (room > 0 ? rest : rest.slice(-NAME_BYTES_MAX));
}

/** The day of an instant in UTC, for people: `restored 2026-11-20`. */
export function restoredOn(at: number): string {
  return `restored ${new Date(at).toISOString().slice(0, 10)}`;
}

/** Whether a name clashes with one of these canonical names. */
export function clashesWith(
  taken: ReadonlySet<string>, policy: CasePolicy,
): (name: string) => boolean {
  return (name) => taken.has(canonicalName(name, policy));
}
