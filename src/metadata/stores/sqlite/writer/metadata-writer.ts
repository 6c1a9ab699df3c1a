/**
 * The one writer of a metadata database: it commits batches of changes, each batch as one durable
 * transaction.
 *
 * A refused change has written nothing (it is checked first), so its neighbours are not concerned.
 * An error that nobody expected (a broken constraint, a full disk, a bug) undoes the whole batch;
 * then each of its changes runs again in a transaction of its own, so that only the culprit fails.
 * After an error of the disk itself nothing is tried again: see `isFatal`.
 */
import { HoldfastError } from '../../../../base/errors.ts';
import type { FaultData } from '../../../../base/errors.ts';
import type { Recount } from '../../../access-changes.ts';
import type { ChangeResult, Copy, Move } from '../../../changes.ts';
import { failpoint } from '../../../../platform/index.ts';
import type { Outcome, SqlStep, WriteRows, WriterChange } from '../messages.ts';
import type { Statements } from '../statements.ts';
import { movedByAnother, placeChanged } from '../../../move/move-refusals.ts';
import { checkedChange } from './apply-change.ts';
import { CopyJob, sweepsAtStart } from './copy-changes.ts';
import type { SlicedJob } from './copy-changes.ts';
import { PlacementState } from './placement-state.ts';
import { RecountJob } from './recount-changes.ts';
import { TreeState } from './tree-state.ts';
import { WitnessState } from './witness-state.ts';

/** What the writer works on: the tables, and how one transaction of theirs is made. */
export interface WriterDatabase {
  readonly sql: Statements;
  /** Answers how many rows each step found to change. */
  runSteps(steps: readonly SqlStep[]): readonly number[];
  /** Answers whether anybody else has written since the last transaction of this writer. */
  begin(changes: readonly WriterChange[]): boolean;
  /** Once it returns, all since `begin` is on the disk. */
  commit(): void;
  /** Calm when there is nothing to undo. */
  rollback(): void;
  /** Whether the same batch should be tried again, undone as it is; waits first, if that helps. */
  mayTryAgain(error: unknown, triedCount: number): boolean;
  /** Whether each change of a batch would meet the same by itself: then none is tried alone. */
  concernsAll(error: unknown): boolean;
  /** After such an error nothing is tried again until the database is opened anew. */
  isFatal(error: unknown): boolean;
  toFault(error: unknown): FaultData;
  /** Called when the callers were answered. */
  tidyUp(): void;
  close(): void;
}

interface QueuedJob {
  /** undefined: nobody waits for it. */
  ticket: number | undefined;
  job: SlicedJob;
}

export class MetadataWriter {
  readonly #database: WriterDatabase;
  readonly #state: TreeState;
  readonly #witness: WitnessState;
  readonly #placements: PlacementState;
  #jobs: QueuedJob[];
  #started: QueuedJob[] = [];
  #lastTicket = 0;
  #broken: FaultData | undefined;

  /** Takes the database over; `close` closes it. */
  constructor(database: WriterDatabase) {
    this.#database = database;
    this.#state = new TreeState(database.sql);
    this.#witness = new WitnessState(database.sql);
    this.#placements = new PlacementState(this.#state);
    this.#jobs = sweepsAtStart(this.#state).map((job) => ({ ticket: undefined, job }));
  }

  /** Commits the changes in their order; the outcomes come in the same order. Once it returns, what
   *  they report is on the disk. Never throws: what fails is an outcome. */
  commitBatch(changes: readonly WriterChange[], triedCount = 0): Outcome[] {
    if (this.#broken !== undefined) return changes.map(this.#brokenOutcome);
    if (changes.length > 1 && changes.some(isOfRows)) return this.#commitApart(changes);
    try {
      return this.#transact(() => changes.map((change) => this.#apply(change)), changes);
    } catch (error) {
      this.#noteFatal(error);
      if (this.#database.mayTryAgain(error, triedCount)) {
        return this.commitBatch(changes, triedCount + 1);
      }
      if (changes.length === 1 || this.#database.concernsAll(error)) {
        return changes.map(() => ({ fault: this.#database.toFault(error) }));
      }
      return changes.flatMap((change) => this.commitBatch([change]));
    }
  }

  /** What writes plain rows is a transaction of its own. */
  #commitApart(changes: readonly WriterChange[]): Outcome[] {
    const at = changes.findIndex(isOfRows);
    return [changes.slice(0, at), changes.slice(at, at + 1), changes.slice(at + 1)]
      .flatMap((some) => (some.length === 0 ? [] : this.commitBatch(some)));
  }

  readonly #brokenOutcome = (): Outcome => {
    const fault = this.#broken ?? this.#database.toFault(undefined);
    return { fault };
  };

  #apply(change: WriterChange): Outcome {
    if (change.op === 'write-rows') return { result: this.#writeRows(change) };
    let write;
    try {
      this.#placements.check(change);
      write = checkedChange(this.#state, change);
    } catch (error) {
      if (error instanceof HoldfastError) return { fault: this.#database.toFault(error) };
      throw error;
    }
    if (write === undefined) return this.#startJob(change as Copy | Move | Recount);
    const result = write();
    if ('witness' in change && change.witness !== undefined) this.#witness.note(change.witness);
    return { result };
  }

  /** What is remembered of those rows is forgotten, also where tenants are at home. */
  #writeRows({ steps, isAside }: WriteRows): ChangeResult {
    const counts = this.#database.runSteps(steps);
    steps.forEach(({ guards }, at) => {
      if (guards === undefined || counts[at] === 1) return;
      throw guards === 'mover' ? movedByAnother() : placeChanged();
    });
    if (!isAside) this.#forget();
    return { node: undefined, created: false, rev: 0, count: counts.at(-1) ?? 0 };
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
  readonly #transact = <T>(act: () => T, changes: readonly WriterChange[] = []): T => {
    try {
      if (this.#database.begin(changes)) this.#forget();
      const answer = act();
      this.#state.flush();
      this.#witness.flush();
      failpoint('metadata.before-commit');
      this.#database.commit();
      failpoint('metadata.after-commit');
      this.#state.settle();
      this.#jobs.push(...this.#started);
      this.#started = [];
      return answer;
    } catch (error) {
      this.#database.rollback();
      this.#forget();
      this.#started = [];
      throw error;
    }
  };

  /** What is remembered here may be out of date. */
  #forget(): void {
    this.#state.forget();
    this.#witness.forget();
    this.#placements.forget();
  }

  #noteFatal(error: unknown): void {
    if (this.#database.isFatal(error)) this.#broken = this.#database.toFault(error);
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
      // A tenant may have been frozen, or have left, since the job began.
      const result = job.step((act) => this.#transact(() => {
        this.#placements.checkSpaces(job.spaceIds);
        return act();
      }));
      if (result === undefined) return undefined;
      outcome = { result };
    } catch (error) {
      this.#noteFatal(error);
      outcome = { fault: this.#database.toFault(error) };
    }
    this.#jobs = this.#jobs.filter((other) => other !== queued);
    const leftover = 'fault' in outcome ? job.leftover() : undefined;
    if (leftover !== undefined) this.#jobs.push({ ticket: undefined, job: leftover });
    return ticket === undefined ? undefined : { ticket, outcome };
  }

  /** To be called after the callers were answered. */
  tidyUp(): void {
    this.#database.tidyUp();
  }

  close(): void {
    this.#database.close();
  }
}

function isOfRows({ op }: WriterChange): boolean {
  return op === 'write-rows';
}
