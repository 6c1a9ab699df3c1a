/** Statements that are prepared on a connection of this process: each run is counted, with the time
 *  it took, and may change no more rows than its owner says. What it costs is in ADR 0044. */
import { fingerprintOf } from './fingerprint.ts';
import { checkRows } from './sql-refusal.ts';
import { statementTally } from './statement-tally.ts';
import type { StatementCount } from './statement-tally.ts';

export interface RunStatement<Bind extends unknown[] = unknown[], Row = unknown> {
  get(...values: Bind): Row | undefined;
  all(...values: Bind): Row[];
  run(...values: Bind): { changes: number; lastInsertRowid: number | bigint };
}

/** @param name with its owner in front: `metadata.reader.getNode`.
 *  @param rowsMax when it changes more, it throws SqlRefusal: who has the transaction undoes it. */
export function countedStatement(
  name: string, sql: string, statement: RunStatement, rowsMax = Infinity,
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
    run: (...values) => {
      const answer = counted(() => statement.run(...values), countChanges);
      checkRows(name, answer.changes, rowsMax);
      return answer;
    },
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
