/** A program of one version with the real stores of some shards. It does what it is told, and says
 *  what came of it. */
import { parseTenantId } from '../../../src/base/ids.ts';
import type { MetadataStore, RetentionRule, RetentionScope } from '../../../src/metadata/index.ts';
import {
  MariadbMetadataStore,
} from '../../../src/metadata/stores/mariadb/mariadb-metadata-store.ts';
import { SqliteMetadataStore } from '../../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import type { ServerAddress } from '../../../src/platform/mariadb/index.ts';

export type ShardPlace = { readonly file: string } | { readonly address: ServerAddress };

export interface Order {
  readonly number: number;
  readonly shard: number;
  readonly tenant: string;
  /** Left out: it is read. */
  readonly rule?: RetentionRule;
}

export interface Told {
  readonly number: number;
  readonly rule?: RetentionRule;
  readonly failure?: string;
}

const places = JSON.parse(process.argv[2] ?? '[]') as ShardPlace[];
const stores: MetadataStore[] = [];
for (const [shard, place] of places.entries()) {
  stores.push('file' in place
    ? await SqliteMetadataStore.open({ file: place.file, create: false, shard })
    : await MariadbMetadataStore.open({ address: place.address, create: false, shard }));
}

async function follow({ shard, tenant, rule }: Order): Promise<RetentionRule> {
  const store = stores[shard];
  if (store === undefined) throw new Error(`there is no shard ${shard}`);
  const scope: RetentionScope = { kind: 'tenant', tenant: parseTenantId(tenant) };
  if (rule !== undefined) await store.commit({ op: 'set-retention', scope, rule });
  return store.readRetention(scope);
}

process.on('message', (order: Order) => {
  const tell = (told: Omit<Told, 'number'>) => process.send?.({ number: order.number, ...told });
  void follow(order).then((rule) => tell({ rule }), (error: unknown) => tell({
    failure: `${String(error)} ${JSON.stringify(error)}`,
  }));
});
process.once('disconnect', () => process.exit(1)); // Whoever began this is gone.
process.send?.({ number: 0 });
