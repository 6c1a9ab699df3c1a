/** Forgets what need not be kept, every hour, with a rest after each slice. */
import { RetentionJob } from '../files/index.ts';
import type { RetentionPolicy } from '../files/index.ts';
import type { MetadataStore } from '../metadata/index.ts';
import type { Clock, Logger, MetricCounter, Metrics } from '../platform/index.ts';

const HOUR_MS = 60 * 60 * 1000;
/** After a start there is more urgent work. */
const FIRST_RUN_MS = 15 * 60 * 1000;
/** A slice takes some milliseconds: users have nearly all of the time. */
const PAUSE_MS = 100;

export interface RetentionOptions {
  metadata: MetadataStore;
  policy: RetentionPolicy;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

export class RetentionSchedule {
  readonly #options: RetentionOptions;
  readonly #job: RetentionJob;
  readonly #abort = new AbortController();
  readonly #rows: MetricCounter;
  readonly #versions: MetricCounter;
  readonly #failures: MetricCounter;
  #lastEndedAt = 0;
  #cancel: () => void = () => undefined;
  #running: Promise<void> | undefined;

  private constructor(options: RetentionOptions) {
    const { metadata, policy, clock, metrics } = options;
    this.#options = options;
    this.#job = new RetentionJob({
      metadata, policy, now: () => clock.now(), pause: () => this.#rest(),
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
    schedule.#plan(FIRST_RUN_MS);
    return schedule;
  }

  #plan(afterMs: number): void {
    this.#cancel = this.#options.clock.after(afterMs, () => {
      this.#running = this.#round();
      void this.#running.finally(() => this.#plan(HOUR_MS));
    });
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#abort;
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#options.clock.after(PAUSE_MS, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  async #round(): Promise<void> {
    const { log, clock } = this.#options;
    try {
      const report = await this.#job.run(this.#abort.signal);
      this.#rows.inc({}, report.rowCount);
      this.#versions.inc({}, report.versionCount);
      if (report.isWhole) this.#lastEndedAt = clock.now();
      const { rowCount, versionCount, spaceCount } = report;
      if (rowCount + versionCount > 0) {
        log.info({ rowCount, versionCount, spaceCount }, 'forgot what was due');
      }
    } catch (err) {
      if (this.#abort.signal.aborted) return;
      this.#failures.inc();
      log.error({ err }, 'forgetting what was due has failed; trying again in an hour');
    }
  }

  /** Stops after the slice in hand. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#cancel();
    await this.#running;
    this.#cancel();
  }
}
