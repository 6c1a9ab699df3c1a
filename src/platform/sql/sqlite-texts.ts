/**
 * The statements of a store in a SQLite file, as a table: all of them are prepared when it opens.
 * Each run is counted, and may write no more rows than stand beside its text. What writes more is
 * undone: with the transaction that it is part of, or alone where it is part of none.
 */
import type { Database } from 'better-sqlite3';
import { countedStatement } from './counted-statement.ts';
import type { RunStatement } from './counted-statement.ts';
import { checkRows } from './sql-refusal.ts';

interface HowToRun {
  /** How many rows a run may write. */
  readonly rowsMax: number;
  /** A row is an object of its columns, an array of them, or the value of the only one. */
  readonly rowAs: 'object' | 'array' | 'value';
}

export interface SqliteText<Bind extends unknown[] = never, Row = unknown> extends HowToRun {
  readonly text: string;
  /** Never there: by it the compiler knows the types. */
  readonly types?: (...bind: Bind) => Row;
}

/** One row, where nothing else is said. */
export function sqliteText<Bind extends unknown[] = unknown[], Row = never>(
  text: string, { rowsMax = 1, rowAs = 'object' }: Partial<HowToRun> = {},
): SqliteText<Bind, Row> {
  return { text, rowsMax, rowAs };
}

export type SqliteTexts = Readonly<Record<string, SqliteText>>;

export type PreparedTexts<Texts extends SqliteTexts> = {
  readonly [Name in keyof Texts]: Texts[Name] extends SqliteText<infer Bind, infer Row>
    ? RunStatement<Bind, Row> : never;
};

/** @param owner in front of each name: `durability.gc`. @throws the driver's error. */
export function prepareTexts<Texts extends SqliteTexts>(
  database: Database, owner: string, texts: Texts,
): PreparedTexts<Texts> {
  const together = database.transaction(<T>(act: () => T): T => act());
  const undoable = <T>(act: () => T): T => (
    database.inTransaction ? act() : together.immediate(act) as T);
  const entries = Object.entries<SqliteText>(texts).map(([name, text]) =>
    [name, prepareOne(database, `${owner}.${name}`, text, undoable)]);
  return Object.fromEntries(entries) as PreparedTexts<Texts>;
}

function prepareOne(
  database: Database, name: string, { text, rowsMax, rowAs }: SqliteText,
  undoable: <T>(act: () => T) => T,
): RunStatement {
  const statement = database.prepare<unknown[]>(text);
  if (rowAs === 'array' && statement.reader) statement.raw(true);
  if (rowAs === 'value' && statement.reader) statement.pluck(true);
  if (statement.readonly) return countedStatement(name, text, statement);
  const counted = countedStatement(name, text, statement, rowsMax);
  // What answers the rows that it writes is known by those.
  const all = (...values: unknown[]): unknown[] => undoable(() => {
    const rows = counted.all(...values);
    checkRows(name, rows.length, rowsMax);
    return rows;
  });
  return {
    all,
    get: (...values) => all(...values)[0],
    run: (...values) => undoable(() => counted.run(...values)),
  };
}
