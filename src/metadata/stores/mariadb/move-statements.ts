/** Statements that move tenants are made of the names of tables and columns, for as many rows as
 *  there are. They are judged and registered when the first of a kind is made. */
import { statements } from '../../../platform/mariadb/index.ts';
import type { SqlStep } from '../rows/row-sql.ts';
import { TABLE_KEYS } from './schema.ts';

const OWNER = {
  owner: 'metadata.move', tables: TABLE_KEYS,
  mayReplace: 'what is moved takes the place of an older state of the same row',
};

const NAMED = /^\/\* holdfast:(\w+) \*\/ /;
/** Sizes are powers of two, so there are few: see sql-tenant-rows.ts. */
const TEXTS = new Map<string, string>();

/** The text under which it is registered. @throws SqlRefusal. */
export function moveStatement({ text, rowsMax = 1 }: Pick<SqlStep, 'text' | 'rowsMax'>): string {
  const known = TEXTS.get(text);
  if (known !== undefined) return known;
  const [, name = 'step'] = NAMED.exec(text) ?? [];
  const sql = text.replace(NAMED, '').replaceAll(/\s+/g, ' ').trim();
  const registered = statements.enter(name, sql, { ...OWNER, rowsPerKey: rowsMax }).text;
  TEXTS.set(text, registered);
  return registered;
}
