/**
 * Triggers that note every change of the rows of tenants that are moving. They stand only while one
 * is: `move_capture` lists them, and a trigger looks there and at the space that a row belongs to.
 * So a space that is made meanwhile is noted too. Its first rows may be written before its own row
 * is; therefore the row of a new space is noted as a whole space (WHOLE_SPACE).
 */
import { ROW_TABLES, WHOLE_SPACE } from '../../move/row-tables.ts';
import type { RowTable } from '../../move/row-tables.ts';
import type { Dialect } from './row-sql.ts';

type Side = 'OLD' | 'NEW';

const CAPTURED = 'JOIN move_capture c ON c.tenant = s.tenant';

/** The moving tenant that a row belongs to: no row where it does not. */
function tenantOf({ of }: RowTable, side: Side, dialect: Dialect): string[] {
  const number = dialect === 'sqlite' ? 'INTEGER' : 'SIGNED';
  switch (of) {
    case 'space': return [`FROM space s ${CAPTURED} WHERE s.id = ${side}.space_id`];
    case 'self': return [`FROM move_capture c WHERE c.tenant = ${side}.tenant`];
    case 'owner': return [`FROM space s ${CAPTURED} WHERE s.owner = ${side}.owner`];
    case 'quarantine': return [`FROM quarantine q JOIN space s ON s.id = q.space_id ${CAPTURED}
      WHERE q.id = ${side}.quarantine_id`];
    case 'grant': return [`FROM access_grant g JOIN space s ON s.id = g.space_id ${CAPTURED}
      WHERE g.id = ${side}.grant_id`];
    case 'tenant': return [`FROM move_capture c WHERE c.tenant = ${side}.id`];
    default: return [
      `FROM move_capture c WHERE ${side}.scope = 'tenant' AND c.tenant = ${side}.id`,
      `FROM space s ${CAPTURED} WHERE ${side}.scope = 'space'
        AND s.id = CAST(${side}.id AS ${number})`,
    ];
  }
}

function note(table: RowTable, side: Side, dialect: Dialect, name = table.name): string[] {
  const list = dialect === 'sqlite' ? 'json_array' : 'JSON_ARRAY';
  const key = `${list}(${table.key.map((column) => `${side}.${column}`).join(', ')})`;
  return tenantOf(table, side, dialect).map((from) =>
    `INSERT INTO move_log (tenant, name, row_key) SELECT c.tenant, '${name}', ${key} ${from};`);
}

function body(table: RowTable, event: string, dialect: Dialect): string[] {
  if (event === 'DELETE') return note(table, 'OLD', dialect);
  if (event === 'INSERT') {
    const whole = table.of === 'self' ? note(table, 'NEW', dialect, WHOLE_SPACE) : [];
    return [...note(table, 'NEW', dialect), ...whole];
  }
  const differs = table.key.map((column) => `OLD.${column} <> NEW.${column}`).join(' OR ');
  const before = note(table, 'OLD', dialect).map((text) =>
    `${text.slice(0, -1)} AND (${differs});`);
  return [...note(table, 'NEW', dialect), ...before];
}

const PREFIX = 'moving_';
const NAMED = /^moving_([0-9a-f]{12})_\w+$/;
const EVENTS = { i: 'INSERT', u: 'UPDATE', d: 'DELETE' } as const;
const UNNAMED: ReadonlySet<string> = new Set(ROW_TABLES.flatMap(({ name }) =>
  Object.keys(EVENTS).map((short) => `move_${name}_${short}`)));

/** Of a set that is called so. */
export function createTriggers(dialect: Dialect, set: string): string[] {
  return ROW_TABLES.flatMap((table) => Object.entries(EVENTS).map(([short, event]) =>
    `CREATE TRIGGER IF NOT EXISTS ${PREFIX}${set}_${table.name}_${short} AFTER ${event}
      ON ${table.name} FOR EACH ROW BEGIN ${body(table, event, dialect).join(' ')} END`));
}

export function dropTrigger(name: string): string {
  return `DROP TRIGGER IF EXISTS ${name}`;
}

/** The set that a trigger is of; `unnamed`: of the one that earlier versions made; undefined: it
 *  notes no changes of tenants. */
export function setOfTrigger(name: string): string | undefined {
  if (UNNAMED.has(name)) return 'unnamed';
  return NAMED.exec(name)?.[1];
}
