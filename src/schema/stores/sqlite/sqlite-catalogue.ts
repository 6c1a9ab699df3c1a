/** The tables of an SQLite file, as its own schema table and pragmas tell them. */
import Database from 'better-sqlite3';
import { ordered } from '../../catalogue.ts';
import type { Catalogue, ColumnShape, IndexShape, TableShape } from '../../catalogue.ts';

const TABLES = `/* holdfast:listTables */ SELECT name, wr, strict FROM pragma_table_list
  WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'`;
const COLUMNS = `/* holdfast:listColumns */ SELECT name, lower(type), "notnull", dflt_value, pk
  FROM pragma_table_info(?) ORDER BY cid`;
const INDEXES = `/* holdfast:listIndexes */ SELECT name, "unique", origin
  FROM pragma_index_list(?)`;
const INDEX_COLUMNS = `/* holdfast:listIndexColumns */ SELECT name FROM pragma_index_info(?)
  ORDER BY seqno`;

export type Query = (text: string, values?: readonly string[]) => unknown[][];

/** By whatever asks the file. Nothing is changed. */
export function readSqliteCatalogue(query: Query): Catalogue {
  return ordered(query(TABLES).map(([name, withoutRowid, strict]): TableShape => {
    const table = String(name);
    const columns = query(COLUMNS, [table]);
    const traits = [
      Number(withoutRowid) === 1 ? 'without rowid' : 'with rowid',
      ...(Number(strict) === 1 ? ['strict'] : []),
    ];
    return {
      name: table, traits: traits.join(', '), columns: columns.map(toColumn),
      indexes: [...keyOf(columns), ...indexesOf(query, table)],
    };
  }));
}

function toColumn([name, type, isRequired, given]: unknown[]): ColumnShape {
  return {
    name: String(name), type: String(type), isNullable: Number(isRequired) === 0,
    default: given === null ? null : (given as string), collation: '',
  };
}

function keyOf(columns: readonly unknown[][]): IndexShape[] {
  const key = columns.filter((column) => Number(column[4]) > 0)
    .sort((a, b) => Number(a[4]) - Number(b[4]));
  if (key.length === 0) return [];
  return [{ name: 'PRIMARY', columns: key.map(([name]) => String(name)), isUnique: true }];
}

/** Those of unique columns have names that SQLite has made: the columns name them here. */
function indexesOf(query: Query, table: string): IndexShape[] {
  return query(INDEXES, [table]).filter(([, , origin]) => origin !== 'pk')
    .map(([name, isUnique, origin]) => {
      const columns = query(INDEX_COLUMNS, [String(name)]).map(([column]) => String(column));
      const shown = origin === 'u' ? `unique_${columns.join('_')}` : String(name);
      return { name: shown, columns, isUnique: Number(isUnique) === 1 };
    });
}

/** What a file shows that was made by these statements. */
export function sqliteGolden(schema: string): Catalogue {
  const database = new Database(':memory:');
  try {
    database.exec(schema);
    return readSqliteCatalogue((text, values = []) => (
      database.prepare(text).raw().all(...values) as unknown[][]));
  } finally {
    database.close();
  }
}
