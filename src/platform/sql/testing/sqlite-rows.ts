/** Tables of a SQLite file, their keys, and rows to fill them with. */
import Database from 'better-sqlite3';
import { namedSql, statements } from '../../mariadb/index.ts';
import type { SqliteText } from '../sqlite-texts.ts';
import type { TableKey, TableKeys, Tables } from '../table-keys.ts';

export type SqliteFile = Database.Database;

export function openSqlite(file: string): SqliteFile {
  return new Database(file);
}

interface Column {
  name: string;
  type: string;
  notnull: number;
  pk: number;
}

const columnsOf = (database: SqliteFile, table: string): Column[] =>
  database.pragma(`table_info(${table})`) as Column[];

export function tablesOf(database: SqliteFile): string[] {
  return database.prepare<[], string>(`SELECT name FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`).pluck().all();
}

/** As the guard of statements wants to know them. */
export function keysOfFile(database: SqliteFile): Tables {
  return new Map(tablesOf(database).map((table) => [table, keysOfTable(database, table)]));
}

function keysOfTable(database: SqliteFile, table: string): TableKeys {
  const columns = columnsOf(database, table);
  const primary = columns.filter(({ pk }) => pk > 0).toSorted((one, other) => one.pk - other.pk);
  const keys: TableKey[] = primary.length === 0 ? []
    : [{ columns: primary.map(({ name }) => name), isUnique: true }];
  const indexes = database.pragma(`index_list(${table})`) as
    { name: string; unique: number; origin: string; partial: number }[];
  for (const { name, unique, origin, partial } of indexes) {
    if (origin === 'pk' || partial === 1) continue;
    const found = database.pragma(`index_info(${name})`) as { name: string }[];
    keys.push({ columns: found.map((column) => column.name), isUnique: unique === 1 });
  }
  const neverNull = columns.filter(({ notnull, pk }) => notnull === 1 || pk > 0);
  return { keys, neverNull: new Set(neverNull.map(({ name }) => name)) };
}

/** Rows that differ in all columns, as far as its checks allow. */
export function fill(
  database: SqliteFile, table: string, { rows, values = {} }: {
    rows: number; values?: Readonly<Record<string, string>>;
  },
): void {
  const columns = columnsOf(database, table);
  const made = columns.map(({ name, type }) => {
    if (values[name] !== undefined) return values[name];
    if (/INT/i.test(type)) return 'seq';
    return /BLOB/i.test(type) ? 'CAST(seq AS BLOB)' : "'k' || seq";
  });
  database.exec(`INSERT OR IGNORE INTO ${table} (${columns.map(({ name }) => name).join(', ')})
    WITH RECURSIVE numbers (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM numbers
      WHERE seq < ${rows}) SELECT ${made.join(', ')} FROM numbers`);
}

/** SQLite's words in those of servers, which the guard knows. */
function inServersWords(text: string): string {
  return text.replace(/ON CONFLICT \([^)]*\) DO UPDATE\s+SET/, 'ON DUPLICATE KEY UPDATE')
    .replace(/ON CONFLICT \([^)]*\) DO NOTHING/, '')
    .replace(/(ON DUPLICATE KEY UPDATE[^]*?)\sWHERE[^]*$/, '$1')
    .replace(/\sRETURNING[^]*$/, '')
    .replaceAll(/\bexcluded\.(\w+)/g, 'VALUES($1)').replaceAll(/@\w+/g, '?')
    .replace('INSERT OR REPLACE', 'REPLACE');
}

/** How many rows the guard works out that it may write, where each search may find `rowsMax`; 0: it
 *  writes nothing. Servers count twice what takes the place of a row. @throws SqlRefusal. */
export function rowsByGuard(name: string, { text, rowsMax }: SqliteText, tables: Tables): number {
  const words = inServersWords(text);
  const named = namedSql(name, words, {
    owner: 'tests.sqlite', tables, rowsPerKey: rowsMax, mayReplace: 'as its table has one key',
  });
  const judged = statements.get(named.text);
  if (words.includes('ON DUPLICATE')) return judged.rowsMax / 2;
  const [table] = words.startsWith('REPLACE') ? named.tables : [];
  const uniqueKeys = tables.get(table ?? '')?.keys.filter(({ isUnique }) => isUnique) ?? [];
  return judged.rowsMax / (1 + uniqueKeys.length);
}
