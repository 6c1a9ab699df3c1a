import type { RowValue } from '../../move/tenant-rows.ts';
import type { Dialect, SqlStep } from './row-sql.ts';

/** What the rows of tenants are in. */
export interface RowDatabase {
  readonly dialect: Dialect;
  /** Each row an array of its columns. */
  read(step: SqlStep): Promise<RowValue[][]>;
  /** One durable transaction of the database's writer. Answers how many rows the last step found
   *  to change. `isAside`: nothing that writers remember is touched. */
  write(steps: readonly SqlStep[], isAside: boolean): Promise<number>;
  /** Names of those that there are, whosever they are. */
  triggers(): Promise<string[]>;
  /** Makes or drops triggers; part of it may be done when it fails. @throws busy: a transaction of
   *  somebody else stands in the way, and for some time has not ended. */
  alter(texts: readonly string[]): Promise<void>;
}
