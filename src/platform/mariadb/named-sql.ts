/**
 * Statements by name. Both SQL stores share most of their text, which gives values by place (`?`,
 * `?1`) or by name (`@space`); a MariaDB server knows places only, so the text is rewritten once,
 * when the table of statements is read, and the values are brought into that order at each call.
 */
import { assert } from '../../base/assert.ts';

export type SqlValue = number | string | null | Uint8Array;

/** Where the value of one place comes from: the arguments by number, or a named one. */
type Slot = number | string;

export interface NamedSql {
  readonly name: string;
  /** Begins with a comment of the name, so that the server's own lists tell who asks. */
  readonly text: string;
  readonly slots: readonly Slot[];
  /** Tables that it reads or writes. */
  readonly tables: readonly string[];
}

const PLACE = /\?(\d+)?|@([a-z_]+)/g;
const TABLE = /\b(?:FROM|JOIN|STRAIGHT_JOIN|INTO|UPDATE)\s+([a-z_]+)/g;

export function namedSql(name: string, sql: string): NamedSql {
  const slots: Slot[] = [];
  let next = 0;
  const places = sql.replaceAll(PLACE, (_, number?: string, word?: string) => {
    if (word !== undefined) slots.push(word);
    else if (number !== undefined) slots.push(Number(number) - 1);
    else slots.push(next++);
    return '?';
  });
  const tables = [...new Set([...sql.matchAll(TABLE)].map(([, table = '']) => table))];
  return {
    name, text: `/* holdfast:${name} */ ${places.replaceAll(/\s+/g, ' ').trim()}`, slots, tables,
  };
}

export function namedTable<Name extends string>(
  sql: Readonly<Record<Name, string>>,
): Readonly<Record<Name, NamedSql>> {
  const entries = Object.entries<string>(sql).map(([name, text]) => [name, namedSql(name, text)]);
  return Object.fromEntries(entries) as Record<Name, NamedSql>;
}

/** The arguments of a call in the order of the statement's places. Lists are taken apart; a record
 *  gives named values. */
export function valuesFor({ name, slots }: NamedSql, args: readonly unknown[]): SqlValue[] {
  const placed: unknown[] = [];
  let named: Readonly<Record<string, unknown>> = {};
  for (const arg of args) {
    if (Array.isArray(arg)) placed.push(...arg as unknown[]);
    else if (isRecord(arg)) named = arg;
    else placed.push(arg);
  }
  return slots.map((slot) => {
    const value = typeof slot === 'number' ? placed[slot] : named[slot];
    assert(isValue(value), `the statement ${name} has all its values`);
    return value;
  });
}

function isRecord(arg: unknown): arg is Readonly<Record<string, unknown>> {
  return typeof arg === 'object' && arg !== null && !(arg instanceof Uint8Array);
}

function isValue(value: unknown): value is SqlValue {
  return value === null || typeof value === 'string' || typeof value === 'number'
    || value instanceof Uint8Array;
}
