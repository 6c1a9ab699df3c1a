/** What a metadata file says of itself as a shard. */
import type { TenantId } from '../../../base/ids.ts';
import type { ShardFigures } from '../../shards/shard-store.ts';
import type { Connection } from './connection.ts';

export const FIGURES_SQL = {
  countSpaces: `SELECT tenant, SUM(n) FROM (
  SELECT tenant, COUNT(*) AS n FROM space GROUP BY tenant
  UNION ALL SELECT id, 0 FROM tenant UNION ALL SELECT id, 0 FROM retention WHERE scope = 'tenant'
) GROUP BY tenant ORDER BY tenant`,
  listNextIds: "SELECT name, value FROM meta WHERE name GLOB 'next_*_id'",
} as const;

export function readFigures(connection: Connection): ShardFigures {
  const number = (name: string): number => Number(connection.pragma(name, { simple: true }));
  const tenants = connection.prepare(FIGURES_SQL.countSpaces).raw().all() as [TenantId, number][];
  const nextIds = connection.prepare(FIGURES_SQL.listNextIds).raw().all() as [string, number][];
  return {
    sizeBytes: (number('page_count') - number('freelist_count')) * number('page_size'),
    tenants: tenants.map(([tenant, spaceCount]) => ({ tenant, spaceCount })),
    schema: number('user_version'), nextIds: Object.fromEntries(nextIds), unsafe: [],
  };
}
