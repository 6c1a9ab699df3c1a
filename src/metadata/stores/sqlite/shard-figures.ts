/** What a metadata file says of itself as a shard. */
import type { TenantId } from '../../../base/ids.ts';
import type { ShardFigures } from '../../shards/shard-store.ts';
import type { Connection } from './connection.ts';

const COUNT_SPACES = `SELECT tenant, SUM(n) FROM (
  SELECT tenant, COUNT(*) AS n FROM space GROUP BY tenant
  UNION ALL SELECT id, 0 FROM tenant UNION ALL SELECT id, 0 FROM retention WHERE scope = 'tenant'
) GROUP BY tenant ORDER BY tenant`;
const NEXT_IDS = "SELECT name, value FROM meta WHERE name GLOB 'next_*_id'";

export function readFigures(connection: Connection): ShardFigures {
  const number = (name: string): number => Number(connection.pragma(name, { simple: true }));
  const tenants = connection.prepare(COUNT_SPACES).raw().all() as [TenantId, number][];
  const nextIds = connection.prepare(NEXT_IDS).raw().all() as [string, number][];
  return {
    sizeBytes: (number('page_count') - number('freelist_count')) * number('page_size'),
    tenants: tenants.map(([tenant, spaceCount]) => ({ tenant, spaceCount })),
    schema: number('user_version'), nextIds: Object.fromEntries(nextIds), unsafe: [],
  };
}
