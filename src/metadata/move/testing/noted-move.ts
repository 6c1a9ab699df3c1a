/** All that moving a tenant asks of the tables of a database, which answers as little as it may. */
import { parseTenantId, parseUserId } from '../../../base/ids.ts';
import type { SpaceId } from '../../../base/ids.ts';
import type { RowDatabase } from '../../stores/rows/row-database.ts';
import type { Dialect, SqlStep } from '../../stores/rows/row-sql.ts';
import { SqlTenantRows } from '../../stores/rows/sql-tenant-rows.ts';
import { ROW_TABLES } from '../row-tables.ts';
import type { Part, RowValue, TableChanges } from '../tenant-rows.ts';

/** Rows of one statement, and of as many as come at once. */
const COUNTS = [1, 2, 50];

class NotedRows implements RowDatabase {
  readonly dialect: Dialect;
  readonly reads: SqlStep[] = [];
  readonly writes: SqlStep[] = [];

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  async read(step: SqlStep): Promise<RowValue[][]> {
    this.reads.push(step);
    return [[/row_key FROM move_log/.test(step.text) ? 'set' : 1]];
  }

  async write(steps: readonly SqlStep[]): Promise<number> {
    this.writes.push(...steps);
    return 1;
  }

  async triggers(): Promise<string[]> {
    return [];
  }

  async alter(): Promise<void> {}
}

/** Copying, following and clearing a tenant's rows, with all that is around it. */
export async function notedMove(
  dialect: Dialect,
): Promise<{ reads: readonly SqlStep[]; writes: readonly SqlStep[] }> {
  const noted = new NotedRows(dialect);
  const tenant = parseTenantId('acme');
  const rows = await new SqlTenantRows(noted).hold(tenant);
  await rows.beginCapture(tenant);
  await rows.listParts(tenant, 9);
  const parts: Part[] = [
    { kind: 'tenant', tenant }, { kind: 'space', id: 1 as SpaceId, owner: null },
    { kind: 'space', id: 1 as SpaceId, owner: parseUserId('anna') },
  ];
  for (const { name, key } of ROW_TABLES) {
    const after = key.map(() => 1);
    for (const part of parts) {
      await rows.readRange(name, part, { limit: 9 });
      await rows.readRange(name, part, { limit: 9, after });
    }
    for (const count of COUNTS) {
      await rows.readRows(name, Array.from({ length: count }, () => after));
    }
  }
  await rows.apply(tenant, 1, ROW_TABLES.flatMap(({ name, key, columns }): TableChanges[] => (
    COUNTS.map((length) => ({
      name, deletes: Array.from({ length }, () => key.map(() => 1)),
      puts: Array.from({ length }, () => columns.map(() => 1)),
    })))));
  await rows.lastOfLog(tenant);
  await rows.trimLog(tenant, 9);
  await rows.findPlacement(tenant);
  await rows.setPlacement(tenant, { epoch: 0, state: 'home' }, { epoch: 1, state: 'moved' });
  await rows.readWitness();
  await rows.raiseWitness([[1, 2]]);
  await rows.endCapture(tenant);
  await rows.endHold(tenant);
  return noted;
}
