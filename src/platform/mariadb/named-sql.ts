/**
 * Statements by name. Both SQL stores share most of their text, which gives values by place (`?`,
 * `?1`) or by name (`@space`); a MariaDB server knows places only, so the text is rewritten once,
 * when the table of statements is read, and the values are brought into that order at each call.
 */
import { assert } from '../../base/assert.ts';
import { statements } from '../sql/statement-registry.ts';
import type { StatementOwner } from '../sql/statement-registry.ts';
import { tableKeys } from '../sql/table-keys.ts';
import type { Tables } from '../sql/table-keys.ts';

export type SqlValue = number | string | null | Uint8Array;

/** Where the value of one place comes from: the arguments by number, or a named one. */
type Slot = number | string;

export interface NamedSql {
  readonly name: string;
  /** As it is registered and sent. It begins with a comment of its owner, name and fingerprint, so
   *  that the server's own lists tell who asks. */
  readonly text: string;
  readonly slots: readonly Slot[];
  /** Tables that it reads or writes. */
  readonly tables: readonly string[];
}

const PLACE = /\?(\d+)?|(?<!@)@([a-z_]+)/g;
const TABLE = /\b(?:FROM|JOIN|STRAIGHT_JOIN|INTO|UPDATE)\s+([a-z_]+)/g;

/** Registers a statement: only registered ones are sent. @throws SqlRefusal: the guard refuses it,
 *  see src/platform/sql/statement-guard.ts. */
export function namedSql(name: string, sql: string, owner: StatementOwner): NamedSql {
  const slots: Slot[] = [];
  let next = 0;
  const places = sql.replaceAll(PLACE, (_, number?: string, word?: string) => {
    if (word !== undefined) slots.push(word);
    else if (number !== undefined) slots.push(Number(number) - 1);
    else slots.push(next++);
    return '?';
  });
  const tables = [...new Set([...sql.matchAll(TABLE)].map(([, table = '']) => table))];
  const { text } = statements.enter(name, places.replaceAll(/\s+/g, ' ').trim(), owner);
  return { name, text, slots, tables };
}

/** Of all statements of a table. */
export interface TableOwner<Name extends string> {
  /** For example `metadata.writer`. */
  readonly owner: string;
  /** Keys of the tables that are written to: see keysOf. */
  readonly tables: Tables;
  /** For writes that are not searched by a whole key: how many rows each may touch at most. */
  readonly rows?: Partial<Record<Name, number>>;
  /** For writes that are searched by no key: why that is safe. They need `rows` too. */
  readonly withoutKey?: Partial<Record<Name, string>>;
}

/** The rules for one of them. */
export function ownerOf<Name extends string>(
  { owner, tables, rows, withoutKey }: TableOwner<Name>, name: Name,
): StatementOwner {
  const rowsPerKey = rows?.[name];
  const why = withoutKey?.[name];
  return {
    owner, tables, ...(rowsPerKey !== undefined && { rowsPerKey }),
    ...(why !== undefined && { withoutKey: why }),
  };
}

export function namedTable<Name extends string>(
  sql: Readonly<Record<Name, string>>, owner: TableOwner<NoInfer<Name>>,
): Readonly<Record<Name, NamedSql>> {
  const entries = Object.entries<string>(sql).map(([name, text]) =>
    [name, namedSql(name, text, ownerOf(owner, name as Name))]);
  return Object.fromEntries(entries) as Record<Name, NamedSql>;
}

/** @param tables by name, what stands between the brackets of its CREATE TABLE. */
export function keysOf(tables: Readonly<Record<string, string>>): Tables {
  return new Map(Object.entries(tables).map(([name, columns]) => [name, tableKeys(columns)]));
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
