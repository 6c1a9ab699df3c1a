/**
 * Nobody is told that something is not there by a shard where it is no longer looked after.
 *
 * A map of shards may be old: somebody has just moved the tenant, or the directory cannot be
 * reached. Then the shard that the map names may have been cleaned up: it knows nothing of what is
 * somewhere else. So what is not there, and lists, count only if the map was true a moment ago
 * (MAP_SURE_MS: the move waits longer than that before it writes to the shard that was left), or if
 * the shard itself says that the tenant is at home there, with the epoch that the map has. Epochs
 * only grow, so nothing has come between. What was found needs no such proof.
 */
import type { SpaceId, TenantId } from '../../base/ids.ts';
import { rowTable } from '../move/row-tables.ts';
import { isAbsence } from './confirmed-reads.ts';
import type { Confirm } from './confirmed-reads.ts';
import type { ShardMap } from './shard-map.ts';
import { directoryAway } from './shard-refusals.ts';
import type { ShardRouter } from './shard-router.ts';
import type { ShardStore } from './shard-store.ts';

const TENANT = rowTable('space').columns.indexOf('tenant');
const ATTEMPTS_MAX = 3;

type Counts = () => boolean | Promise<boolean>;

/** A shard that is asked about a space, and whether what it has answered by now counts. */
export interface SpaceShard {
  readonly store: ShardStore;
  readonly confirm: Confirm;
}

export class SureAnswers {
  readonly #router: ShardRouter;

  constructor(router: ShardRouter) {
    this.#router = router;
  }

  /** Without another turn of the microtask queue where there is one shard and one process, and with
   *  one where an answer has found what was asked for. */
  ofSpace<T>(
    spaceId: SpaceId, ask: (store: ShardStore) => Promise<T>,
    isFound: (answer: T) => boolean = () => false,
  ): Promise<T> {
    const { directory } = this.#router;
    const store = this.#router.ofSpaceNow(spaceId);
    if (store === undefined) return this.#askSpace(spaceId, ask);
    if (directory.isSettled) return ask(store);
    const untilMs = directory.sureUntilMs;
    return ask(store).then(
      (answer) => (isFound(answer) || directory.isBefore(untilMs) ? answer
        : this.#askSpace(spaceId, ask)),
      (error: unknown) => {
        if (!isAbsence(error) || directory.isBefore(untilMs)) throw error;
        return this.#askSpace(spaceId, ask);
      },
    );
  }

  #askSpace<T>(spaceId: SpaceId, ask: (store: ShardStore) => Promise<T>): Promise<T> {
    return this.#sure(async () => {
      const number = this.#router.numberOfSpace(spaceId);
      const store = await this.#router.ofSpace(spaceId);
      return { answer: () => ask(store), counts: () => this.#isSpaceHome(spaceId, number, store) };
    });
  }

  /** For whoever reads on and on: to be confirmed with each piece, and at the end. */
  async where(spaceId: SpaceId): Promise<SpaceShard> {
    const { directory } = this.#router;
    const number = this.#router.numberOfSpace(spaceId);
    const store = await this.#router.ofSpace(spaceId);
    const untilMs = directory.sureUntilMs;
    return {
      store,
      confirm: async () => {
        if (directory.isSettled || directory.isBefore(untilMs)) return;
        const isSame = this.#router.numberOfSpace(spaceId) === number;
        if (isSame && directory.isBefore(directory.sureUntilMs)) return;
        if (await this.#isSpaceHome(spaceId, number, store)) return;
        await directory.refresh(); // So that the next attempt finds it.
        throw directoryAway();
      },
    };
  }

  /** Of all these tenants together. */
  ofTenants<T>(
    tenants: () => Promise<readonly TenantId[]>, ask: () => Promise<T>,
    isFound: (answer: T) => boolean = () => false,
  ): Promise<T> {
    const { directory } = this.#router;
    if (directory.isSettled) return ask();
    return this.#sure(async () => ({
      answer: ask, isFound,
      counts: async () => {
        for (const tenant of await tenants()) {
          if (!await this.#isTenantHome(tenant)) return false;
        }
        return true;
      },
    }));
  }

  /** What asks all shards, and keeps of each what is at home there by `map`. */
  ofAll<T>(
    ask: (map: ShardMap) => Promise<T>, isFound: (answer: T) => boolean = () => false,
  ): Promise<T> {
    const { directory } = this.#router;
    if (directory.isSettled) return ask(directory.map);
    return this.#sure(async () => {
      const { map } = directory;
      return { answer: () => ask(map), isFound, counts: () => false };
    });
  }

  /** Asks until the answer counts. `counts` is asked behind it, when the map is not sure. */
  async #sure<T>(begin: () => Promise<{
    answer: () => Promise<T>; counts: Counts; isFound?: (answer: T) => boolean;
  }>): Promise<T> {
    const { directory } = this.#router;
    for (let attempt = 1; ; attempt += 1) {
      const untilMs = directory.sureUntilMs;
      const { map } = directory;
      const { answer, counts, isFound } = await begin();
      const [end] = await Promise.allSettled([answer()]);
      const isSure = (): boolean => directory.isBefore(untilMs)
        || (directory.map === map && directory.isBefore(directory.sureUntilMs));
      const mayCount = async (): Promise<boolean> =>
        isSure() || (await counts() && directory.map === map);
      if (end.status === 'rejected') {
        if (!isAbsence(end.reason) || await mayCount()) throw end.reason as Error;
      } else if (isFound?.(end.value) === true || await mayCount()) return end.value;
      if (attempt >= ATTEMPTS_MAX || !await directory.refresh()) throw directoryAway();
    }
  }

  /** Whether a shard says itself that a space is at home there, as the map does. */
  async #isSpaceHome(spaceId: SpaceId, number: number, store: ShardStore): Promise<boolean> {
    if (this.#router.numberOfSpace(spaceId) !== number) return false;
    const rows = store.tenantRows;
    if (rows === undefined) return true; // Nobody ever moves from there.
    const [space] = await rows.readRows('space', [[spaceId]]);
    return space !== undefined && this.#isHome(store, space[TENANT] as TenantId);
  }

  /** A tenant without a place may have got one since. */
  async #isTenantHome(tenant: TenantId): Promise<boolean> {
    const place = this.#router.placeOf(tenant);
    return place !== undefined
      && this.#isHome(await this.#router.numbered(place.shard), tenant);
  }

  async #isHome({ tenantRows }: ShardStore, tenant: TenantId): Promise<boolean> {
    if (tenantRows === undefined) return true;
    const { epoch, state } = await tenantRows.findPlacement(tenant);
    return state !== 'moved' && epoch === (this.#router.placeOf(tenant)?.epoch ?? 0);
  }
}
