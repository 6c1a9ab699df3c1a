/** How much of what this process asks its database servers is tried again: one budget for each
 *  server, in the metrics; and a line in the log while work has to wait for it. */
import { RetryBudgets } from '../platform/index.ts';
import type { Clock, Logger, Metrics, RetryFigures } from '../platform/index.ts';

/** Of this process. It goes with the addresses of the servers to all who speak to them. */
export const databaseRetries = new RetryBudgets();

const LOOK_MS = 1_000;
const LINE_EVERY_MS = 60_000;

const SERIES: readonly [name: string, figure: keyof RetryFigures, help: string][] = [
  ['first_tries', 'firstTries', 'Pieces of work for a database server.'],
  ['retries', 'retries', 'Further tries of what has failed there.'],
  ['retries_slowed', 'slowed', 'Further tries that had to wait as the budget was spent.'],
  ['retries_given_up', 'givenUp', 'Those of them that were not made, as nobody could wait longer.'],
];

export interface DatabaseRetryWatchParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly budgets?: RetryBudgets;
}

export class DatabaseRetryWatch {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #budgets: RetryBudgets;
  /** By server, what was told last, and when. */
  readonly #told = new Map<string, { figures: RetryFigures; atMs: number }>();
  #cancel = (): void => undefined;
  #isStopped = false;

  private constructor({ clock, log, budgets = databaseRetries }: DatabaseRetryWatchParts) {
    this.#clock = clock;
    this.#log = log;
    this.#budgets = budgets;
  }

  static start(parts: DatabaseRetryWatchParts): DatabaseRetryWatch {
    const watch = new DatabaseRetryWatch(parts);
    parts.metrics.addText(() => watch.#text());
    watch.#look();
    return watch;
  }

  #text(): string {
    return SERIES.map(([name, figure, help]) => {
      const series = `holdfast_database_${name}_total`;
      const values = [...this.#budgets].map(([server, { figures }]) =>
        `${series}{server="${server}"} ${figures[figure]}\n`);
      return `# HELP ${series} ${help}\n# TYPE ${series} counter\n${values.join('')}`;
    }).join('');
  }

  #look(): void {
    if (this.#isStopped) return;
    for (const [server, { figures }] of this.#budgets) this.#tell(server, figures);
    this.#cancel = this.#clock.after(LOOK_MS, () => this.#look());
  }

  #tell(server: string, figures: RetryFigures): void {
    const before = this.#told.get(server);
    const slowed = figures.slowed - (before?.figures.slowed ?? 0);
    const atMs = this.#clock.monotonic();
    if (slowed === 0 || (before !== undefined && atMs - before.atMs < LINE_EVERY_MS)) return;
    this.#told.set(server, { figures, atMs });
    const since = (figure: keyof RetryFigures): number =>
      figures[figure] - (before?.figures[figure] ?? 0);
    this.#log.warn({
      server, slowed, givenUp: since('givenUp'), retries: since('retries'),
      firstTries: since('firstTries'),
    }, 'a database server is in trouble: too much of what it is asked fails and would be tried '
      + 'again, so that has to wait');
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }
}
