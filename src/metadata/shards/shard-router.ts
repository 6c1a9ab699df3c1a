/** From what a caller names to the shard that has it. */
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { SpaceId, TenantId, UserId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { shardOfId } from '../shard-number.ts';
import type { CachedDirectory } from './cached-directory.ts';
import { KnownTenants } from './known-tenants.ts';
import type { Person, TenantOf } from './known-tenants.ts';
import type { ShardPool } from './shard-pool.ts';
import { directoryAway } from './shard-refusals.ts';
import type { ShardRecord, TenantPlace } from './shard-directory.ts';
import type { ShardStore } from './shard-store.ts';
import { TenantPlacer } from './tenant-placer.ts';

export interface ShardRouterOptions {
  directory: CachedDirectory;
  pool: ShardPool;
  tenantOf: TenantOf;
  clock: Clock;
}

/** A shard that may have what is asked for. */
export interface Asked {
  number: number;
  store: ShardStore;
}

export class ShardRouter {
  readonly #directory: CachedDirectory;
  readonly #pool: ShardPool;
  readonly #tenants: KnownTenants;
  readonly #placer: TenantPlacer;

  constructor({ directory, pool, tenantOf, clock }: ShardRouterOptions) {
    this.#directory = directory;
    this.#pool = pool;
    this.#tenants = new KnownTenants(tenantOf);
    const storeOf = (shard: ShardRecord) => pool.get(shard);
    this.#placer = new TenantPlacer({ directory, clock, storeOf });
  }

  get #map() {
    return this.#directory.map;
  }

  get directory(): CachedDirectory {
    return this.#directory;
  }

  /** @throws unavailable. */
  #open(number: number): ShardStore | Promise<ShardStore> {
    const shard = this.#map.view.shards.find((one) => one.number === number);
    if (shard === undefined) throw directoryAway(); // A place on a shard that we never heard of.
    return this.#pool.get(shard);
  }

  /** Without a pause, so that changes that are handed in together stay together and in order;
   *  undefined: something has to be waited for. */
  ofSpaceNow(spaceId: SpaceId): ShardStore | undefined {
    return this.#pool.find(this.#map.shardOfSpace(spaceId));
  }

  /** The shard of an installation that has one; undefined: there are more, or it is not open. */
  onlyNow(): ShardStore | undefined {
    return this.#map.isSingle ? this.#pool.find(0) : undefined;
  }

  /** As `ofSpaceNow`, of the tenant of a user, if it has a place. */
  ofPersonNow(person: Person): ShardStore | undefined {
    const tenant = this.#tenants.of(person);
    if (typeof tenant !== 'string') return undefined;
    const number = this.#placer.find(tenant);
    return number === undefined ? undefined : this.#pool.find(number);
  }

  /** As `ofSpaceNow`, of a batch. */
  ofNumberNow(id: number): ShardStore | undefined {
    return this.#map.hasMoved ? undefined : this.#pool.find(shardOfId(id));
  }

  numberOfSpace(spaceId: SpaceId): number {
    return this.#map.shardOfSpace(spaceId);
  }

  /** Whether a space that was found on a shard is at home there, and no copy on the move. */
  isHome(spaceId: SpaceId, shard: number): boolean {
    return this.#map.shardOfSpace(spaceId) === shard;
  }

  /** @throws unavailable. */
  async ofSpace(spaceId: SpaceId): Promise<ShardStore> {
    const number = this.#map.shardOfSpace(spaceId);
    return this.#open(this.#map.knows(number) ? number : await this.#unknown(spaceId));
  }

  /** Perhaps another machine has just added it. A number that no shard has is a space that there
   *  is not: shard 0 says so in the right words. */
  async #unknown(spaceId: SpaceId): Promise<number> {
    if (!Number.isSafeInteger(spaceId) || spaceId <= 0) return 0;
    const isTrue = await this.#directory.refresh();
    const number = this.#map.shardOfSpace(spaceId);
    if (this.#map.knows(number)) return number;
    if (!isTrue) throw directoryAway();
    return 0;
  }

  /** For whoever reads: one without a place has nothing, or is on shard 0. */
  async ofTenant(tenant: TenantId): Promise<ShardStore> {
    return this.#open(this.numberOfTenant(tenant));
  }

  numberOfTenant(tenant: TenantId): number {
    return this.#placer.find(tenant) ?? 0;
  }

  /** For whoever must not miss a shard that another machine has just added.
   *  @throws unavailable: the directory cannot be asked. */
  async beSure(): Promise<void> {
    if (this.#directory.isShared && !await this.#directory.refresh()) throw directoryAway();
  }

  async ofOwner(owner: UserId): Promise<ShardStore> {
    return this.#open(await this.numberOf({ kind: 'user', id: owner }));
  }

  /** Nobody of no tenant has anything; the default tenant's shard says so. */
  async numberOf(person: Person): Promise<number> {
    if (this.#map.isSingle) return 0;
    return this.#placer.find(await this.#tenants.of(person) ?? DEFAULT_TENANT) ?? 0;
  }

  async tenantOf(person: Person): Promise<TenantId | undefined> {
    return this.#tenants.of(person);
  }

  /** The first write of a tenant, where it is placed. */
  writeTo<T>(tenant: TenantId, act: (store: ShardStore) => Promise<T>): Promise<T> {
    return this.#placer.write(tenant, async (number) => act(await this.#open(number)));
  }

  /** @throws unavailable. */
  async numbered(number: number): Promise<ShardStore> {
    return this.#open(number);
  }

  /** For what is nowhere: says so in the right words. */
  async ofNothing(): Promise<ShardStore> {
    return this.#open(0);
  }

  /** All that are in use, those that are not open left to whoever asks them. */
  get inUse(): { number: number; store: () => ShardStore | Promise<ShardStore> }[] {
    return this.#map.inUse.map((shard) => ({
      number: shard.number, store: () => this.#pool.find(shard.number) ?? this.#pool.get(shard),
    }));
  }

  /** @throws unavailable: one of them cannot be opened. */
  all(): Promise<Asked[]> {
    return Promise.all(this.inUse.map(async ({ number, store }) => ({
      number, store: await store(),
    })));
  }

  /** Asks for a batch or quarantine where it may be, until one knows: first the shard that has
   *  given its number.
   *  @throws unavailable: nobody knows, and one could not be asked. */
  async search<T>(
    id: number, ask: (asked: Asked) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const given = shardOfId(id);
    if (!this.#map.knows(given) && !await this.#directory.refresh()) throw directoryAway();
    const isAnywhere = this.#map.hasMoved || !this.#map.knows(given);
    const asked = this.inUse.filter(({ number }) => isAnywhere || number === given)
      .sort((a, b) => Number(b.number === given) - Number(a.number === given));
    let failure: unknown;
    for (const { number, store } of asked) {
      try {
        const found = await ask({ number, store: await store() });
        if (found !== undefined) return found;
      } catch (error) {
        if (!(error instanceof HoldfastError) || error.kind !== 'unavailable') throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure as Error;
    return undefined;
  }

  /** Where a tenant is by the map; undefined: nowhere, or on shard 0. */
  placeOf(tenant: TenantId): TenantPlace | undefined {
    return this.#map.placeOf(tenant);
  }

  /** Once more, with a true map, when a shard says that the tenant is there no longer, and when it
   *  knows nothing of what is named and the map is not sure.
   *  @throws unavailable: then the directory cannot be reached. */
  async following<T>(act: () => Promise<T>): Promise<T> {
    const untilMs = this.#directory.sureUntilMs;
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const isDoubtful = error.kind === 'not-found' && !this.#directory.isBefore(untilMs);
      if (error.code !== 'tenant-moved' && !isDoubtful) throw error;
      if (!await this.#directory.refresh() && isDoubtful) throw directoryAway();
      return act();
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await this.#directory.close();
  }
}
