/** What a metadata database says of itself as a shard. */
import type { TenantId } from '../../../base/ids.ts';
import { namedTable, readSettings, unsafeSettings } from '../../../platform/mariadb/index.ts';
import type { Session } from '../../../platform/mariadb/index.ts';
import { TABLE_KEYS } from './schema.ts';
import type { ShardFigures } from '../../shards/shard-store.ts';

const SQL = namedTable({
  countSpacesByTenant: `SELECT tenant, CAST(SUM(n) AS SIGNED) FROM (
      SELECT tenant, COUNT(*) AS n FROM space GROUP BY tenant
      UNION ALL SELECT id, 0 FROM tenant UNION ALL SELECT id, 0 FROM retention
        WHERE scope = 'tenant'
    ) AS holding GROUP BY tenant ORDER BY tenant`,
  listMeta: 'SELECT name, value FROM meta',
  /** As the server counts anyway: an estimate, and no table is read for it. */
  databaseBytes: `SELECT COALESCE(SUM(data_length + index_length), 0)
    FROM information_schema.tables WHERE table_schema = DATABASE()`,
}, { owner: 'metadata.figures', tables: TABLE_KEYS });

export async function readFigures(session: Session): Promise<ShardFigures> {
  const rowsOf = async ({ text }: { text: string }): Promise<unknown[][]> =>
    (await session.execute(text, [])).rows;
  const tenants = await rowsOf(SQL.countSpacesByTenant) as [TenantId, number][];
  const meta = await rowsOf(SQL.listMeta) as [string, number][];
  const [[sizeBytes]] = await rowsOf(SQL.databaseBytes) as [[number]];
  return {
    sizeBytes: Number(sizeBytes), schema: new Map(meta).get('schema_version') ?? 0,
    tenants: tenants.map(([tenant, spaceCount]) => ({ tenant, spaceCount })),
    nextIds: Object.fromEntries(meta.filter(([name]) => /^next_.*_id$/.test(name))),
    unsafe: unsafeSettings(await readSettings(session)),
  };
}
