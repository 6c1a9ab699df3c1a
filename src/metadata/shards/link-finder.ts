/** Which shard has a link: nothing in its secret tells, so all are asked, once. */
import type { GrantRecord } from '../access-records.ts';
import type { Clock } from '../../platform/index.ts';
import { shardAway } from './shard-refusals.ts';
import type { ShardStore } from './shard-store.ts';

const KNOWN_MAX = 10_000;
/** Shards that are asked at the same time. */
const ASKED_AT_ONCE = 16;
/** A shard that takes longer counts as away. */
const ANSWER_MS_MAX = 3_000;

export interface AskedShard {
  number: number;
  store: () => ShardStore | Promise<ShardStore>;
  /** Whether a grant is at home there. */
  isHome: (grant: GrantRecord) => boolean;
}

export class LinkFinder {
  readonly #clock: Clock;
  /** By the link's hash. A hint: whoever is named there is asked first. */
  #known = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws unavailable `shard-away`: it is not where it could be asked, and one could not. */
  async find(
    tokenHash: string, shards: readonly AskedShard[],
  ): Promise<GrantRecord | undefined> {
    const known = this.#known.get(tokenHash);
    const first = shards.find(({ number }) => number === known);
    if (first !== undefined) {
      const found = await this.#ask(first, tokenHash);
      if (found !== undefined) return found;
      this.#known.delete(tokenHash);
    }
    return this.#askAll(tokenHash, shards.filter((shard) => shard !== first));
  }

  async #askAll(
    tokenHash: string, shards: readonly AskedShard[],
  ): Promise<GrantRecord | undefined> {
    let failure: unknown;
    for (let from = 0; from < shards.length; from += ASKED_AT_ONCE) {
      const asked = shards.slice(from, from + ASKED_AT_ONCE).map(async (shard) => {
        const found = await this.#ask(shard, tokenHash);
        if (found === undefined) throw new NotThere();
        this.#note(tokenHash, shard.number);
        return found;
      });
      try {
        return await Promise.any(asked); // One that has it need not wait for those that are slow.
      } catch (error) {
        const { errors } = error as AggregateError;
        failure ??= errors.find((one) => !(one instanceof NotThere));
      }
    }
    if (failure !== undefined) throw failure as Error;
    return undefined;
  }

  async #ask(
    { number, store, isHome }: AskedShard, tokenHash: string,
  ): Promise<GrantRecord | undefined> {
    const late = Promise.withResolvers<never>();
    const cancel = this.#clock.after(ANSWER_MS_MAX, () => late.reject(shardAway(number)));
    try {
      const asked = (async () => (await store()).findLink(tokenHash))();
      const found = await Promise.race([asked, late.promise]);
      return found !== undefined && isHome(found) ? found : undefined;
    } finally {
      cancel();
    }
  }

  #note(tokenHash: string, shard: number): void {
    if (this.#known.size >= KNOWN_MAX) this.#known = new Map();
    this.#known.set(tokenHash, shard);
  }
}

class NotThere extends Error {}
