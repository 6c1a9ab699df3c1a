/** What a metadata store is to whoever works with several of them. */
import type { TenantId } from '../../base/ids.ts';
import type { TenantRows } from '../move/tenant-rows.ts';
import type { MetadataStore } from '../metadata-store.ts';

export interface TenantHolding {
  tenant: TenantId;
  spaceCount: number;
}

/** What a store says of itself, cheaply enough to be asked before a tenant is placed. */
export interface ShardFigures {
  /** Of the database, as it says itself: what it would take to copy it, about. */
  sizeBytes: number;
  /** Tenants that have spaces, a quota or a rule of forgetting, by name, whether or not they are at
   *  home here. */
  tenants: readonly TenantHolding[];
  /** The format of its tables. */
  schema: number;
  /** By the name of the counter: the next id that will be given. */
  nextIds: Readonly<Record<string, number>>;
  /** Settings of its server that are not safe, each with what to change. */
  unsafe: readonly string[];
}

export interface ShardStore extends MetadataStore {
  /** For moves of tenants. Without it, tenants stay in such a store. */
  readonly tenantRows?: TenantRows;
  readFigures(): Promise<ShardFigures>;
}
