import type { SpaceId, TenantId } from '../../base/ids.ts';
import { shardOfId } from '../shard-number.ts';
import type { DirectoryView, ShardRecord, TenantPlace } from './shard-directory.ts';

/** A view of the directory, made for being asked with every request. It never changes. */
export class ShardMap {
  readonly view: DirectoryView;
  readonly #shards: ReadonlyMap<number, ShardRecord>;
  readonly #places: ReadonlyMap<TenantId, TenantPlace>;
  readonly #moved: ReadonlyMap<SpaceId, TenantId>;

  constructor(view: DirectoryView) {
    this.view = view;
    this.#shards = new Map(view.shards.map((shard) => [shard.number, shard]));
    this.#places = new Map(view.places.map((place) => [place.tenant, place]));
    this.#moved = new Map(view.movedSpaces.map(({ spaceId, tenant }) => [spaceId, tenant]));
  }

  /** Shards that may hold something, by number. */
  get inUse(): readonly ShardRecord[] {
    return this.view.shards.filter(({ state }) => state === 'open' || state === 'draining');
  }

  get isSingle(): boolean {
    return this.#shards.size === 1;
  }

  /** Whether some spaces are elsewhere than their number says. */
  get hasMoved(): boolean {
    return this.#moved.size > 0;
  }

  knows(shard: number): boolean {
    return this.#shards.has(shard);
  }

  placeOf(tenant: TenantId): TenantPlace | undefined {
    return this.#places.get(tenant);
  }

  /** May be one that there is not. */
  shardOfSpace(spaceId: SpaceId): number {
    const tenant = this.#moved.get(spaceId);
    if (tenant === undefined) return shardOfId(spaceId);
    return this.#places.get(tenant)?.shard ?? 0;
  }
}
