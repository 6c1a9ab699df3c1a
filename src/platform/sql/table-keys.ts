/** Which columns find rows of a table: read from what the table was made with. */
import { assert } from '../../base/assert.ts';

export interface TableKey {
  readonly columns: readonly string[];
  /** At most one row has the same values in all of these columns. */
  readonly isUnique: boolean;
}

export interface TableKeys {
  readonly keys: readonly TableKey[];
  /** Columns in which every row has a value. */
  readonly neverNull: ReadonlySet<string>;
}

/** Splits at the commas outside of brackets. */
function partsOf(definition: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const sign of definition) {
    if (sign === '(') depth += 1;
    if (sign === ')') depth -= 1;
    if (sign === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += sign;
  }
  return [...parts, part.trim()];
}

const PRIMARY = /^PRIMARY\s+KEY\s*\(([^)]*)\)/i;
const UNIQUE = /^UNIQUE\s+(?:KEY|INDEX)?\s*\w*\s*\(([^)]*)\)/i;
const INDEX = /^(?:KEY|INDEX)\s+\w+\s*\(([^)]*)\)/i;

function columnsOf(list: string): string[] {
  return list.split(',').map((each) => each.trim().split(/[\s(]/, 1)[0]?.toLowerCase() ?? '');
}

/** @param definition columns and keys, as between the brackets of a CREATE TABLE. */
export function tableKeys(definition: string): TableKeys {
  const keys: TableKey[] = [];
  const neverNull = new Set<string>();
  for (const part of partsOf(definition)) {
    const [, primary] = PRIMARY.exec(part) ?? [];
    const [, unique] = UNIQUE.exec(part) ?? [];
    const [, index] = INDEX.exec(part) ?? [];
    const list = primary ?? unique ?? index;
    if (list !== undefined) {
      keys.push({ columns: columnsOf(list), isUnique: index === undefined });
      if (primary !== undefined) for (const column of columnsOf(list)) neverNull.add(column);
      continue;
    }
    const [column = ''] = part.toLowerCase().split(/\s/, 1);
    if (/\bNOT\s+NULL\b/i.test(part)) neverNull.add(column);
    if (!/\bPRIMARY\s+KEY\b/i.test(part)) continue;
    keys.push({ columns: [column], isUnique: true });
    neverNull.add(column);
  }
  assert(keys.length > 0, 'every table has a key');
  return { keys, neverNull };
}

export type Tables = ReadonlyMap<string, TableKeys>;
