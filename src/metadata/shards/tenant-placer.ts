/**
 * Gives each tenant a shard before the first of what it has is written.
 *
 * The database of shard 0 may be older than the directory: then a tenant without a place may be
 * there already, and stays there. A new one goes to the least loaded shard that is open: the one
 * whose database is smallest; those that differ by less than a notch count as equal, and the one
 * with fewer tenants is taken. The size is what a database says without reading a table.
 */
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { TenantId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import type { CachedDirectory } from './cached-directory.ts';
import type { ShardMap } from './shard-map.ts';
import { noShardOpen, shardAway } from './shard-refusals.ts';
import type { ShardRecord } from './shard-directory.ts';
import type { ShardFigures, ShardStore } from './shard-store.ts';

/** Databases that differ by less count as equally large. */
const NOTCH_BYTES = 64 * 1024 * 1024;
/** A shard that takes longer to tell its figures gets no new tenant. */
const FIGURES_MS_MAX = 3_000;
const ATTEMPTS_MAX = 3;

export interface TenantPlacerOptions {
  directory: CachedDirectory;
  clock: Clock;
  storeOf: (shard: ShardRecord) => ShardStore | Promise<ShardStore>;
}

interface Candidate {
  shard: ShardRecord;
  notches: number;
  tenants: number;
}

export class TenantPlacer {
  readonly #options: TenantPlacerOptions;
  readonly #placing = new Map<TenantId, Promise<number>>();
  readonly #unplaced = new Set<Promise<unknown>>();

  constructor(options: TenantPlacerOptions) {
    this.#options = options;
  }

  /** Where a tenant is; undefined: nowhere, or on shard 0, which is the same to whoever reads. */
  find(tenant: TenantId): number | undefined {
    return this.#options.directory.map.placeOf(tenant)?.shard;
  }

  /** Has the first write of a tenant done where it is placed. */
  async write<T>(tenant: TenantId, act: (shard: number) => Promise<T>): Promise<T> {
    const { directory } = this.#options;
    const there = this.find(tenant);
    if (there !== undefined) return act(there);
    if (!directory.map.isSingle || directory.isShared) return act(await this.#place(tenant));
    // Nobody else works here, and there is one shard: no place has to be noted. Should another
    // shard be added in this very moment, whoever places tenants waits for this.
    const writing = act(0);
    this.#unplaced.add(writing);
    try {
      return await writing;
    } finally {
      this.#unplaced.delete(writing);
    }
  }

  #place(tenant: TenantId): Promise<number> {
    const under = this.#placing.get(tenant);
    if (under !== undefined) return under;
    const placing = this.#placeAnew(tenant).finally(() => this.#placing.delete(tenant));
    this.#placing.set(tenant, placing);
    return placing;
  }

  async #placeAnew(tenant: TenantId): Promise<number> {
    const { directory } = this.#options;
    await Promise.allSettled(this.#unplaced);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const shard = tenant === DEFAULT_TENANT ? 0 : await this.#choose(tenant);
        return (await directory.place(tenant, shard)).shard;
      } catch (error) {
        // Somebody has just closed the shard that was chosen.
        const isOvertaken = error instanceof HoldfastError && error.kind === 'conflict';
        if (!isOvertaken || attempt >= ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #choose(tenant: TenantId): Promise<number> {
    const { map } = this.#options.directory;
    const first = map.view.shards[0] as ShardRecord;
    const figures = await this.#figuresOf(first);
    if (figures.tenants.some((holding) => holding.tenant === tenant)) return 0;
    const others = map.view.shards.filter(({ number, state }) => number > 0 && state === 'open');
    const found = await Promise.allSettled(others.map(async (shard) => ({
      shard, figures: await this.#figuresOf(shard),
    })));
    const told = found.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    if (first.state === 'open') told.push({ shard: first, figures });
    return leastLoaded(told.map((one) => ({
      shard: one.shard, notches: Math.floor(one.figures.sizeBytes / NOTCH_BYTES),
      tenants: tenantsAt(map, one),
    })));
  }

  async #figuresOf(shard: ShardRecord): Promise<ShardFigures> {
    const { clock, storeOf } = this.#options;
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(FIGURES_MS_MAX, () => late.reject(shardAway(shard.number)));
    try {
      const store = await storeOf(shard);
      return await Promise.race([store.readFigures(), late.promise]);
    } finally {
      cancel();
    }
  }
}

/** Those with a place there, and on shard 0 also those that were there before there were places. */
function tenantsAt(
  { view }: ShardMap, { shard: { number }, figures }: { shard: ShardRecord; figures: ShardFigures },
): number {
  const placed = view.places.filter((place) => place.shard === number).length;
  if (number !== 0) return placed;
  const known = new Set(view.places.map((place) => place.tenant));
  return placed + figures.tenants.filter((holding) => !known.has(holding.tenant)).length;
}

function leastLoaded(candidates: readonly Candidate[]): number {
  const [best] = candidates.toSorted((a, b) => a.notches - b.notches || a.tenants - b.tenants
    || a.shard.number - b.shard.number);
  if (best === undefined) throw noShardOpen();
  return best.shard.number;
}
