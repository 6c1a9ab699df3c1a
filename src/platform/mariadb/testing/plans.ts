/** What tests ask of both kinds of servers, which give it in different forms. */
import type { Session } from '../session.ts';
import type { SqlValue } from '../named-sql.ts';

/** For a FROM: the whole numbers from 1 on, as `seq`. */
export function numbersTo(last: number): string {
  return `(WITH RECURSIVE numbers (seq) AS
    (SELECT 1 UNION ALL SELECT seq + 1 FROM numbers WHERE seq < ${last})
    SELECT seq FROM numbers) numbers`;
}

/** One table that a statement reads, in the words of EXPLAIN. */
export interface PlanRow {
  /** Its name, or the statement's other name for it. */
  readonly table: string;
  /** `ALL`, `index`, `ref` … */
  readonly type: string;
  readonly rows: number;
}

/** What MySQL shows beside MariaDB's columns: `partitions`, before the type, and `filtered`. */
const MYSQL_COLUMNS = 12;

/** How the server would run a statement. @throws the driver's error. */
export async function planOf(
  session: Session, text: string, values: readonly SqlValue[],
): Promise<PlanRow[]> {
  const { rows } = await session.execute(`EXPLAIN FORMAT = TRADITIONAL ${text}`, values);
  // MySQL names the table that is inserted into too, of which nothing is read.
  return rows.filter(([, kind]) => kind !== 'INSERT').map((row) => {
    const at = row.length === MYSQL_COLUMNS ? 4 : 3;
    return { table: String(row[2]), type: String(row[at]), rows: Number(row[at + 5]) };
  });
}
