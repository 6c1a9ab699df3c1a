/**
 * Looks after the shards every few seconds: so that one that is back is used before anybody asks
 * for it, and that administrators see whose files cannot be reached.
 */
import { isKind } from '../base/errors.ts';
import type { TenantId } from '../base/ids.ts';
import type { ShardRecord } from '../metadata/index.ts';
import type { Clock, Metrics } from '../platform/index.ts';
import type { Shards } from './shards.ts';

const LOOK_MS = 5_000;
/** A shard that takes longer counts as away. */
const ANSWER_MS_MAX = 4_000;

type Watched = Pick<Shards, 'directory' | 'pool'>;

export class ShardWatch {
  readonly #shards: Watched;
  readonly #clock: Clock;
  #away: ReadonlySet<number> = new Set();
  #cancel = (): void => undefined;
  #looking: Promise<void> = Promise.resolve();
  #isStopped = false;

  private constructor(shards: Watched, clock: Clock) {
    this.#shards = shards;
    this.#clock = clock;
  }

  static start(shards: Watched, { clock, metrics }: { clock: Clock; metrics: Metrics }) {
    const watch = new ShardWatch(shards, clock);
    metrics.gaugeOf({
      name: 'metadata_shards_away', help: 'Databases of metadata that cannot be reached.',
    }, () => watch.#away.size);
    watch.#next(0);
    return watch;
  }

  /** Those with a place on a shard that did not answer when it was last looked at. */
  tenantsAway(): TenantId[] {
    const { places } = this.#shards.directory.map.view;
    return places.filter(({ shard }) => this.#away.has(shard)).map(({ tenant }) => tenant);
  }

  #next(delayMs: number): void {
    if (this.#isStopped) return;
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#looking = this.#look().finally(() => this.#next(LOOK_MS));
    });
  }

  async #look(): Promise<void> {
    const { inUse } = this.#shards.directory.map;
    // One shard is asked with every request; whoever asks hears of it.
    if (inUse.length === 1) return;
    const answers = await Promise.all(inUse.map((shard) => this.#answers(shard)));
    this.#away = new Set(inUse.filter((_, at) => answers[at] !== true).map(({ number }) => number));
  }

  async #answers(shard: ShardRecord): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const cancel = this.#clock.after(ANSWER_MS_MAX, () => late.resolve(false));
    try {
      const asked = (async () => {
        await (await this.#shards.pool.get(shard)).findBatch(0);
        return true;
      })();
      asked.catch(() => undefined); // It may fail when nobody waits any more.
      return await Promise.race([asked, late.promise]);
    } catch (error) {
      if (isKind(error, 'unavailable') || isKind(error, 'busy')) return false;
      throw error;
    } finally {
      cancel();
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#looking;
  }
}
