/**
 * What tells statements apart by their form: the first eight digits of the SHA-256 of a normal form
 * without comments, blanks, values and capitals, in which a list of a hundred values is one of one.
 * Nothing that people have written can be read from it.
 */
import { createHash } from 'node:crypto';
import { SqlRefusal } from './sql-refusal.ts';
import { tokensOf } from './tokens.ts';
import type { Token } from './tokens.ts';

const FINGERPRINT_CHARS = 8;

function plain({ kind, value, raw }: Token): string {
  if (kind === 'number' || kind === 'text' || kind === 'place') return '?';
  return kind === 'word' ? value.toLowerCase() : raw.toLowerCase();
}

/** Lists of values, rows of values, and rows that are made by UNION, each as one. */
const REPEATED: readonly (readonly [RegExp, string])[] = [
  [/\?(?: , \?)+/g, '?+'],
  [/\( \?\+? \)(?: , \( \?\+? \))+/g, '( ?+ )'],
  [/(?: union all select \?\+?)+(?= \))/g, ' union all select ?+'],
];

/** @throws SqlRefusal. */
export function normalForm(text: string): string {
  let form = tokensOf(text).map(plain).join(' ');
  for (const [pattern, one] of REPEATED) form = form.replaceAll(pattern, one);
  return form;
}

/** Also of what the guard does not understand, such as pragmas. */
export function fingerprintOf(text: string): string {
  return createHash('sha256').update(formOf(text)).digest('hex').slice(0, FINGERPRINT_CHARS);
}

function formOf(text: string): string {
  try {
    return normalForm(text);
  } catch (error) {
    if (error instanceof SqlRefusal) return text.replaceAll(/\s+/g, ' ').trim();
    throw error;
  }
}
