/** What goes on in every block home beside the requests: garbage is collected, and what is stored
 *  is verified. Each home has notes, ledger and coverage of its own. */
import { isKind } from '../base/errors.ts';
import type { BlockId, TenantId } from '../base/ids.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { Clock, Logger, Metrics, Random } from '../platform/index.ts';
import type { BlockHome } from './block-home.ts';
import { CollectionSchedule } from './collection.ts';
import { watchBlocks } from './health.ts';
import { verifiedObjects } from './object-verification.ts';
import { watchRepair } from './repair-figures.ts';
import type { Services } from './services.ts';
import type { Stores } from './stores.ts';
import { onlyDisk, Verification } from './verification.ts';
import { shardPlaces } from './shard-places.ts';

export interface HomeWorkOptions {
  readonly dataPath: string;
  readonly stores: Pick<
    Stores, 'metadata' | 'homes' | 'database' | 'databaseSettings' | 'shards'
  >;
  readonly services: Pick<Services, 'uncached'>;
  /** Left out: garbage is not collected. */
  readonly collecting: { everyHours: number; bytesPerSecond: number } | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** True while users are waiting. */
  readonly isLoaded: () => boolean;
}

interface Work {
  readonly collection: CollectionSchedule | undefined;
  readonly verification: Verification | undefined;
}

export class HomeWork {
  readonly #options: HomeWorkOptions;
  readonly #works = new Map<TenantId, Work>();
  #isStopped = false;
  /** Homes collect one after the other: each would like the whole disk. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: HomeWorkOptions) {
    this.#options = options;
  }

  /** In all homes that are open, and in each that is opened from now on. */
  static async start(options: HomeWorkOptions): Promise<HomeWork> {
    const work = new HomeWork(options);
    const { homes } = options.stores;
    homes.onOpened = (home) => work.#begin(home);
    homes.onCopied = (home) => work.#copied(home);
    homes.betweenCollections = (act) => work.#inTurn(act);
    for (const home of homes.list()) await work.#begin(home);
    options.metrics.gaugeOf({
      name: 'block_homes_closed', help: 'Tenants whose files cannot be reached.',
    }, () => homes.failed.size);
    return work;
  }

  /** Takes samples of what users of a tenant write. */
  sampler(tenant: TenantId): Verification['sampler'] | undefined {
    return this.#works.get(tenant)?.verification?.sampler;
  }

  /** Of a tenant's garbage; undefined: it is not collected. */
  collection(tenant: TenantId): CollectionSchedule | undefined {
    return this.#works.get(tenant)?.collection;
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { verification } of this.#works.values()) await verification?.stop();
    for (const { collection } of this.#works.values()) await collection?.stop();
  }

  async #begin(home: BlockHome): Promise<void> {
    if (this.#isStopped) return;
    const { stores, collecting, clock, random, isLoaded } = this.#options;
    const { metadata, homes, database, shards } = stores;
    const places = shardPlaces(this.#options.dataPath, {
      database, settings: stores.databaseSettings, read: () => shards.directory.read(),
      shardOf: (tenant) => shards.directory.map.placeOf(tenant)?.shard ?? 0,
    });
    const { place, backend, blocks } = home;
    const { tenant } = place;
    const isOwn = tenant === DEFAULT_TENANT;
    const metrics = isOwn ? this.#options.metrics : this.#options.metrics.ofTenant(tenant);
    const log = isOwn ? this.#options.log : this.#options.log.child({ tenant });
    watchBlocks(metrics, () => blocks.state());
    backend.watch(metrics);
    if (home.opened !== undefined) watchRepair(metrics, home.opened);
    const collection = collecting && await CollectionSchedule.start(home, { metadata, homes }, {
      clock, log, metrics, ...collecting, inTurn: (act) => this.#inTurn(act),
    });
    const verification = Verification.start({ ...place, dataPath: this.#options.dataPath }, {
      clock, random, log, metrics, isLoaded, places, ...verifiedBy(this.#options.services, home),
    });
    this.#works.set(tenant, { collection, verification });
  }

  /** Verifiers ask for the disks with every run, and collectors for replaced copies. */
  #copied(home: BlockHome): void {
    const { tenant } = home.place;
    const { metrics } = this.#options;
    const { opened } = home;
    if (this.#isStopped || opened === undefined) return;
    watchRepair(tenant === DEFAULT_TENANT ? metrics : metrics.ofTenant(tenant), opened);
    this.#works.get(tenant)?.verification?.repairBy((copy) => opened.repair.propose(copy));
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** How verifiers see what is stored: as users do, though past the cache; disk by disk, or object by
 *  object. */
function verifiedBy(
  { uncached }: Pick<Services, 'uncached'>, home: BlockHome,
) {
  const { backend, opened, place: { root } } = home;
  return {
    read: async (address: string, signal: AbortSignal) => (
      { kind: 'bytes' as const, pieces: await uncached.readBack(address, signal) }
    ),
    ...(backend.objects !== undefined && { objects: verifiedObjects(backend.objects) }),
    readBlock: (id: string) => backend.uncached.get(id as BlockId).catch((error: unknown) => {
      if (isKind(error, 'not-found')) return undefined;
      throw error;
    }),
    disks: () => home.opened?.verifiedDisks() ?? [onlyDisk(root)],
    goneIds: () => home.opened?.goneIds() ?? [],
    placement: (name: string) => home.opened?.placement(name),
    ...(opened !== undefined && {
      propose: (copy: { volumeId: number; diskId?: string }) => opened.repair.propose(copy),
    }),
  };
}
