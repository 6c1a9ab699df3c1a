/**
 * The tables on a MariaDB server, as the writer works on them.
 *
 * Whoever writes takes its turn first: one row of the database is raised by one in every
 * transaction, so writers of several machines stand in a line, revisions have no gaps, nobody waits
 * for two rows crosswise, and a writer sees by the number whether anybody wrote since its own last
 * turn. In the same statement it notes the number of its batch in a row of its own. When the
 * connection breaks during a commit, that row tells whether the batch was committed.
 *
 * Where writers take turns, each has to read anew what the other may have changed: the space, the
 * folders above, what may be stored. One question after the other, while the other writer waits,
 * that would take longer than all else. So what was asked after a turn of another is taken for what
 * will be asked after the next one, and goes along with it.
 */
import { HoldfastError } from '../../../../base/errors.ts';
import type { FaultData } from '../../../../base/errors.ts';
import { RetryBudget, systemClock } from '../../../../platform/index.ts';
import {
  isOutcomeUnknown, isPassing, namedSql, noTurns, RetriesSpent, ServerError, serverFault, Tries,
} from '../../../../platform/mariadb/index.ts';
import type { SqlStep, WriterChange } from '../../sqlite/messages.ts';
import type { Statements } from '../../sqlite/statements.ts';
import type { WriterDatabase } from '../../sqlite/writer/metadata-writer.ts';
import { WORDS, toFault } from '../faults.ts';
import { CommitError } from '../line/line-client.ts';
import type { LineClient } from '../line/line-client.ts';
import { moveStatement } from '../move-statements.ts';
import { TABLE_KEYS } from '../schema.ts';
import { FetchAhead, learnPolicies } from './fetch-ahead.ts';
import { LineStatements } from './line-statements.ts';
import type { Question } from './line-statements.ts';
import { WRITER_STATEMENTS } from './writer-statements.ts';

const OWN = { owner: 'metadata.turn', tables: TABLE_KEYS };
const TAKE_TURN = namedSql('takeTurn', `UPDATE writer_turn t JOIN writer w ON w.id = ?
  SET t.turn = LAST_INSERT_ID(t.turn + 1), t.writer = w.id, w.batch = ?,
    w.seen_s = UNIX_TIMESTAMP() WHERE t.id = 1`, OWN).text;
const ENTER = namedSql('enterWriter', `INSERT IGNORE INTO writer (id, batch, seen_s)
  VALUES (?, 0, UNIX_TIMESTAMP())`, OWN).text;
const PASS_TURN = namedSql('passTurn', `UPDATE writer_turn SET turn = turn + 1, writer = ''
  WHERE id = 1`, OWN).text;
const GET_BATCH = namedSql('getBatch', 'SELECT batch FROM writer WHERE id = ? FOR UPDATE', OWN)
  .text;

/** After so many turns in a row nobody else is expected to write. */
const ALONE_TURNS = 4;

/** The batch is undone, as far as it was made; it may be made anew. */
const LOST_BEFORE_COMMIT = {
  code: 'ELOSTBATCH', errno: 0, message: 'the batch was not committed', isLost: true,
};

export class MariadbWriterDatabase implements WriterDatabase {
  readonly #line: LineClient;
  readonly #writerId: string;
  readonly #onTurn: (turn: number) => void;
  readonly #statements: LineStatements;
  readonly #pauser = new Int32Array(new SharedArrayBuffer(4));
  #batch = 0;
  #turn = 0;
  #knownTurn = -1;
  /** What is asked where others have written since the last turn; nothing where nobody does. */
  #likely: readonly Question[] = [];
  /** Turns in a row between which nobody else had one. */
  #aloneCount = 0;
  readonly #budget: RetryBudget;
  /** Of the batch that is being made anew. */
  #tries: Tries | undefined;
  /** Why the last batch that was given up was not tried again. */
  #spent: RetriesSpent | undefined;

  /** `onTurn`: told of each turn whose changes are durable; `budget`: of the process. */
  constructor(
    line: LineClient, writerId: string,
    { onTurn = () => undefined, budget = RetryBudget.make() }: {
      onTurn?: (turn: number) => void; budget?: RetryBudget;
    } = {},
  ) {
    this.#onTurn = onTurn;
    this.#budget = budget;
    this.#line = line;
    this.#writerId = writerId;
    this.#statements = new LineStatements(line);
  }

  get sql(): Statements {
    return this.#statements.sql;
  }

  begin(changes: readonly WriterChange[]): boolean {
    if (this.#statements.hasStrayReads) this.#line.rollback(); // They have begun a transaction.
    this.#statements.begin();
    if (this.#tries === undefined) this.#budget.begin();
    this.#batch += 1;
    this.#turn = this.#takeTurn(changes) ?? this.#enter(changes);
    if (learnPolicies(this.#statements, changes)) {
      const ahead = new FetchAhead(changes);
      ahead.note(this.#statements, this.#line.run(ahead.steps));
    }
    return this.#turn !== this.#knownTurn + 1;
  }

  /** Undefined: this writer is not entered, or was forgotten. What the changes will ask goes along:
   *  the server answers it when the turn is taken. */
  #takeTurn(changes: readonly WriterChange[]): number | undefined {
    const values = [this.#writerId, this.#batch];
    const ahead = new FetchAhead(changes);
    const likely = this.#likely.map(({ name, values: of }) =>
      ({ text: WRITER_STATEMENTS[name].text, values: of }));
    const [answer, ...answers]
      = this.#line.run([{ text: TAKE_TURN, values }, ...likely, ...ahead.steps], true);
    if (answer === undefined || answer.changes < 2) return undefined;
    for (const [at, question] of this.#likely.entries()) {
      this.#statements.guess(question, answers[at]?.rows ?? []);
    }
    ahead.note(this.#statements, answers.slice(likely.length));
    return answer.insertId;
  }

  /** In a transaction of its own: whether a turn that was not taken is locked is up to the server,
   *  and what was asked along with it has fixed what that transaction reads. */
  #enter(changes: readonly WriterChange[]): number {
    this.#line.rollback();
    this.#line.run([{ text: ENTER, values: [this.#writerId] }], true);
    this.#line.commit([]);
    const turn = this.#takeTurn(changes);
    if (turn === undefined) throw noTurns(WORDS);
    return turn;
  }

  runSteps(steps: readonly SqlStep[]): readonly number[] {
    const plain = steps.map((step) => ({ text: moveStatement(step), values: [...step.values] }));
    return this.#line.run(plain).map(({ changes }) => changes);
  }

  commit(): void {
    try {
      this.#line.commit(this.#statements.takeWaiting());
    } catch (error) {
      if (!(error instanceof CommitError) || !isOutcomeUnknown(error.fault)) throw error;
      if (!this.#wasCommitted()) {
        throw isPassing(error.fault) ? new ServerError(LOST_BEFORE_COMMIT, error) : error;
      }
    }
    this.#tries?.answered();
    this.#tries = undefined;
    this.#learn();
    this.#knownTurn = this.#turn;
    this.#onTurn(this.#turn);
    this.#statements.end();
  }

  #learn(): void {
    const isAlone = this.#turn === this.#knownTurn + 1;
    this.#aloneCount = isAlone ? this.#aloneCount + 1 : 0;
    if (!isAlone) this.#likely = this.#statements.needed;
    else if (this.#aloneCount >= ALONE_TURNS) this.#likely = [];
  }

  /** Asks how the last commit went, in a turn that is committed itself. On one server, taking it
   *  waits for the broken connection's transaction to end. On another node of a cluster there is
   *  nothing to wait for, and the old node may still be about to commit: but of two turns that did
   *  not see each other one is refused. So once ours stands, theirs either was seen here, or never
   *  will be. @throws unavailable `outcome-unknown`: nobody could be asked. */
  #wasCommitted(): boolean {
    const tries = this.#newTries('outcome');
    for (;;) {
      try {
        const values = [this.#writerId];
        const steps = [{ text: PASS_TURN, values: [] }, { text: GET_BATCH, values }];
        const answers = this.#line.run(steps, true);
        this.#line.commit([]);
        tries.answered();
        return answers.at(-1)?.rows[0]?.[0] === this.#batch;
      } catch (error) {
        this.rollback();
        if (serverFault(error) === undefined) throw error;
        // A refusal is no answer: the batch may have been committed.
        if (this.#pausesAfter(error, tries) !== undefined) throw outcomeUnknown();
      }
    }
  }

  /** Also a broken connection has undone what it had in hand. */
  rollback(): void {
    this.#statements.end();
    this.#knownTurn = -1;
    try {
      this.#line.rollback();
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
    }
  }

  mayTryAgain(error: unknown, triedCount: number): boolean {
    if (triedCount === 0 || this.#tries === undefined) this.#tries = this.#newTries('many');
    const refusal = this.#pausesAfter(error, this.#tries);
    this.#spent = refusal instanceof RetriesSpent ? refusal : undefined;
    if (refusal === undefined) return true;
    this.#tries = undefined;
    return false;
  }

  #newTries(rank: 'many' | 'outcome'): Tries {
    return new Tries({ clock: systemClock, budget: this.#budget, rank });
  }

  /** Answers why there is no further try. This thread has nothing else to do meanwhile. */
  #pausesAfter(error: unknown, tries: Tries): unknown {
    try {
      for (const pauseMs of tries.pausesAfter(error)) Atomics.wait(this.#pauser, 0, 0, pauseMs);
      return undefined;
    } catch (refusal) {
      if (refusal !== error && !(refusal instanceof RetriesSpent)) throw refusal;
      return refusal;
    }
  }

  #wasSpentBy(error: unknown): boolean {
    return this.#spent !== undefined && this.#spent.cause === error;
  }

  concernsAll(error: unknown): boolean {
    if (error instanceof HoldfastError) return error.code === 'outcome-unknown';
    return this.#wasSpentBy(error) || serverFault(error)?.isLost === true;
  }

  /** Each batch is judged by the server anew: no error of one speaks against the next. */
  isFatal(): boolean {
    return false;
  }

  toFault(error: unknown): FaultData {
    return toFault(this.#wasSpentBy(error) ? this.#spent : error);
  }

  /** Reads between transactions, as those of long copies, must keep no old snapshot alive. */
  tidyUp(): void {
    if (this.#statements.hasStrayReads) this.rollback();
  }

  close(): void {
    this.#line.close();
  }
}

function outcomeUnknown(): HoldfastError {
  return new HoldfastError('unavailable', 'metadata/MariadbMetadataStore.commit',
    'The metadata database went away while it was writing. What was under way may or may not be '
    + 'saved: look before you repeat it.', { code: 'outcome-unknown' });
}
