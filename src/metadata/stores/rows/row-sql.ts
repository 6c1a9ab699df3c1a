/** The SQL that reads and writes rows of tenants, in the words of SQLite and of MariaDB. Texts are
 *  made of the names in `row-tables.ts` alone; values never become part of them. */
import { MARIADB_EXTRAS } from '../../move/row-tables.ts';
import type { RowTable } from '../../move/row-tables.ts';
import type { Part, Row, RowKey, RowRange, RowValue } from '../../move/tenant-rows.ts';

export type Dialect = 'sqlite' | 'mariadb';

/** Notes of a tenant's changes while it moves: forgotten at once in the end. */
export const LOG_ROWS_MAX = 10_000_000;
/** Under a name in the log that stands for no tenant: one, or some of those who came at once. */
export const NAMED_ROWS_MAX = 1_000;

export interface SqlStep {
  text: string;
  values: RowValue[];
  /** As in messages.ts. */
  rowsMax?: number;
  guards?: 'mover' | 'place';
}

function named(dialect: Dialect, name: string, text: string): string {
  const words = text.replaceAll(/\s+/g, ' ').trim();
  return dialect === 'mariadb' ? `/* holdfast:${name} */ ${words}` : words;
}

/** Undefined: such a part has no rows of this table. */
function source(
  { name, of }: RowTable, part: Part,
): { from: string; where: string; values: RowValue[] } | undefined {
  if (part.kind === 'tenant') {
    if (of === 'tenant') return { from: `${name} t`, where: 't.id = ?', values: [part.tenant] };
    if (of !== 'rules') return undefined;
    return { from: `${name} t`, where: 't.scope = ? AND t.id = ?',
      values: ['tenant', part.tenant] };
  }
  const { id, owner } = part;
  switch (of) {
    case 'space': return { from: `${name} t`, where: 't.space_id = ?', values: [id] };
    case 'self': return { from: `${name} t`, where: 't.id = ?', values: [id] };
    case 'owner': return owner === null ? undefined
      : { from: `${name} t`, where: 't.owner = ?', values: [owner] };
    case 'quarantine': return { values: [id], where: 'q.space_id = ?',
      from: `quarantine q JOIN ${name} t ON t.quarantine_id = q.id` };
    case 'grant': return { values: [id, id], where: 't.grant_id = g.id',
      from: `(SELECT id FROM access_grant WHERE space_id = ? UNION
        SELECT id FROM access_grant_past WHERE space_id = ?) g
        JOIN ${name} t ON t.grant_id = g.id` };
    case 'rules': return { from: `${name} t`, where: 't.scope = ? AND t.id = ?',
      values: ['space', String(id)] };
    default: return undefined;
  }
}

/** The columns by which rows of one part are in order. */
function orderOf({ key, of, groupedBy }: RowTable): readonly string[] {
  if (groupedBy !== undefined) return [groupedBy];
  if (of === 'tenant' || of === 'rules' || of === 'self') return [];
  return key[0] === 'space_id' || key[0] === 'owner' ? key.slice(1) : key;
}

/** SQLite finds the place in an index by a comparison of rows, MariaDB by one of columns. */
function bound(
  dialect: Dialect, columns: readonly string[], sign: '>' | '<',
): { text: string; slots: number[] } {
  const names = columns.map((column) => `t.${column}`);
  const all = columns.map((_, at) => at);
  const orEqual = sign === '<';
  if (dialect === 'sqlite' || columns.length === 1) {
    const words = `${sign}${orEqual ? '=' : ''}`;
    const list = names.join(', ');
    const places = names.map(() => '?').join(', ');
    return { text: `(${list}) ${words} (${places})`, slots: all };
  }
  const slots: number[] = [];
  const cases = names.map((name, at) => {
    slots.push(...all.slice(0, at + 1));
    const equal = names.slice(0, at).map((each) => `${each} = ? AND `).join('');
    return `(${equal}${name} ${sign}${orEqual && at === names.length - 1 ? '=' : ''} ?)`;
  });
  return { text: `(${cases.join(' OR ')})`, slots };
}

function bounds(
  dialect: Dialect, table: RowTable, { after, upTo }: Pick<RowRange, 'after' | 'upTo'>,
): { text: string; values: RowValue[] } {
  const order = orderOf(table);
  const texts: string[] = [];
  const values: RowValue[] = [];
  for (const [key, sign] of [[after, '>'], [upTo, '<']] as const) {
    if (key === undefined) continue;
    const { text, slots } = bound(dialect, order, sign);
    texts.push(` AND ${text}`);
    values.push(...slots.map((slot) => key[table.key.indexOf(order[slot] ?? '')] ?? null));
  }
  return { text: texts.join(''), values };
}

export function rangeStep(
  dialect: Dialect, table: RowTable, part: Part, { limit, ...range }: RowRange,
): SqlStep | undefined {
  const rows = source(table, part);
  if (rows === undefined) return undefined;
  const order = orderOf(table);
  // At most one row: whoever has met it has met all.
  if (order.length === 0 && range.after !== undefined) return undefined;
  const within = order.length === 0 ? { text: '', values: [] } : bounds(dialect, table, range);
  const columns = table.columns.map((column) => `t.${column}`).join(', ');
  const sorted = order.length === 0 ? ''
    : `ORDER BY ${order.map((column) => `t.${column}`).join(', ')}`;
  const limited = table.groupedBy === undefined ? ' LIMIT ?' : '';
  return {
    text: named(dialect, 'readTenantRange', `SELECT ${columns} FROM ${rows.from}
      WHERE ${rows.where}${within.text} ${sorted}${limited}`),
    values: [...rows.values, ...within.values, ...(limited === '' ? [] : [limit])],
  };
}

/** The largest value of the grouping column among the next groups. */
export function groupsStep(
  dialect: Dialect, table: RowTable, part: Part, { limit, ...range }: RowRange,
): SqlStep | undefined {
  const rows = source(table, part);
  const { groupedBy } = table;
  if (rows === undefined || groupedBy === undefined) return undefined;
  const within = bounds(dialect, table, range);
  return {
    text: named(dialect, 'readTenantGroups', `SELECT MAX(g) FROM (SELECT t.${groupedBy} AS g
      FROM ${rows.from} WHERE ${rows.where}${within.text}
      GROUP BY t.${groupedBy} ORDER BY t.${groupedBy} LIMIT ?) n`),
    values: [...rows.values, ...within.values, limit],
  };
}

/** How a row is found by its key: on MariaDB a digest stands for texts that no key can hold. */
function keyMatch(
  dialect: Dialect, { name, key }: RowTable,
): { columns: string[]; places: string[]; slots: number[] } {
  const digest = dialect === 'mariadb' ? MARIADB_EXTRAS[name]?.['digest'] : undefined;
  if (digest === undefined) {
    return { columns: [...key], places: key.map(() => '?'), slots: key.map((_, at) => at) };
  }
  const kept = key.filter((column) => !digest.from.includes(column));
  return {
    columns: [...kept, 'digest'],
    places: [...kept.map(() => '?'), digest.sql],
    slots: [...kept, ...digest.from].map((column) => key.indexOf(column)),
  };
}

function whereKeys(
  dialect: Dialect, table: RowTable, keys: readonly RowKey[],
): { text: string; values: RowValue[] } {
  const { columns, places, slots } = keyMatch(dialect, table);
  const values = keys.flatMap((key) => slots.map((slot) => key[slot] ?? null));
  if (columns.length === 1) {
    return { text: `${columns[0]} IN (${keys.map(() => '?').join(', ')})`, values };
  }
  // MariaDB deletes one row that is named as a whole, (a, b) IN ((1, 2)), by a scan of the table.
  if (keys.length === 1) {
    return { text: columns.map((column, at) => `${column} = ${places[at]}`).join(' AND '), values };
  }
  const list = keys.map(() => `(${places.join(', ')})`).join(', ');
  const found = dialect === 'sqlite' ? `(VALUES ${list})` : `(${list})`;
  return { text: `(${columns.join(', ')}) IN ${found}`, values };
}

export function rowsStep(dialect: Dialect, table: RowTable, keys: readonly RowKey[]): SqlStep {
  const { text, values } = whereKeys(dialect, table, keys);
  return { values, text: named(dialect, 'readTenantRows',
    `SELECT ${table.columns.join(', ')} FROM ${table.name} WHERE ${text}`) };
}

export function deleteStep(dialect: Dialect, table: RowTable, keys: readonly RowKey[]): SqlStep {
  const { text, values } = whereKeys(dialect, table, keys);
  return { values, rowsMax: keys.length, text: named(dialect, 'deleteTenantRows',
    `DELETE FROM ${table.name} WHERE ${text}`) };
}

/** Takes the place of every row that one of them would clash with: that is an older state, whose
 *  own key is still to come. */
export function putStep(dialect: Dialect, table: RowTable, rows: readonly Row[]): SqlStep {
  const { name, columns } = table;
  const extras = Object.entries(dialect === 'mariadb' ? MARIADB_EXTRAS[name] ?? {} : {});
  const places = [...columns.map(() => '?'), ...extras.map(([, { sql }]) => sql)].join(', ');
  const made = extras.flatMap(([, { from }]) => from.map((column) => columns.indexOf(column)));
  const words = dialect === 'sqlite' ? 'INSERT OR REPLACE' : 'REPLACE';
  const into = [...columns, ...extras.map(([column]) => column)].join(', ');
  return {
    text: named(dialect, 'putTenantRows',
      `${words} INTO ${name} (${into}) VALUES ${rows.map(() => `(${places})`).join(', ')}`),
    values: rows.flatMap((row) => [...row, ...made.map((at) => row[at] ?? null)]),
    rowsMax: rows.length,
  };
}
