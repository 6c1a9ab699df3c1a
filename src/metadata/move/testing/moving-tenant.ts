/** Two shards and a tenant that moves between them, for tests: a store that looks for it where the
 *  directory says, and a mover. */
import { HoldfastError } from '../../../base/errors.ts';
import { DEFAULT_TENANT } from '../../../base/ids.ts';
import type { TenantId } from '../../../base/ids.ts';
import { systemClock } from '../../../platform/index.ts';
import type { MetadataStore } from '../../metadata-store.ts';
import type { ShardDirectory } from '../../shards/shard-directory.ts';
import type { MoveJournal, MoveRecord } from '../move-record.ts';
import type { MovePace } from '../tenant-move.ts';
import { TenantMover } from '../tenant-mover.ts';
import type { RowsStore } from '../tenant-rows.conformance.ts';

export const TEST_PACE: MovePace = {
  rowsPerSecond: 1_000_000, freezeMaxMs: 2_000, reverseMs: 86_400_000, quietMs: 10, idleMs: 5,
};
const WAIT_MAX_MS = 60_000;

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(ms, resolve);
  });
}

export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const endsAt = systemClock.monotonic() + WAIT_MAX_MS;
  while (!isTrue()) {
    if (systemClock.monotonic() > endsAt) throw new Error(`waited too long: ${what}`);
    await pause(2);
  }
}

export interface MovingTenantParts {
  readonly stores: readonly [RowsStore, RowsStore];
  readonly directory: ShardDirectory;
  readonly journal: MoveJournal;
  readonly pace?: Partial<MovePace>;
  readonly isOurs?: () => boolean;
  readonly settleMs?: number;
}

export class MovingTenant {
  readonly #parts: MovingTenantParts;
  readonly mover: TenantMover;
  /** Refusals that were waited out. */
  waits = 0;
  #committed: Promise<unknown> = Promise.resolve();

  private constructor(parts: MovingTenantParts, mover: TenantMover) {
    this.#parts = parts;
    this.mover = mover;
  }

  static async open(parts: MovingTenantParts): Promise<MovingTenant> {
    const { stores, directory, journal, pace } = parts;
    const mover = await TenantMover.open({
      directory, journal, clock: systemClock, pace: { ...TEST_PACE, ...pace },
      rowsOf: async (shard) => {
        const store = stores[shard];
        if (store === undefined) throw new RangeError(`no shard ${shard}`);
        return store.tenantRows;
      },
      isOurs: () => parts.isOurs?.() ?? true, onFlipped: () => undefined,
    }, parts.settleMs);
    return new MovingTenant(parts, mover);
  }

  async shardOf(tenant: TenantId = DEFAULT_TENANT): Promise<number> {
    const { places } = await this.#parts.directory.read();
    return places.find((place) => place.tenant === tenant)?.shard ?? 0;
  }

  async here(tenant?: TenantId): Promise<RowsStore> {
    const store = this.#parts.stores[await this.shardOf(tenant)];
    if (store === undefined) throw new RangeError('no such shard');
    return store;
  }

  /** As a client does: waits while a tenant is frozen, and looks again where it is. */
  async retried<T>(act: (store: RowsStore) => Promise<T>, tenant?: TenantId): Promise<T> {
    const endsAt = systemClock.monotonic() + WAIT_MAX_MS;
    for (;;) {
      try {
        return await act(await this.here(tenant));
      } catch (error) {
        const passes = error instanceof HoldfastError
          && (error.code === 'tenant-frozen' || error.code === 'tenant-moved');
        if (!passes || systemClock.monotonic() > endsAt) throw error;
        this.waits += 1;
        await pause(1);
      }
    }
  }

  /** The tenant's store, wherever it is. */
  store(close: () => Promise<void>): MetadataStore {
    return new Proxy({} as MetadataStore, {
      get: (_, name: keyof MetadataStore) => {
        if (name === 'close') return close;
        if ((name as string) === 'then') return undefined;
        if (name === 'listFolder') {
          const list = this.#list.bind(this);
          return (...args: Parameters<MetadataStore['listFolder']>) => list(args);
        }
        const ask = (args: unknown[]): Promise<unknown> => this.retried((store) =>
          (store[name] as (...args: unknown[]) => Promise<unknown>)(...args));
        return name === 'commit' ? (...args: unknown[]) => this.#inOrder(() => ask(args))
          : (...args: unknown[]) => ask(args);
      },
    });
  }

  /** What is refused and handed in again must not fall behind what was handed in after it. */
  #inOrder(act: () => Promise<unknown>): Promise<unknown> {
    const done = this.#committed.then(act);
    this.#committed = done.catch(() => undefined);
    return done;
  }

  async* #list(args: Parameters<MetadataStore['listFolder']>) {
    yield* (await this.here()).listFolder(...args);
  }

  /** Moves the tenant to the other shard; resolves when it is there, and its way back is open. */
  async move(to: number, tenant: TenantId = DEFAULT_TENANT): Promise<MoveRecord> {
    await this.mover.start(tenant, to);
    await this.reached('reverse', tenant);
    return this.mover.get(tenant);
  }

  async reached(state: MoveRecord['state'], tenant: TenantId = DEFAULT_TENANT): Promise<void> {
    await until(() => {
      const record = this.mover.get(tenant);
      return record.state === state || record.isPaused;
    }, `${state}, at ${JSON.stringify(this.mover.get(tenant))}`);
    const { isPaused, trouble } = this.mover.get(tenant);
    if (isPaused) throw new Error(`the move stands still: ${trouble}`);
  }

  async back(tenant: TenantId = DEFAULT_TENANT): Promise<void> {
    const { epoch } = this.mover.get(tenant);
    await this.mover.back(tenant);
    await until(() => {
      const record = this.mover.get(tenant);
      return record.isPaused || (record.state === 'reverse' && record.epoch > epoch);
    }, 'the way back');
  }

  async finish(tenant: TenantId = DEFAULT_TENANT): Promise<void> {
    await this.mover.finish(tenant);
    await this.reached('done', tenant);
  }
}
