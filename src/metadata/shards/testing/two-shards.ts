/** A store over two shards for tests, and the people of two tenants. */
import { DEFAULT_TENANT, parseTenantId } from '../../../base/ids.ts';
import { systemClock } from '../../../platform/index.ts';
import type { Clock } from '../../../platform/index.ts';
import { CachedDirectory } from '../cached-directory.ts';
import type { TenantOf } from '../known-tenants.ts';
import type { ShardDirectory, ShardRecord } from '../shard-directory.ts';
import { ShardPool } from '../shard-pool.ts';
import type { ShardStore } from '../shard-store.ts';
import { ShardedMetadataStore } from '../sharded-metadata-store.ts';
import { MemoryShardDirectory } from '../stores/memory/memory-directory.ts';

export const ACME = parseTenantId('acme');
const OF_ACME = ['eve', 'finn', 'gina', 'zoe'];

/** As the accounts would say. */
export const tenantOf: TenantOf = ({ id }) => (OF_ACME.includes(id) ? ACME : DEFAULT_TENANT);

export interface TwoShards {
  store: ShardedMetadataStore;
  directory: CachedDirectory;
}

export interface TwoShardsOptions {
  open: (shard: ShardRecord) => Promise<ShardStore>;
  /** The shards of the default tenant and of acme; undefined: nobody has a place. */
  places?: readonly [number, number];
  clock?: Clock;
  isShared?: boolean;
  source?: ShardDirectory;
  people?: TenantOf;
}

export async function openTwoShards(
  { open, places = [0, 1], clock = systemClock, ...options }: TwoShardsOptions,
): Promise<TwoShards> {
  const { source = new MemoryShardDirectory(), isShared = false, people = tenantOf } = options;
  const there = await source.read();
  if (there.shards.length === 1) {
    await source.addShard({ name: 'second', url: 'sqlite:second.db', passwordPath: undefined,
      at: 0 });
    await source.place(DEFAULT_TENANT, places[0]);
    await source.place(ACME, places[1]);
  }
  const directory = await CachedDirectory.open({ source, clock, isShared });
  const pool = new ShardPool({ clock, open });
  const store = new ShardedMetadataStore({ directory, pool, tenantOf: people, clock });
  return { store, directory };
}
