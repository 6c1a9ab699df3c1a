/**
 * Judges the text of a statement before it may ever be sent: one statement of the SQL that is known
 * here, no change of the schema, no condition that holds for every row, and no change of rows that
 * are not searched by a key. It is an allow-list: what it does not understand it refuses.
 *
 * A text is judged once, when it is registered, so this may take its time (tens of microseconds).
 */
import { chosenOf } from './chosen-rows.ts';
import { checkCondition, checkInner, checkQuery, checkSources } from './conditions.ts';
import { SqlRefusal } from './sql-refusal.ts';
import { StatementParser } from './statement-parser.ts';
import type { Expression, Query, Source, Statement } from './syntax.ts';
import { within } from './syntax.ts';
import type { Tables } from './table-keys.ts';

export type StatementKind = 'read' | 'write' | 'session';

export interface Judgement {
  readonly kind: StatementKind;
  /** More affected rows than these are refused after it ran; 0 for what changes none. */
  readonly rowsMax: number;
  /** To a server that asks for keys itself: it changes rows that it finds by other rows, of tables
   *  or of values, which servers take for a scan, or its owner says why it needs no key. */
  readonly looksKeyless: boolean;
}

export interface StatementRules {
  readonly tables: Tables;
  /** For writes by a part of a key: rows that each search may find. Left out, only whole keys
   *  will do. */
  readonly rowsPerKey?: number;
  /** Why this write needs no key: its table is small and read whole. Then `rowsPerKey` bounds it.
   */
  readonly withoutKey?: string;
  /** Why this one may remove rows that stand in the way of what it puts. */
  readonly mayReplace?: string;
}

/** An update of a row that is there counts as two. */
const PER_UPSERT = 2;

/** @throws SqlRefusal, and nothing else. */
export function judge(text: string, rules: StatementRules): Judgement {
  const statement = StatementParser.parse(text);
  const looksKeyless = (statement.kind === 'update' || statement.kind === 'delete')
    && (joins(statement) || rules.withoutKey !== undefined);
  return { looksKeyless, ...judgeKind(statement, rules) };
}

function judgeKind(statement: Statement, rules: StatementRules): Omit<Judgement, 'looksKeyless'> {
  switch (statement.kind) {
    case 'session': return { kind: 'session', rowsMax: 0 };
    case 'read':
      checkQuery(rules.tables, statement.query);
      return { kind: 'read', rowsMax: 0 };
    case 'insert': return { kind: 'write', rowsMax: rowsInserted(statement, rules) };
    case 'update': return { kind: 'write', rowsMax: rowsUpdated(statement, rules) };
    case 'delete': return { kind: 'write', rowsMax: rowsDeleted(statement, rules) };
  }
}

function joins({ sources, where }: Update | Delete): boolean {
  return sources.length > 1 || sources.some(({ query }) => query !== undefined)
    || (where !== undefined && [...within(where)].some(({ kind }) => kind === 'query'));
}

type Insert = Extract<Statement, { kind: 'insert' }>;
type Update = Extract<Statement, { kind: 'update' }>;
type Delete = Extract<Statement, { kind: 'delete' }>;

function needTable({ tables }: StatementRules, table: string): void {
  if (tables.has(table)) return;
  throw new SqlRefusal('table', 'it writes to a table whose keys the registry does not know');
}

function rowsInserted(
  { table, tuples, query, onDuplicate, isReplacing = false }: Insert, rules: StatementRules,
): number {
  needTable(rules, table);
  if (isReplacing) return rowsReplaced(rules, table, tuples.length);
  for (const value of [...tuples.flat(), ...onDuplicate.map(({ value: each }) => each)]) {
    checkInner(rules.tables, value);
  }
  const times = onDuplicate.length > 0 ? PER_UPSERT : 1;
  if (query === undefined) return tuples.length * times;
  checkQuery(rules.tables, query);
  return rowsOfQuery(query, rules) * times;
}

/** Each row may take the place of one for every unique key. */
function rowsReplaced(
  { tables, mayReplace }: StatementRules, table: string, rowCount: number,
): number {
  if (mayReplace === undefined) throw new SqlRefusal('words', 'it replaces rows unseen');
  const uniqueKeys = tables.get(table)?.keys.filter(({ isUnique }) => isUnique) ?? [];
  return rowCount * (1 + uniqueKeys.length);
}

/** What is copied from tables must be searched as what is changed is. */
function rowsOfQuery({ selects, named }: Query, rules: StatementRules): number {
  if (named.length > 0) throw new SqlRefusal('words', 'it copies rows from a WITH');
  let rows = 0;
  for (const { sources, where } of selects) {
    rows += sources.length === 0 ? 1 : rowsChosen(rules, sources, where);
  }
  return rows;
}

function rowsUpdated(
  { sources, assignments, where, limit }: Update, rules: StatementRules,
): number {
  for (const { value } of assignments) checkInner(rules.tables, value);
  const targets = targetsOf(sources, assignments.map(({ column }) => column.of));
  return rowsWritten(limited(rules, limit), { targets, sources, where });
}

function rowsDeleted(
  { targets: named, sources, where, limit }: Delete, rules: StatementRules,
): number {
  const targets = targetsOf(sources, named);
  return rowsWritten(limited(rules, limit), { targets, sources, where });
}

/** A limit that is written out says how many rows as well as its owner would. */
function limited(rules: StatementRules, limit: number | undefined): StatementRules {
  return limit === undefined ? rules : { ...rules, rowsPerKey: limit };
}

/** By the names that a statement gives them; the only table needs none. */
function targetsOf(sources: readonly Source[], named: readonly string[]): Source[] {
  const [only] = sources;
  if (sources.length === 1 && only !== undefined) return [only];
  const names = new Set(named.map((name) => name.toLowerCase()));
  const targets = sources.filter(({ alias }) => names.has(alias.toLowerCase()));
  if (targets.length === names.size && targets.length > 0) return targets;
  throw new SqlRefusal('table', 'it does not say which of its tables it writes to');
}

interface Written {
  readonly targets: readonly Source[];
  readonly sources: readonly Source[];
  readonly where: Expression | undefined;
}

function rowsWritten(rules: StatementRules, { targets, sources, where }: Written): number {
  const { tables } = rules;
  for (const { table } of targets) needTable(rules, table);
  const scope = { tables, sources, isWrite: true };
  checkSources(scope);
  if (where === undefined && sources.every(({ on }) => on === undefined)) {
    throw new SqlRefusal('where', 'it writes without a WHERE');
  }
  if (where !== undefined) {
    checkCondition(scope, where);
    checkInner(tables, where);
  }
  return rowsChosen(rules, sources, where) * targets.length;
}

function rowsChosen(
  { tables, rowsPerKey, withoutKey }: StatementRules, sources: readonly Source[],
  where: Expression | undefined,
): number {
  const { chosen, whole } = chosenOf(tables, sources, where);
  if (whole === undefined && withoutKey === undefined) {
    throw new SqlRefusal('key', 'it writes rows that are not searched by a key');
  }
  if (whole?.rowsMax !== undefined) return whole.rowsMax;
  if (rowsPerKey === undefined) {
    throw new SqlRefusal('rows', 'it may write many rows, and does not say how many at most');
  }
  let rows = rowsPerKey;
  for (const { rowsMax = 1 } of chosen.values()) rows *= rowsMax;
  return rows;
}
