/** Compares the tables of every shard with those that this version would make, every hour. */
import type { Clock, Logger, MetricGauge, Metrics } from '../platform/index.ts';
import { CHANGES, driftText, findDrift, readStatus } from '../schema/index.ts';
import type { Goldens, SchemaBook, SchemaChange, SchemaShard } from '../schema/index.ts';
import { HourlyRounds } from './hourly-rounds.ts';

/** After a start there is more urgent work. */
const FIRST_RUN_MS = 5 * 60 * 1000;
/** So many differences are told one by one in the log. */
const TOLD_MAX = 20;

export interface DriftOptions {
  readonly find: () => Promise<{ shards: readonly SchemaShard[]; goldens: Goldens }>;
  readonly changes?: readonly SchemaChange[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Old rows are counted with what the shards say alone. */
const NO_BOOK: Pick<SchemaBook, 'listChanges' | 'listRuns'> = {
  listChanges: () => Promise.resolve([]),
  listRuns: () => Promise.resolve([]),
};

export class DriftWork {
  readonly #options: DriftOptions;
  readonly #rounds: HourlyRounds;
  readonly #drifted: MetricGauge;
  readonly #unread: MetricGauge;
  readonly #oldRows: MetricGauge;

  private constructor(options: DriftOptions) {
    const { clock, metrics } = options;
    this.#options = options;
    this.#rounds = new HourlyRounds(clock, (signal) => this.#round(signal));
    this.#drifted = metrics.gauge({
      name: 'schema_drift_shards', help: 'Shards whose tables are not as they should be.',
    });
    this.#unread = metrics.gauge({
      name: 'schema_unread_shards', help: 'Shards whose tables could not be looked at.',
    });
    this.#oldRows = metrics.gauge({
      name: 'schema_old_rows', help: 'Rows that are not yet in the present form, by change.',
      labels: ['change'],
    });
  }

  static start(options: DriftOptions): DriftWork {
    const work = new DriftWork(options);
    work.#rounds.start(FIRST_RUN_MS);
    return work;
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { changes = CHANGES, log } = this.#options;
    try {
      const { shards, goldens } = await this.#options.find();
      const found = await findDrift(shards, { changes, goldens, signal });
      if (signal.aborted) return;
      const drifts = found.flatMap(({ shard, drifts: each }) => (
        each.map((drift) => driftText(shard, drift))));
      this.#drifted.set(found.filter((one) => one.drifts.length > 0).length);
      this.#unread.set(found.filter(({ problem }) => problem !== undefined).length);
      for (const drift of drifts.slice(0, TOLD_MAX)) {
        log.error({ drift }, 'a table is not as it should be: see holdfast schema drift');
      }
      await this.#countOld(shards, changes);
    } catch (err) {
      if (!signal.aborted) log.error({ err }, 'shards could not be compared; again in an hour');
    }
  }

  async #countOld(
    shards: readonly SchemaShard[], changes: readonly SchemaChange[],
  ): Promise<void> {
    const backfills = changes.filter(({ kind }) => kind === 'backfill');
    if (backfills.length === 0) return;
    const status = await readStatus({ changes, shards, book: NO_BOOK });
    for (const { change, oldRowCount } of status.changes) {
      if (oldRowCount !== undefined) this.#oldRows.set(oldRowCount, { change: change.id });
    }
  }

  /** Ends after the shards in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }
}
