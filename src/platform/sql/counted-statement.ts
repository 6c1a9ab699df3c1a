/** Statements that are prepared on a connection of this process: each run is counted, with the time
 *  it took. What it costs is in ADR 0044. */
import { fingerprintOf } from './fingerprint.ts';
import { statementTally } from './statement-tally.ts';
import type { StatementCount } from './statement-tally.ts';

export interface RunStatement {
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  run(...values: unknown[]): { changes: number };
}

/** @param name with its owner in front: `metadata.reader.getNode`. */
export function countedStatement(
  name: string, sql: string, statement: RunStatement,
): RunStatement {
  let count: StatementCount | undefined;
  const counted = <T>(ask: () => T, rowsOf: (answer: T) => number): T => {
    // Not when it is prepared: most statements never run, and starting is to be quick.
    count ??= statementTally.countOf(name, fingerprintOf(sql));
    const begunMs = performance.now();
    try {
      const answer = ask();
      count.note(performance.now() - begunMs, rowsOf(answer));
      return answer;
    } catch (error) {
      count.noteError(performance.now() - begunMs);
      throw error;
    }
  };
  return {
    get: (...values) => counted(() => statement.get(...values), countRow),
    all: (...values) => counted(() => statement.all(...values), countRows),
    run: (...values) => counted(() => statement.run(...values), countChanges),
  };
}

function countRow(row: unknown): number {
  return row === undefined ? 0 : 1;
}

function countRows(rows: unknown[]): number {
  return rows.length;
}

function countChanges({ changes }: { changes: number }): number {
  return changes;
}
