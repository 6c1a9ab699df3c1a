/**
 * The tables of a shard as its database describes them, in a form that is the same for the same
 * tables: so that two can be compared by a digest, and what differs can be named.
 */
import { createHash } from 'node:crypto';
import type { Effect, Engine } from './change.ts';

export interface ColumnShape {
  readonly name: string;
  /** In small letters, without display widths. */
  readonly type: string;
  readonly isNullable: boolean;
  /** As SQL, or null for none. */
  readonly default: string | null;
  /** Character set and collation; empty for numbers, bytes and SQLite. */
  readonly collation: string;
}

export interface IndexShape {
  /** `PRIMARY` for the key of the table. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly isUnique: boolean;
}

export interface TableShape {
  readonly name: string;
  /** Engine, row format and collation; for SQLite whether it has rowids. */
  readonly traits: string;
  /** In their order. */
  readonly columns: readonly ColumnShape[];
  /** By name. */
  readonly indexes: readonly IndexShape[];
}

/** Ordered by name. */
export type Catalogue = readonly TableShape[];

/** Tables of the runner itself: they come with its first run, so not all shards have them. */
export const OWN_TABLES: ReadonlySet<string> = new Set([
  'schema_run', 'schema_change', 'schema_shard_run', 'schema_pause',
]);

export interface Drift {
  readonly table: string;
  readonly column?: string;
  readonly index?: string;
  /** For people: `is missing`. */
  readonly problem: string;
}

export function byName<T extends { readonly name: string }>(a: T, b: T): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

export function ordered(tables: Iterable<TableShape>): Catalogue {
  return [...tables].filter(({ name }) => !OWN_TABLES.has(name)).sort(byName)
    .map((table) => ({ ...table, indexes: table.indexes.toSorted(byName) }));
}

/** SHA-256, hexadecimal. */
export function digestOf(catalogue: Catalogue): string {
  const hash = createHash('sha256');
  for (const table of catalogue) {
    hash.update(`table ${table.name} (${table.traits})\n`);
    for (const column of table.columns) {
      hash.update(`column ${column.name} ${columnText(column)}\n`);
    }
    for (const index of table.indexes) hash.update(`index ${index.name} ${indexText(index)}\n`);
  }
  return hash.digest('hex');
}

function columnText({ type, isNullable, default: given, collation }: ColumnShape): string {
  return [
    type, isNullable ? 'NULL' : 'NOT NULL', ...(given === null ? [] : [`DEFAULT ${given}`]),
    ...(collation === '' ? [] : [collation]),
  ].join(' ');
}

function indexText({ columns, isUnique }: IndexShape): string {
  return `${isUnique ? 'UNIQUE ' : ''}(${columns.join(', ')})`;
}

/** Whether a catalogue shows what a step leaves behind. */
export function isDone({ table, column, index, type, isGone }: Effect, {
  catalogue, engine,
}: { catalogue: Catalogue; engine: Engine }): boolean {
  const there = catalogue.find(({ name }) => name === table);
  const wantsGone = isGone === true;
  if (column === undefined && index === undefined) return wantsGone === (there === undefined);
  if (there === undefined) return wantsGone;
  if (index !== undefined) {
    return wantsGone !== there.indexes.some(({ name }) => name === index);
  }
  const found = there.columns.find(({ name }) => name === column);
  if (type !== undefined && found !== undefined) return found.type === type[engine];
  return wantsGone !== (found !== undefined);
}

/** What differs, table by table, column by column. Empty when the digests agree. */
export function differences(golden: Catalogue, actual: Catalogue): Drift[] {
  return pairs(golden, actual).flatMap(([table, wanted, found]): Drift[] => {
    if (found === undefined) return [{ table, problem: 'is missing' }];
    if (wanted === undefined) return [{ table, problem: 'is not known to this program' }];
    return [
      ...(wanted.traits === found.traits ? []
        : [{ table, problem: `is ${found.traits}; it should be ${wanted.traits}` }]),
      ...columnDifferences(wanted, found), ...indexDifferences(wanted, found),
    ];
  });
}

function columnDifferences(wanted: TableShape, found: TableShape): Drift[] {
  const table = wanted.name;
  const differ = pairs(wanted.columns, found.columns).flatMap(([column, ours, theirs]): Drift[] => {
    const problem = problemOf(ours, theirs, columnText);
    return problem === undefined ? [] : [{ table, column, problem }];
  });
  if (differ.length > 0) return differ;
  const at = wanted.columns.findIndex(({ name }, place) => found.columns[place]?.name !== name);
  const column = found.columns[at]?.name;
  return column === undefined ? [] : [{ table, column, problem: 'stands in another place' }];
}

function indexDifferences(wanted: TableShape, found: TableShape): Drift[] {
  return pairs(wanted.indexes, found.indexes).flatMap(([index, ours, theirs]): Drift[] => {
    const problem = problemOf(ours, theirs, indexText);
    return problem === undefined ? [] : [{ table: wanted.name, index, problem }];
  });
}

function problemOf<T>(
  wanted: T | undefined, found: T | undefined, text: (one: T) => string,
): string | undefined {
  if (found === undefined) return 'is missing';
  if (wanted === undefined) return 'is not known to this program';
  const [should, is] = [text(wanted), text(found)];
  return should === is ? undefined : `is ${is}; it should be ${should}`;
}

function pairs<T extends { readonly name: string }>(
  wanted: readonly T[], found: readonly T[],
): [name: string, wanted: T | undefined, found: T | undefined][] {
  const names = [...new Set([...wanted, ...found].map(({ name }) => name))].sort();
  return names.map((name) => [
    name, wanted.find((one) => one.name === name), found.find((one) => one.name === name),
  ]);
}

/** The same without what steps make or take away that may or may not have been done. */
export function without(catalogue: Catalogue, effects: readonly Effect[]): Catalogue {
  return effects.reduce((left, effect) => leaveOut(left, effect), catalogue);
}

function leaveOut(catalogue: Catalogue, { table, column, index, type }: Effect): Catalogue {
  if (column === undefined && index === undefined) {
    return catalogue.filter(({ name }) => name !== table);
  }
  return catalogue.map((shape) => {
    if (shape.name !== table) return shape;
    if (type !== undefined) {
      const columns = shape.columns.map((one) => (
        one.name === column ? { ...one, type: 'of either type' } : one));
      return { ...shape, columns };
    }
    return {
      ...shape, columns: shape.columns.filter(({ name }) => name !== column),
      indexes: shape.indexes.filter(({ name }) => name !== index),
    };
  });
}
