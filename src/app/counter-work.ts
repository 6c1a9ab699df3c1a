/** Counts what spaces use anew, a round every hour, and says what was put right. */
import { CounterCheck } from '../files/index.ts';
import type { HealedCounters } from '../files/index.ts';
import type { MetadataStore } from '../metadata/index.ts';
import type { Clock, Logger, MetricCounter, Metrics } from '../platform/index.ts';
import type { AuditTrail } from './audit-trail.ts';
import { HourlyRounds } from './hourly-rounds.ts';

/** After a start there is more urgent work. */
const FIRST_RUN_MS = 30 * 60 * 1000;

export interface CounterOptions {
  metadata: MetadataStore;
  /** Shards that the lists of `metadata` have left out; cleared with each round. */
  away?: Set<number>;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  note: AuditTrail['note'];
}

export class CounterWork {
  readonly #options: CounterOptions;
  readonly #check: CounterCheck;
  readonly #rounds: HourlyRounds;
  readonly #counted: MetricCounter;
  readonly #healed: MetricCounter;
  readonly #failures: MetricCounter;

  private constructor(options: CounterOptions) {
    const { metadata, clock, metrics } = options;
    this.#options = options;
    this.#rounds = new HourlyRounds(clock, (signal) => this.#round(signal));
    this.#check = new CounterCheck({
      metadata, now: () => clock.now(), pause: () => this.#rounds.rest(),
      onHealed: (healed) => this.#tell(healed),
    });
    this.#counted = metrics.counter({
      name: 'counters_checked_total', help: 'Spaces whose use was added up anew.',
    });
    this.#healed = metrics.counter({
      name: 'counters_healed_total', help: 'Folders whose size was wrong, and was put right.',
    });
    this.#failures = metrics.counter({
      name: 'counters_failures_total', help: 'Rounds of counting that ended with an error.',
    });
  }

  static start(options: CounterOptions): CounterWork {
    const work = new CounterWork(options);
    work.#rounds.start(FIRST_RUN_MS);
    return work;
  }

  #tell(healed: HealedCounters): void {
    const { spaceId, healedCount, folderCount, storedBytes, countedBytes } = healed;
    this.#healed.inc({}, healedCount);
    this.#options.note({
      act: 'counters-healed', user: '', space: spaceId,
      note: `${healedCount} of ${folderCount} folders had a wrong size; the space seemed to use `
        + `${storedBytes} bytes and uses ${countedBytes}`,
    });
    this.#options.log.error({ ...healed }, 'sizes of folders were wrong, and are put right');
  }

  async #round(signal: AbortSignal): Promise<void> {
    try {
      const { away = new Set(), log } = this.#options;
      away.clear();
      const { spaceCount } = await this.#check.run(signal);
      this.#counted.inc({}, spaceCount);
      if (away.size > 0) {
        log.warn({ shards: [...away] }, 'nothing was counted on shards that cannot be reached');
      }
    } catch (err) {
      if (signal.aborted) return;
      this.#failures.inc();
      this.#options.log.error({ err }, 'counting anew has failed; trying again in an hour');
    }
  }

  /** Stops after the space in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }
}
