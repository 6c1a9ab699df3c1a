/** Forgets what need not be kept, every hour, with a rest after each slice. */
import { RetentionJob } from '../files/index.ts';
import type { RetentionPolicy } from '../files/index.ts';
import type { MetadataStore } from '../metadata/index.ts';
import type { Clock, Logger, MetricCounter, Metrics } from '../platform/index.ts';
import { HourlyRounds } from './hourly-rounds.ts';

/** After a start there is more urgent work. */
const FIRST_RUN_MS = 15 * 60 * 1000;

export interface RetentionOptions {
  metadata: MetadataStore;
  /** Shards that the lists of `metadata` have left out; cleared with each round. */
  away?: Set<number>;
  policy: RetentionPolicy;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

export class RetentionSchedule {
  readonly #options: RetentionOptions;
  readonly #job: RetentionJob;
  readonly #rounds: HourlyRounds;
  readonly #rows: MetricCounter;
  readonly #versions: MetricCounter;
  readonly #failures: MetricCounter;
  #lastEndedAt = 0;

  private constructor(options: RetentionOptions) {
    const { metadata, policy, clock, metrics } = options;
    this.#options = options;
    this.#rounds = new HourlyRounds(clock, (signal) => this.#round(signal));
    this.#job = new RetentionJob({
      metadata, policy, now: () => clock.now(), pause: () => this.#rounds.rest(),
    });
    this.#rows = metrics.counter({
      name: 'retention_rows_total', help: 'Rows of the trash and of the past that were forgotten.',
    });
    this.#versions = metrics.counter({
      name: 'retention_versions_total', help: 'Versions of files that were thinned out.',
    });
    this.#failures = metrics.counter({
      name: 'retention_failures_total', help: 'Rounds of forgetting that ended with an error.',
    });
    metrics.gaugeOf({
      name: 'retention_last_run_timestamp_seconds',
      help: 'When all that was due had been forgotten.',
    }, () => this.#lastEndedAt / 1000);
  }

  static start(options: RetentionOptions): RetentionSchedule {
    const schedule = new RetentionSchedule(options);
    schedule.#rounds.start(FIRST_RUN_MS);
    return schedule;
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { log, clock, away = new Set() } = this.#options;
    away.clear();
    try {
      const report = await this.#job.run(signal);
      this.#rows.inc({}, report.rowCount);
      this.#versions.inc({}, report.versionCount);
      if (report.isWhole && away.size === 0) this.#lastEndedAt = clock.now();
      if (away.size > 0) {
        log.warn({ shards: [...away] }, 'nothing was forgotten on shards that cannot be reached');
      }
      const { rowCount, versionCount, spaceCount } = report;
      if (rowCount + versionCount > 0) {
        log.info({ rowCount, versionCount, spaceCount }, 'forgot what was due');
      }
    } catch (err) {
      if (signal.aborted) return;
      this.#failures.inc();
      log.error({ err }, 'forgetting what was due has failed; trying again in an hour');
    }
  }

  /** Stops after the slice in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }
}
