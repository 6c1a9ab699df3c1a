/**
 * How many rows a statement that writes can touch, as far as its text tells: each table that it
 * changes must be searched by a key, with values that are given or come from rows which are few
 * themselves.
 */
import type { Expression, Query, Source } from './syntax.ts';
import { within } from './syntax.ts';
import type { TableKeys, Tables } from './table-keys.ts';

/** What the conditions say of one source's columns. */
interface Pins {
  /** Have one value each. */
  readonly equal: ReadonlySet<string>;
  /** Have one of some values, or lie between two. */
  readonly some: ReadonlySet<string>;
  /** Columns that have, together, one of so many rows of values. */
  readonly rows?: { readonly columns: ReadonlySet<string>; readonly count: number };
}

const NO_PINS: Pins = { equal: new Set(), some: new Set() };

export interface Chosen {
  /** Rows of this source: a number when the text tells, undefined when a key leaves it open. */
  readonly rowsMax: number | undefined;
}

function joined(all: readonly Pins[]): Pins {
  const rows = all.find((pins) => pins.rows !== undefined)?.rows;
  return {
    ...(rows !== undefined && { rows }),
    equal: new Set(all.flatMap(({ equal }) => [...equal])),
    some: new Set(all.flatMap(({ some }) => [...some])),
  };
}

/** Only what every one says. */
function common(all: readonly Pins[]): Pins {
  const [first = NO_PINS, ...others] = all;
  const any = ({ equal, some }: Pins): Set<string> => new Set([...equal, ...some]);
  const isAll = (column: string): boolean => others.every((other) => any(other).has(column));
  return { equal: new Set(), some: new Set([...any(first)].filter(isAll)) };
}

class Choice {
  readonly #sources: readonly Source[];
  readonly #tables: Tables;
  /** Sources that have been found to give few rows, with how many. */
  readonly #chosen = new Map<string, Chosen>();

  constructor(tables: Tables, sources: readonly Source[]) {
    this.#tables = tables;
    this.#sources = sources;
  }

  #isOf(column: Expression, source: Source): boolean {
    if (column.of !== '') return column.of.toLowerCase() === source.alias.toLowerCase();
    return this.#sources.length === 1;
  }

  /** A value that is given, or comes from rows that are few. */
  #isGiven(value: Expression): boolean {
    const parts = [...within(value)];
    if (parts.some(({ kind }) => kind === 'query' || kind === 'any')) return false;
    return parts.filter(({ kind }) => kind === 'column').every(({ of }) =>
      of !== '' && this.#chosen.has(of.toLowerCase()));
  }

  /** A literal alone bounds nothing: it would hold for as many rows as there are. */
  #isBound(value: Expression): boolean {
    return this.#isGiven(value) && [...within(value)].some(({ kind }) =>
      kind === 'place' || kind === 'column');
  }

  #pinsOf(condition: Expression, source: Source): Pins {
    const { kind, word, parts } = condition;
    if (kind !== 'operator') return NO_PINS;
    if (word === 'AND') return joined(parts.map((part) => this.#pinsOf(part, source)));
    if (word === 'OR') return common(parts.map((part) => this.#pinsOf(part, source)));
    const [left, right] = parts;
    if (left === undefined || right === undefined) return NO_PINS;
    if (word === '=' || word === '<=>') return this.#equal(source, left, right);
    if (left.kind === 'list' && word === 'IN') return this.#rows(source, left, right);
    const isOurs = left.kind === 'column' && this.#isOf(left, source);
    return isOurs ? this.#someOf(condition, left.word.toLowerCase()) : NO_PINS;
  }

  /** Of one column: one of some values, or between two. */
  #someOf({ word, parts }: Expression, column: string): Pins {
    const [, right, high = right] = parts;
    if (right === undefined || high === undefined) return NO_PINS;
    const some: Pins = { equal: new Set(), some: new Set([column]) };
    if (word === 'IN' && right.query !== undefined) {
      return this.#lookAtQuery(right.query) === undefined ? NO_PINS : some;
    }
    if (word === 'IN') {
      return right.kind === 'list' && right.parts.every((part) => this.#isGiven(part))
        ? { ...some, rows: { columns: some.some, count: right.parts.length } } : NO_PINS;
    }
    const isRange = word === 'BETWEEN' || word === '<' || word === '<=';
    return isRange && this.#isBound(right) && this.#isBound(high) ? some : NO_PINS;
  }

  /** Several columns at once, compared with rows of values. A server finds many rows by that, and
   *  scans the table for one: MariaDB does when it deletes or updates. */
  #rows(source: Source, left: Expression, right: Expression): Pins {
    const isOurs = left.parts.every((part) => part.kind === 'column' && this.#isOf(part, source));
    const isGiven = right.kind === 'list' && right.parts.every((row) => this.#isGiven(row));
    if (!isOurs || !isGiven || right.parts.length === 1) return NO_PINS;
    const some = new Set(left.parts.map(({ word }) => word.toLowerCase()));
    return { equal: new Set(), some, rows: { columns: some, count: right.parts.length } };
  }

  #equal(source: Source, left: Expression, right: Expression): Pins {
    const isOurs = (side: Expression): boolean =>
      side.kind === 'column' && this.#isOf(side, source);
    const [ours, other] = isOurs(left) ? [left, right] : [right, left];
    if (!isOurs(ours) || !this.#isGiven(other)) return NO_PINS;
    return { equal: new Set([ours.word.toLowerCase()]), some: new Set() };
  }

  #look(source: Source, conditions: readonly Expression[]): Chosen | undefined {
    if (source.query !== undefined) return this.#lookAtQuery(source.query);
    const keys = this.#tables.get(source.table);
    if (keys === undefined) return undefined;
    const own = source.isOptional ? [] : conditions;
    const all = source.on === undefined ? own : [...own, source.on];
    const pins = joined(all.map((condition) => this.#pinsOf(condition, source)));
    return chosenBy(keys, pins);
  }

  /** Rows of what is joined so far. */
  #product(): number | undefined {
    let rows: number | undefined = 1;
    for (const { rowsMax } of this.#chosen.values()) {
      rows = rows === undefined || rowsMax === undefined ? undefined : rows * rowsMax;
    }
    return rows;
  }

  #lookAtQuery({ selects, named }: Query): Chosen | undefined {
    if (named.length > 0) return undefined;
    if (selects.length === 0) return { rowsMax: undefined }; // As many as a value has.
    let rowsMax: number | undefined = 0;
    for (const { sources, where } of selects) {
      const rows = sources.length === 0 ? { rowsMax: 1 }
        : chosenOf(this.#tables, sources, where)?.whole;
      if (rows === undefined) return undefined;
      rowsMax = rowsMax === undefined || rows.rowsMax === undefined ? undefined
        : rowsMax + rows.rowsMax;
    }
    return { rowsMax };
  }

  /** Again and again, since one source may be found by another that comes later. */
  run(where: Expression | undefined): ReadonlyMap<string, Chosen> {
    const conditions = [...where === undefined ? [] : [where],
      ...this.#sources.flatMap(({ on, isOptional }) =>
        (on === undefined || isOptional ? [] : [on]))];
    for (let isMore = true; isMore;) {
      isMore = false;
      for (const source of this.#sources) {
        const alias = source.alias.toLowerCase();
        if (this.#chosen.has(alias)) continue;
        const found = this.#look(source, conditions);
        if (found === undefined) continue;
        this.#chosen.set(alias, found);
        isMore = true;
      }
    }
    return this.#chosen;
  }

  get whole(): Chosen {
    return { rowsMax: this.#product() };
  }
}

/** Of each row that it is joined with. */
function chosenBy({ keys }: TableKeys, { equal, some, rows }: Pins): Chosen | undefined {
  const isOne = keys.some(({ columns, isUnique }) =>
    isUnique && columns.every((column) => equal.has(column)));
  if (isOne) return { rowsMax: 1 };
  const areFew = rows !== undefined && keys.some(({ columns, isUnique }) =>
    isUnique && columns.every((column) => equal.has(column) || rows.columns.has(column)));
  if (areFew) return { rowsMax: rows.count };
  const isSearched = keys.some(({ columns: [first = ''] }) => equal.has(first) || some.has(first));
  return isSearched ? { rowsMax: undefined } : undefined;
}

/** By alias in small letters, those sources of which few rows are taken; `whole` only when that is
 *  so of all of them: rows of the join. */
export function chosenOf(
  tables: Tables, sources: readonly Source[], where: Expression | undefined,
): { chosen: ReadonlyMap<string, Chosen>; whole: Chosen | undefined } {
  const choice = new Choice(tables, sources);
  const chosen = choice.run(where);
  const isAll = sources.every(({ alias }) => chosen.has(alias.toLowerCase()));
  return { chosen, whole: isAll ? choice.whole : undefined };
}
