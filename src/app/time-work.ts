/** What goes on by itself about the past: restores that a stop has interrupted, and forgetting. */
import type { Batches } from '../files/index.ts';
import { RetentionSchedule } from './retention.ts';
import type { RetentionOptions } from './retention.ts';

export class TimeWork {
  readonly #batches: Batches;
  readonly #retention: RetentionSchedule;

  private constructor(batches: Batches, retention: RetentionSchedule) {
    this.#batches = batches;
    this.#retention = retention;
  }

  static async start(batches: Batches, options: RetentionOptions): Promise<TimeWork> {
    const resumed = await batches.resume();
    if (resumed > 0) options.log.info({ resumed }, 'going on with restores that were interrupted');
    return new TimeWork(batches, RetentionSchedule.start(options));
  }

  /** Restores go on at the next start. */
  async stop(): Promise<void> {
    await this.#retention.stop();
    await this.#batches.close();
  }
}
