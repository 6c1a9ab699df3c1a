/** What statements cost the databases: for `holdfast db top`, and for the metrics. */
import { HoldfastError } from '../base/errors.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import { statementTally } from '../platform/index.ts';
import type { Metrics, StatementFigures } from '../platform/index.ts';

const ORDERS: Readonly<Record<string, (figures: StatementFigures) => number>> = {
  total: ({ totalMs }) => totalMs,
  p99: ({ p99Ms }) => p99Ms,
  rows: ({ rows }) => rows,
};
const LIMIT_MAX = 1_000;

/** Counted since the process began: without a server there is nothing to tell. */
export function databaseOperations({ isServing }: { isServing: boolean }): Operations {
  return {
    'db.top': async (input) => {
      if (!isServing) {
        throw new HoldfastError('precondition', 'app/db.top', 'No server runs on this data. '
          + 'Statements are counted by a running server, and forgotten when it ends.');
      }
      const { by, limit } = input;
      const measure = typeof by === 'string' ? ORDERS[by] : undefined;
      if (measure === undefined || typeof limit !== 'number' || limit < 1 || limit > LIMIT_MAX) {
        throw new HoldfastError('invalid', 'app/db.top', 'Sort by total, p99 or rows, and ask for '
          + `1 to ${LIMIT_MAX} statements.`);
      }
      const all = [...statementTally].toSorted((a, b) => measure(b) - measure(a));
      const statements = all.slice(0, limit).map((figures): PlainRecord => ({ ...figures }));
      return { statements, count: all.length };
    },
  };
}

const SECOND_MS = 1_000;

function seriesOf({ name, fingerprint, ...figures }: StatementFigures): string {
  const labels = `statement="${name}",fingerprint="${fingerprint}"`;
  const { count, errors, rows, totalMs, p50Ms, p99Ms } = figures;
  const series = 'holdfast_db_statement';
  return `${series}_seconds{${labels},quantile="0.5"} ${p50Ms / SECOND_MS}\n`
    + `${series}_seconds{${labels},quantile="0.99"} ${p99Ms / SECOND_MS}\n`
    + `${series}_seconds_sum{${labels}} ${totalMs / SECOND_MS}\n`
    + `${series}_seconds_count{${labels}} ${count}\n`
    + `${series}_errors_total{${labels}} ${errors}\n`
    + `${series}_rows_total{${labels}} ${rows}\n`;
}

/** As many series as there are forms of statements: a fixed number. */
export function addDatabaseMetrics(metrics: Metrics): void {
  metrics.addText(() => '# HELP holdfast_db_statement_seconds Time of statements to databases\n'
    + '# TYPE holdfast_db_statement_seconds summary\n'
    + [...statementTally].map(seriesOf).join(''));
}
