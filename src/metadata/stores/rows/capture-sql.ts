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

const EVENTS = { i: 'INSERT', u: 'UPDATE', d: 'DELETE' } as const;

function triggers(): { name: string; event: string; table: RowTable }[] {
  return ROW_TABLES.flatMap((table) => Object.entries(EVENTS).map(([short, event]) =>
    ({ name: `move_${table.name}_${short}`, event, table })));
}

export function createTriggers(dialect: Dialect): string[] {
  return triggers().map(({ name, event, table }) =>
    `CREATE TRIGGER IF NOT EXISTS ${name} AFTER ${event} ON ${table.name} FOR EACH ROW
      BEGIN ${body(table, event, dialect).join(' ')} END`);
}

export function dropTriggers(): string[] {
  return triggers().map(({ name }) => `DROP TRIGGER IF EXISTS ${name}`);
}
