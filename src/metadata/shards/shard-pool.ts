/** The stores of all shards, opened when they are first needed. */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { storeClosed } from '../refusals.ts';
import type { ShardRecord } from './shard-directory.ts';
import { shardAway } from './shard-refusals.ts';
import type { ShardStore } from './shard-store.ts';

/** After a failure nobody tries again for so long: whoever asks meanwhile is refused at once. */
export const REOPEN_MS = 1_000;
/** Whoever needs a shard waits no longer than this for it to open; the opening goes on. */
const OPENING_MS_MAX = 5_000;

export type OpenShard = (shard: ShardRecord) => Promise<ShardStore>;

export interface ShardPoolOptions {
  clock: Clock;
  open: OpenShard;
  /** Told of each shard that can be used from now on. */
  onOpened?: (shard: number) => void;
  /** Told of each shard that could not be opened. */
  onTrouble?: (shard: number, error: unknown) => void;
}

interface Held {
  store: ShardStore | undefined;
  opening: Promise<ShardStore> | undefined;
  failedAt: number | undefined;
  failure: unknown;
}

export class ShardPool {
  readonly #options: ShardPoolOptions;
  readonly #held = new Map<number, Held>();
  #isClosed = false;

  /** `opened`: those that are open already. */
  constructor(options: ShardPoolOptions, opened: ReadonlyMap<number, ShardStore> = new Map()) {
    this.#options = options;
    for (const [number, store] of opened) {
      this.#held.set(number, {
        store, opening: undefined, failedAt: undefined, failure: undefined,
      });
    }
  }

  /** One that was opened, whatever became of its server since. */
  find(number: number): ShardStore | undefined {
    return this.#isClosed ? undefined : this.#held.get(number)?.store;
  }

  /** @throws unavailable `shard-away`. */
  get(shard: ShardRecord): ShardStore | Promise<ShardStore> {
    if (this.#isClosed) throw storeClosed();
    const held = this.#holdOf(shard.number);
    return held.store ?? this.#inTime(shard.number, held, () => this.#open(shard, held));
  }

  /** Whatever happened before, and with the reason when it cannot be opened.
   *  @throws what the opening throws. */
  async openNow(shard: ShardRecord): Promise<ShardStore> {
    const held = this.#holdOf(shard.number);
    if (held.store !== undefined) return held.store;
    try {
      return await (held.opening ?? this.#open(shard, held));
    } catch (error) {
      throw held.failure ?? error;
    }
  }

  #holdOf(number: number): Held {
    const there = this.#held.get(number);
    if (there !== undefined) return there;
    const made = { store: undefined, opening: undefined, failedAt: undefined, failure: undefined };
    this.#held.set(number, made);
    return made;
  }

  async #inTime(
    number: number, held: Held, open: () => Promise<ShardStore>,
  ): Promise<ShardStore> {
    const { clock } = this.#options;
    const isResting = held.failedAt !== undefined && clock.monotonic() - held.failedAt < REOPEN_MS;
    if (held.opening === undefined && isResting) throw shardAway(number, held.failure);
    const opening = held.opening ?? open();
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(OPENING_MS_MAX, () => late.reject(shardAway(number)));
    try {
      return await Promise.race([opening, late.promise]);
    } finally {
      cancel();
    }
  }

  #open(shard: ShardRecord, held: Held): Promise<ShardStore> {
    const { clock, onOpened, onTrouble } = this.#options;
    const opening = this.#options.open(shard).then(async (store) => {
      if (this.#isClosed) {
        await store.close();
        throw storeClosed();
      }
      held.store = store;
      held.failure = undefined;
      onOpened?.(shard.number);
      return store;
    }).catch((error: unknown) => {
      held.failedAt = clock.monotonic();
      held.failure = error;
      onTrouble?.(shard.number, error);
      throw awayAs(shard.number, error);
    }).finally(() => {
      held.opening = undefined;
    });
    opening.catch(() => undefined); // Whoever waits for it hears of it; perhaps nobody does.
    held.opening = opening;
    return opening;
  }

  /** Of a shard that is not in use any more. */
  async release(number: number): Promise<void> {
    const held = this.#held.get(number);
    this.#held.delete(number);
    await held?.store?.close();
  }

  /** Calm when called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const held of this.#held.values()) {
      await held.opening?.catch(() => undefined); // It closes what it opens, and hears of faults.
      await held.store?.close();
    }
  }
}

/** Whatever keeps a shard from being opened, its tenants wait: nothing of theirs is gone. */
function awayAs(number: number, error: unknown): HoldfastError {
  if (error instanceof HoldfastError && error.kind === 'unavailable') {
    return error.code === 'store-closed' ? error : shardAway(number, error);
  }
  return shardAway(number, error);
}
