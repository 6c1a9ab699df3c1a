/**
 * Conditions that look as if they chose rows and choose all of them, or do not depend on rows at
 * all. Such a condition is never meant; where it is found, a value or a name has gone missing.
 */
import { SqlRefusal } from './sql-refusal.ts';
import type { Expression, Query, Select, Source } from './syntax.ts';
import { textOf, within } from './syntax.ts';
import type { Tables } from './table-keys.ts';

const COMPARING: ReadonlySet<string> = new Set([
  '=', '<=>', '<>', '<', '<=', '>', '>=', 'LIKE', 'IN', 'BETWEEN', 'IS NULL', 'IS NOT NULL',
]);

const OPPOSITES: Readonly<Record<string, string>> = {
  '=': '<>', '<': '>=', '>': '<=', 'IS NULL': 'IS NOT NULL',
};

export interface ConditionScope {
  readonly tables: Tables;
  readonly sources: readonly Source[];
  /** In a statement that writes, each condition has to look at a row. */
  readonly isWrite: boolean;
}

/** @throws SqlRefusal: some part of the condition is always or never true. */
export function checkCondition(scope: ConditionScope, condition: Expression): void {
  const { kind, word, parts } = condition;
  if (kind === 'operator' && (word === 'AND' || word === 'OR' || word === 'NOT')) {
    for (const part of parts) checkCondition(scope, part);
    if (word === 'OR') checkOpposites(parts);
    return;
  }
  if (kind === 'operator' && word === 'EXISTS') {
    checkExists(scope, condition);
    return;
  }
  if (kind === 'operator' && COMPARING.has(word)) {
    checkComparison(scope, condition);
    return;
  }
  const isTruthOfColumn = kind === 'column' && !scope.isWrite;
  if (!isTruthOfColumn) throw tautology('a value stands in place of a condition');
}

function tautology(what: string): SqlRefusal {
  return new SqlRefusal('tautology', `${what}, so it does not choose rows`);
}

function columnsIn(expression: Expression): Expression[] {
  return [...within(expression)].filter(({ kind }) => kind === 'column');
}

function hasQuery(expression: Expression): boolean {
  return [...within(expression)].some(({ kind }) => kind === 'query');
}

function isPlace(expression: Expression): boolean {
  return [...within(expression)].some(({ kind }) => kind === 'place');
}

function checkExists({ isWrite }: ConditionScope, { parts: [inner] }: Expression): void {
  const selects = inner?.query?.selects ?? [];
  const isEmpty = selects.some(({ sources, where }) => sources.length === 0 || where === undefined);
  if (isEmpty || isWrite) throw tautology('EXISTS asks for no row in particular');
}

function checkComparison(scope: ConditionScope, comparison: Expression): void {
  const { word, parts } = comparison;
  const [left, ...others] = parts as [Expression, ...Expression[]];
  checkDependence(scope, comparison);
  const ours = new Set(columnsIn(left).map(textOf));
  for (const other of others) {
    if (textOf(other) === textOf(left) && ours.size > 0) throw tautology('it compares alike');
    for (const each of other.kind === 'list' ? other.parts : [other]) {
      const theirs = new Set(columnsIn(each).map(textOf));
      const isSame = theirs.size === 1 && ours.size === 1
        && [...theirs].every((text) => ours.has(text));
      if (isSame) throw tautology('it compares a column with itself');
    }
  }
  if (word === 'LIKE' && /^(['"])%*\1$/.test(others[0]?.word ?? '')) {
    throw tautology('LIKE takes everything');
  }
  if (word === 'IS NOT NULL' && isNeverNull(scope, left)) {
    throw tautology('a column that is never NULL is asked not to be');
  }
}

/** A comparison of values alone is the same for every row. A reader may compare what it is given:
 *  so an optional filter is written. */
function checkDependence({ isWrite }: ConditionScope, comparison: Expression): void {
  if (columnsIn(comparison).length > 0 || hasQuery(comparison)) return;
  const isGiven = isPlace(comparison) && !isWrite;
  if (!isGiven) throw tautology('it compares values with values');
}

function isNeverNull({ tables, sources }: ConditionScope, column: Expression): boolean {
  if (column.kind !== 'column') return column.kind !== 'call';
  const name = column.word.toLowerCase();
  return sources.some(({ table, alias, isOptional }) => {
    const isOurs = column.of === '' || column.of.toLowerCase() === alias.toLowerCase();
    return isOurs && !isOptional && tables.get(table)?.neverNull.has(name) === true;
  });
}

function checkOpposites(arms: readonly Expression[]): void {
  const said = new Set(arms.map(meaningOf));
  for (const arm of arms) {
    const meaning = meaningOf(arm);
    const isBoth = said.has(`NOT(${meaning})`) || Object.entries(OPPOSITES).some(([one, other]) =>
      meaning.startsWith(`${one}(`) && said.has(meaning.replace(one, other)));
    if (isBoth) throw tautology('it takes what is so and what is not');
  }
}

function meaningOf(arm: Expression): string {
  return textOf(arm);
}

/** Every condition in a query and in what lies within it. */
export function checkQuery(tables: Tables, query: Query): void {
  for (const named of query.named) checkQuery(tables, named.query);
  for (const select of query.selects) checkSelect(tables, select);
}

function checkSelect(tables: Tables, { columns, sources, where, having }: Select): void {
  const scope = { tables, sources, isWrite: false };
  checkSources(scope);
  for (const column of columns) checkInner(tables, column);
  for (const condition of [where, having]) {
    if (condition === undefined) continue;
    checkCondition(scope, condition);
    checkInner(tables, condition);
  }
}

/** Conditions of joins, and queries that stand in place of tables. */
export function checkSources(scope: ConditionScope): void {
  for (const { on, query } of scope.sources) {
    if (query !== undefined) checkQuery(scope.tables, query);
    if (on === undefined) continue;
    checkCondition(scope, on);
    checkInner(scope.tables, on);
  }
}

/** Queries within an expression. */
export function checkInner(tables: Tables, top: Expression): void {
  for (const { query } of within(top)) if (query !== undefined) checkQuery(tables, query);
}
