/** One connection to a database, as much of it as the runner of schema changes needs. */
import type { SqlValue } from '../../row-upgrades.ts';

export interface SqlSession {
  /** Each row an array of its columns. */
  query(text: string, values?: readonly SqlValue[]): Promise<unknown[][]>;
  /** Answers how many rows were changed. */
  change(text: string, values?: readonly SqlValue[]): Promise<number>;
  /** The one place through which tables are made, altered and dropped. */
  alter(text: string): Promise<void>;
  /** One transaction: all of what `act` does, or nothing. It may be done anew, even when it was
   *  done: so let it be what may be done twice. */
  atomically<T>(act: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How a table of the runner is made: the columns are the same everywhere. */
export type MakeTable = (name: string, columns: string) => string;
