/**
 * All words on the screen. A text is a sentence with `{names}` to fill in, or one sentence for each
 * plural form of `count`. Another language is another table with the same keys.
 */
import { ACCOUNT_TEXTS } from './en/account.ts';
import { ADMIN_TEXTS } from './en/admin.ts';
import { ADMIN_PEOPLE_TEXTS } from './en/admin-people.ts';
import { ACTIVITY_TEXTS } from './en/activity.ts';
import { FILES_TEXTS } from './en/files.ts';
import { PREVIEW_TEXTS } from './en/preview.ts';
import { SEARCH_TEXTS } from './en/search.ts';
import { SHARING_TEXTS } from './en/sharing.ts';
import { SHELL_TEXTS } from './en/shell.ts';
import { SAFETY_TEXTS } from './en/safety.ts';
import { TIME_TEXTS } from './en/time.ts';
import { TRANSFER_TEXTS } from './en/transfer.ts';
import { TRASH_TEXTS } from './en/trash.ts';

export interface PluralText {
  readonly one: string;
  readonly other: string;
}

const ENGLISH = {
  ...ACCOUNT_TEXTS, ...ADMIN_PEOPLE_TEXTS, ...ADMIN_TEXTS, ...FILES_TEXTS, ...PREVIEW_TEXTS,
  ...SAFETY_TEXTS, ...SEARCH_TEXTS, ...SHARING_TEXTS, ...SHELL_TEXTS, ...TIME_TEXTS,
  ...TRANSFER_TEXTS, ...TRASH_TEXTS, ...ACTIVITY_TEXTS,
} as const;

export type TextKey = keyof typeof ENGLISH;
type Fill = Readonly<Record<string, string | number>>;

export const LANGUAGE = 'en';
const plurals = new Intl.PluralRules(LANGUAGE);
const numbers = new Intl.NumberFormat(LANGUAGE);

/** The text with its names filled in. Numbers are written as the language writes them. */
export function t(key: TextKey, fill: Fill = {}): string {
  const text: string | PluralText = ENGLISH[key];
  const form = typeof text === 'string' ? text : text[pluralForm(fill['count'])];
  return form.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = fill[name] ?? '';
    return typeof value === 'number' ? numbers.format(value) : value;
  });
}

function pluralForm(count: string | number | undefined): keyof PluralText {
  return plurals.select(Number(count ?? 0)) === 'one' ? 'one' : 'other';
}
