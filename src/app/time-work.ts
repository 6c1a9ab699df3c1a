/** What goes on by itself: restores that a stop has interrupted, forgetting, and counting anew. */
import type { Batches } from '../files/index.ts';
import { CounterWork } from './counter-work.ts';
import type { CounterOptions } from './counter-work.ts';
import { RetentionSchedule } from './retention.ts';
import type { RetentionOptions } from './retention.ts';
import type { Shards } from './shards.ts';

type TimeOptions = Omit<RetentionOptions & CounterOptions, 'metadata' | 'away'>
  & Pick<Shards, 'withoutAway'>;

/** What can be reached is worked on, and the rest in a later round. */
function reached(shards: Pick<Shards, 'withoutAway'>) {
  const away = new Set<number>();
  return { metadata: shards.withoutAway((shard) => away.add(shard)), away };
}

export class TimeWork {
  readonly #retention: RetentionSchedule;
  readonly #counters: CounterWork;

  private constructor(options: TimeOptions) {
    this.#retention = RetentionSchedule.start({ ...options, ...reached(options) });
    this.#counters = CounterWork.start({ ...options, ...reached(options) });
  }

  static async start(batches: Batches, options: TimeOptions): Promise<TimeWork> {
    const resumed = await batches.resume();
    if (resumed > 0) options.log.info({ resumed }, 'going on with restores that were interrupted');
    return new TimeWork(options);
  }

  /** Restores go on: they are those of who asked for them. */
  async stop(): Promise<void> {
    await this.#counters.stop();
    await this.#retention.stop();
  }
}
