/** What goes on by itself: restores that a stop has interrupted, forgetting, and counting anew. */
import type { Batches } from '../files/index.ts';
import { CounterWork } from './counter-work.ts';
import type { CounterOptions } from './counter-work.ts';
import { RetentionSchedule } from './retention.ts';
import type { RetentionOptions } from './retention.ts';

export class TimeWork {
  readonly #retention: RetentionSchedule;
  readonly #counters: CounterWork;

  private constructor(options: RetentionOptions & CounterOptions) {
    this.#retention = RetentionSchedule.start(options);
    this.#counters = CounterWork.start(options);
  }

  static async start(
    batches: Batches, options: RetentionOptions & CounterOptions,
  ): Promise<TimeWork> {
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
