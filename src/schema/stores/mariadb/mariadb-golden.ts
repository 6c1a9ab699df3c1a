/** What a database shows that was made by our CREATE TABLE statements, worked out from their text:
 *  the checker needs no second server. It reads the little of SQL that those statements use. */
import { HoldfastError } from '../../../base/errors.ts';
import { ordered } from '../../catalogue.ts';
import type { Catalogue, ColumnShape, IndexShape, TableShape } from '../../catalogue.ts';
import { plainType, tableTraits } from './mariadb-catalogue.ts';

const PRIMARY = /^PRIMARY KEY \((.+)\)$/i;
const KEY = /^(UNIQUE )?KEY (\w+) \((.+)\)$/i;
const COLUMN = new RegExp('^(\\w+) (\\w+(?:\\(\\d+\\))?)( NOT NULL| NULL)?(?: DEFAULT (\\S+))?'
  + '(?: AUTO_INCREMENT)?$', 'i');
const TEXTS = /^(varchar|char|text|mediumtext|longtext)/;

/** By name of the table: what stands between the parentheses. */
export function mariadbGolden(
  tables: Readonly<Record<string, string>>, collation: string,
): Catalogue {
  return ordered(Object.entries(tables).map(([name, text]): TableShape => {
    const columns: ColumnShape[] = [];
    const indexes: IndexShape[] = [];
    for (const part of partsOf(text)) {
      const index = indexOf(part);
      if (index === undefined) columns.push(columnOf(name, part, collation));
      else indexes.push(index);
    }
    return { name, traits: tableTraits('InnoDB', 'Dynamic', collation), columns, indexes };
  }));
}

/** At commas that stand in no parentheses. */
function partsOf(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim().replaceAll(/\s+/g, ' '));
}

function indexOf(part: string): IndexShape | undefined {
  const primary = PRIMARY.exec(part)?.[1];
  if (primary !== undefined) {
    return { name: 'PRIMARY', columns: primary.split(/, ?/), isUnique: true };
  }
  const [, unique, name, columns] = KEY.exec(part) ?? [];
  if (name === undefined || columns === undefined) return undefined;
  return { name, columns: columns.split(/, ?/), isUnique: unique !== undefined };
}

function columnOf(table: string, part: string, collation: string): ColumnShape {
  const [, name, written = '', nullness = '', given] = COLUMN.exec(part) ?? [];
  if (name === undefined) {
    throw new HoldfastError('internal', 'schema/mariadbGolden',
      `This part of the table ${table} cannot be read: ${part}`);
  }
  const type = plainType(written);
  return {
    name, type, isNullable: nullness.trim().toUpperCase() !== 'NOT NULL',
    default: given ?? null, collation: TEXTS.test(type) ? collation : '',
  };
}
