/** The tables in SQLite, as the writer works on them. */
import type { Statement } from 'better-sqlite3';
import type { FaultData } from '../../../../base/errors.ts';
import { checkRows } from '../../../../platform/index.ts';
import { checkDurable, sealSchema } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { isFatal, toFault } from '../faults.ts';
import { prepareStatements } from '../statements.ts';
import type { SqlStep } from '../messages.ts';
import type { Statements } from '../statements.ts';
import type { WriterDatabase } from './metadata-writer.ts';

/** Pages in the write-ahead log that make a checkpoint due: about 8 MiB. */
const CHECKPOINT_PAGES = 2_000;

export class SqliteWriterDatabase implements WriterDatabase {
  readonly sql: Statements;
  readonly #connection: Connection;
  readonly #dataVersion: Statement;
  #knownDataVersion: unknown;
  #checkpointedAt = 0;

  /** Takes the connection over; `close` closes it. */
  constructor(connection: Connection) {
    checkDurable(connection);
    this.#connection = connection;
    this.sql = prepareStatements(connection);
    this.#dataVersion = connection.prepare('PRAGMA data_version').pluck();
    sealSchema(connection);
  }

  /** Nobody else should write; but somebody may have. */
  begin(): boolean {
    this.sql.begin.run();
    const version = this.#dataVersion.get();
    if (version === this.#knownDataVersion) return false;
    this.#knownDataVersion = version;
    return true;
  }

  runSteps(steps: readonly SqlStep[]): readonly number[] {
    return steps.map(({ text, values, rowsMax = 1 }) => {
      const { changes } = this.#connection.prepare(text).run(...values);
      checkRows('metadata.move.step', changes, rowsMax);
      return changes;
    });
  }

  commit(): void {
    this.sql.commit.run();
  }

  rollback(): void {
    if (this.#connection.inTransaction) this.sql.rollback.run();
  }

  mayTryAgain(): boolean {
    return false;
  }

  concernsAll(): boolean {
    return false;
  }

  isFatal(error: unknown): boolean {
    return isFatal(error);
  }

  toFault(error: unknown): FaultData {
    return toFault(error);
  }

  /** Folds the write-ahead log into the database when it has grown. A reader in the way is waited
   *  for by trying again later, not here. */
  tidyUp(): void {
    const [state] = this.#connection.pragma('wal_checkpoint(NOOP)') as
      [{ log: number; checkpointed: number }];
    const { log, checkpointed } = state;
    if (log < this.#checkpointedAt) this.#checkpointedAt = 0;
    const isDue = log - checkpointed >= CHECKPOINT_PAGES
      && log - this.#checkpointedAt >= CHECKPOINT_PAGES;
    if (!isDue) return;
    this.#connection.pragma('wal_checkpoint(PASSIVE)');
    this.#checkpointedAt = log;
  }

  close(): void {
    this.#connection.close();
  }
}
