/** The tables of a MariaDB database, as its information schema tells them. */
import { inOurWords } from '../../../platform/mariadb/index.ts';
import { ordered } from '../../catalogue.ts';
import type { Catalogue, ColumnShape, IndexShape, TableShape } from '../../catalogue.ts';

const TABLES = `/* holdfast:listTables */ SELECT table_name, engine, row_format, table_collation
  FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'`;
const COLUMNS = `/* holdfast:listColumns */ SELECT table_name, column_name, column_type,
  is_nullable, column_default, collation_name FROM information_schema.columns
  WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position`;
const INDEXES = `/* holdfast:listIndexes */ SELECT table_name, index_name, column_name, non_unique
  FROM information_schema.statistics
  WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index`;

/** MariaDB shows `bigint(20)`, MySQL `bigint`: the width says nothing. */
export function plainType(type: string): string {
  return type.toLowerCase().replace(/\b((?:tiny|small|medium|big)?int)\(\d+\)/, '$1');
}

export function tableTraits(engine: string, rowFormat: string, collation: string): string {
  return `${engine} ${rowFormat} ${collation}`.toLowerCase();
}

export async function readMariadbCatalogue(
  query: (text: string) => Promise<unknown[][]>,
): Promise<Catalogue> {
  const tables = await query(TABLES);
  const columns = Map.groupBy(await query(COLUMNS), ([table]) => table);
  const indexes = Map.groupBy(await query(INDEXES), ([table]) => table);
  return ordered(tables.map(([name, engine, rowFormat, collation]): TableShape => ({
    name: String(name),
    traits: tableTraits(String(engine), String(rowFormat), inOurWords(String(collation))),
    columns: (columns.get(name) ?? []).map(toColumn), indexes: toIndexes(indexes.get(name) ?? []),
  })));
}

/** MariaDB writes the default of a column that may be empty as NULL. */
function toColumn([, name, type, isNullable, given, collation]: unknown[]): ColumnShape {
  return {
    name: String(name), type: plainType(String(type)), isNullable: isNullable === 'YES',
    default: given === null || given === 'NULL' ? null : (given as string),
    collation: collation === null ? '' : inOurWords(collation as string),
  };
}

function toIndexes(rows: readonly unknown[][]): IndexShape[] {
  return [...Map.groupBy(rows, ([, index]) => index)].map(([name, parts]) => ({
    name: String(name), columns: parts.map(([, , column]) => String(column)),
    isUnique: Number(parts[0]?.[3]) === 0,
  }));
}
