/**
 * The one writer of a metadata database: it commits batches of changes, each batch as one durable
 * transaction.
 *
 * A refused change has written nothing (it is checked first), so its neighbours are not concerned.
 * An error that nobody expected (a broken constraint, a full disk, a bug) undoes the whole batch;
 * then each of its changes runs again in a transaction of its own, so that only the culprit fails.
 * After an error of the disk itself nothing is tried again: see `isFatal`.
 */
import type { Statement } from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.ts';
import type { FaultData } from '../../../../base/errors.ts';
import type { Recount } from '../../../access-changes.ts';
import type { Copy, Move } from '../../../changes.ts';
import { failpoint } from '../../../../platform/index.ts';
import { checkDurable } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { isFatal, toFault } from '../faults.ts';
import type { Outcome, WriterChange } from '../messages.ts';
import { prepareStatements } from '../statements.ts';
import type { Statements } from '../statements.ts';
import { checkedChange } from './apply-change.ts';
import { CopyJob, sweepsAtStart } from './copy-changes.ts';
import type { SlicedJob } from './copy-changes.ts';
import { RecountJob } from './recount-changes.ts';
import { TreeState } from './tree-state.ts';
import { WitnessState } from './witness-state.ts';

/** Pages in the write-ahead log that make a checkpoint due: about 8 MiB. */
const CHECKPOINT_PAGES = 2_000;

interface QueuedJob {
  /** undefined: nobody waits for it. */
  ticket: number | undefined;
  job: SlicedJob;
}

export class MetadataWriter {
  readonly #connection: Connection;
  readonly #sql: Statements;
  readonly #state: TreeState;
  readonly #witness: WitnessState;
  readonly #dataVersion: Statement;
  #knownDataVersion: unknown;
  #jobs: QueuedJob[];
  #started: QueuedJob[] = [];
  #lastTicket = 0;
  #checkpointedAt = 0;
  #broken: FaultData | undefined;

  /** Takes the connection over; `close` closes it. */
  constructor(connection: Connection) {
    checkDurable(connection);
    this.#connection = connection;
    this.#sql = prepareStatements(connection);
    this.#state = new TreeState(this.#sql);
    this.#witness = new WitnessState(this.#sql);
    this.#dataVersion = connection.prepare('PRAGMA data_version').pluck();
    this.#jobs = sweepsAtStart(this.#state).map((job) => ({ ticket: undefined, job }));
  }

  /** Commits the changes in their order; the outcomes come in the same order. Once it returns, what
   *  they report is on the disk. Never throws: what fails is an outcome. */
  commitBatch(changes: readonly WriterChange[]): Outcome[] {
    if (this.#broken !== undefined) return changes.map(this.#brokenOutcome);
    try {
      return this.#transact(() => changes.map((change) => this.#apply(change)));
    } catch (error) {
      this.#noteFatal(error);
      if (changes.length === 1) return [{ fault: toFault(error) }];
      return changes.flatMap((change) => this.commitBatch([change]));
    }
  }

  readonly #brokenOutcome = (): Outcome => {
    const fault = this.#broken ?? toFault(undefined);
    return { fault };
  };

  #apply(change: WriterChange): Outcome {
    let write;
    try {
      write = checkedChange(this.#state, change);
    } catch (error) {
      if (error instanceof HoldfastError) return { fault: toFault(error) };
      throw error;
    }
    if (write === undefined) return this.#startJob(change as Copy | Move | Recount);
    const result = write();
    if ('witness' in change && change.witness !== undefined) this.#witness.note(change.witness);
    return { result };
  }

  #startJob(change: Copy | Move | Recount): Outcome {
    this.#lastTicket += 1;
    const ticket = this.#lastTicket;
    const job = change.op === 'recount'
      ? new RecountJob(this.#state, change) : new CopyJob(this.#state, change);
    this.#started.push({ ticket, job });
    return { ticket };
  }

  /** Runs `act` and all that it gathered as one durable transaction, or undoes it and throws. */
  readonly #transact = <T>(act: () => T): T => {
    this.#sql.begin.run();
    try {
      this.#distrustAfterOthers();
      const answer = act();
      this.#state.flush();
      this.#witness.flush();
      failpoint('metadata.before-commit');
      this.#sql.commit.run();
      failpoint('metadata.after-commit');
      this.#state.settle();
      this.#jobs.push(...this.#started);
      this.#started = [];
      return answer;
    } catch (error) {
      if (this.#connection.inTransaction) this.#sql.rollback.run();
      this.#state.forget();
      this.#witness.forget();
      this.#started = [];
      throw error;
    }
  };

  /** Nobody else should write; but if somebody did, what is remembered here is out of date. */
  #distrustAfterOthers(): void {
    const version = this.#dataVersion.get();
    if (version === this.#knownDataVersion) return;
    this.#knownDataVersion = version;
    this.#state.forget();
    this.#witness.forget();
  }

  #noteFatal(error: unknown): void {
    if (isFatal(error)) this.#broken = toFault(error);
  }

  /** Whether slices of longer work are waiting. */
  get hasWork(): boolean {
    return this.#jobs.length > 0;
  }

  /** Whether somebody waits for the outcome of longer work. */
  get hasPromisedWork(): boolean {
    return this.#jobs.some(({ ticket }) => ticket !== undefined);
  }

  /** Does one slice of the oldest job; answers an outcome once somebody waits for it and has it. */
  workOn(): { ticket: number; outcome: Outcome } | undefined {
    const queued = this.#jobs.find(({ ticket }) => ticket !== undefined) ?? this.#jobs[0];
    if (queued === undefined) return undefined;
    const { ticket, job } = queued;
    let outcome: Outcome;
    try {
      if (this.#broken !== undefined) throw new HoldfastError('unavailable',
        'metadata/SqliteMetadataStore', this.#broken.message);
      const result = job.step(this.#transact);
      if (result === undefined) return undefined;
      outcome = { result };
    } catch (error) {
      this.#noteFatal(error);
      outcome = { fault: toFault(error) };
    }
    this.#jobs = this.#jobs.filter((other) => other !== queued);
    const leftover = 'fault' in outcome ? job.leftover() : undefined;
    if (leftover !== undefined) this.#jobs.push({ ticket: undefined, job: leftover });
    return ticket === undefined ? undefined : { ticket, outcome };
  }

  /** Folds the write-ahead log into the database when it has grown. To be called after the callers
   *  were answered. A reader in the way is waited for by trying again later, not here. */
  checkpointIfDue(): void {
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
