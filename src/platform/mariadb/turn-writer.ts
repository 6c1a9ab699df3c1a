/**
 * Transactions, one after the other, over however many processes: each first raises one row of the
 * database, its turn. So nobody waits for two rows crosswise, whoever has the turn reads what those
 * before have committed, and by the number of the turn everybody sees whether something changed.
 *
 * With its turn a writer notes the number of its operation in a row of its own. When the connection
 * breaks during a commit, that row tells how it went: it is asked in a turn that is committed
 * itself. On one server, taking it waits for the old transaction to end. On another node of a
 * cluster the old one may still be about to commit: but of two turns that did not see each other
 * one is refused, so once this one stands the old one was seen, or never will be.
 */
import { HoldfastError } from '../../base/errors.ts';
import { systemRandom } from '../random.ts';
import type { Clock } from '../clock.ts';
import { RetryBudget } from '../retry-budget.ts';
import {
  ServerError, explainedFault, isOutcomeUnknown, isPassing, serverFault,
} from './faults.ts';
import type { DatabaseWords } from './faults.ts';
import { noteLatest } from './known-database.ts';
import type { KnownNumberName } from './known-database.ts';
import { valuesFor } from './named-sql.ts';
import type { NamedSql } from './named-sql.ts';
import { FAILING_MAX_MS, patiently } from './patience.ts';
import { Session } from './session.ts';
import type { Answer, ServerAddress } from './session.ts';

/** What is said about turns; the tables are the store's. */
export interface TurnSql {
  /** `@writer`, `@operation`: raises the turn and notes the operation, two rows. LAST_INSERT_ID is
   *  given the number of the turn. */
  takeTurn: NamedSql;
  /** `@writer`: makes the row of a writer, if there is none. */
  enterWriter: NamedSql;
  /** Raises the turn, which is nobody's. */
  passTurn: NamedSql;
  /** `@writer`: its operation. */
  getOperation: NamedSql;
}

export interface TurnParts {
  address: ServerAddress;
  clock: Clock;
  words: DatabaseWords;
  sql: TurnSql;
  /** The table of the turns. */
  turns: KnownNumberName;
}

export type Ask = (statement: NamedSql, args: readonly unknown[]) => Promise<Answer>;

const WAITING_MAX = 1_024;
const WRITER_ID_BYTES = 12;

/** The transaction is undone; it may be made anew. */
const LOST_BEFORE_COMMIT = {
  code: 'ELOSTTURN', errno: 0, message: 'the transaction was not committed', isLost: true,
};

export class TurnWriter {
  readonly #parts: TurnParts;
  readonly #budget: RetryBudget;
  readonly #writer = systemRandom.token(WRITER_ID_BYTES);
  #session: Session | undefined;
  #operation = 0;
  #last: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;
  #questionCount = 0;
  #isClosed = false;

  constructor(parts: TurnParts) {
    this.#parts = parts;
    this.#budget = RetryBudget.of(parts.address.retries);
  }

  /** Round trips so far: statements, turns and ends of transactions. */
  get questionCount(): number {
    return this.#questionCount;
  }

  /** Runs `act` in a transaction, after all that were begun here before. `act` may be run several
   *  times, each time on what the one before has not left. What changes nothing is no turn for
   *  others. Durable once resolved. @throws HoldfastError: busy; unavailable, also
   *  `outcome-unknown`: nobody could be asked how a commit went; as `act`. */
  transact<T>(act: (ask: Ask) => Promise<T>): Promise<T> {
    const { clock } = this.#parts;
    if (this.#isClosed) return Promise.reject(this.#closed());
    if (this.#waitingCount >= WAITING_MAX) return Promise.reject(this.#tooBusy());
    this.#waitingCount += 1;
    const latest = clock.monotonic() + FAILING_MAX_MS;
    const mine = this.#last.then(() => {
      // While the server is away, those before have each waited for it in vain.
      if (clock.monotonic() > latest) throw this.#tooBusy();
      return this.#transact(act);
    }).finally(() => {
      this.#waitingCount -= 1;
    });
    this.#last = mine.catch(() => undefined); // Who asked hears of it.
    return mine;
  }

  async #transact<T>(act: (ask: Ask) => Promise<T>): Promise<T> {
    const patience = {
      clock: this.#parts.clock, budget: this.#budget, rank: 'many' as const,
      isOver: () => this.#isClosed,
    };
    try {
      return await patiently(patience, async () => {
        if (this.#isClosed && this.#session === undefined) throw this.#closed();
        return this.#once(act);
      });
    } catch (error) {
      throw explainedFault(error, this.#parts.words);
    }
  }

  async #once<T>(act: (ask: Ask) => Promise<T>): Promise<T> {
    try {
      const turn = await this.#takeTurn();
      let changeCount = 0;
      const result = await act(async (statement, args) => {
        const answer = await this.#ask(statement, args);
        changeCount += answer.changes;
        return answer;
      });
      if (changeCount === 0) await this.#rollBack();
      else await this.#commit(turn);
      return result;
    } catch (error) {
      await this.#rollBack();
      throw error;
    }
  }

  /** Answers its number. */
  async #takeTurn(): Promise<number> {
    if (this.#session?.isCurrent === false) this.#drop();
    this.#operation += 1;
    const turn = { writer: this.#writer, operation: this.#operation };
    const { takeTurn, enterWriter } = this.#parts.sql;
    const first = await this.#ask(takeTurn, [turn]);
    if (first.changes >= 2) return first.insertId;
    // It is not entered yet, or was forgotten.
    await this.#ask(enterWriter, [turn]);
    const { changes, insertId } = await this.#ask(takeTurn, [turn]);
    if (changes < 2) throw noTurns(this.#parts.words);
    return insertId;
  }

  async #commit(turn: number): Promise<void> {
    try {
      await this.#end('COMMIT');
    } catch (error) {
      const fault = serverFault(error);
      if (fault === undefined || !isOutcomeUnknown(fault)) throw error;
      if (!await this.#wasCommitted()) {
        throw isPassing(fault) ? new ServerError(LOST_BEFORE_COMMIT, error) : error;
      }
    }
    const { address, turns } = this.#parts;
    noteLatest(address.known, turns, turn);
  }

  async #wasCommitted(): Promise<boolean> {
    const patience = { clock: this.#parts.clock, budget: this.#budget, rank: 'outcome' as const };
    try {
      return await patiently(patience, async () => {
        this.#drop();
        await this.#ask(this.#parts.sql.passTurn, []);
        const { rows } = await this.#ask(this.#parts.sql.getOperation, [{ writer: this.#writer }]);
        await this.#end('COMMIT');
        return rows[0]?.[0] === this.#operation;
      });
    } catch (error) {
      const { op, database } = this.#parts.words;
      throw new HoldfastError('unavailable', op, `The ${database} went away while it was writing. `
        + 'What was under way may or may not be saved: look before you repeat it.',
      { code: 'outcome-unknown', cause: error });
    }
  }

  /** A connection that is broken has undone all it had in hand. */
  async #rollBack(): Promise<void> {
    if (this.#session === undefined) return;
    try {
      await this.#end('ROLLBACK');
    } catch (error) {
      if (serverFault(error) === undefined) throw error;
      this.#drop();
    }
  }

  async #ask(statement: NamedSql, args: readonly unknown[]): Promise<Answer> {
    const values = valuesFor(statement, args);
    return this.#on((session) => session.execute(statement.text, values));
  }

  async #end(how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    await this.#on((session) => session.run(how));
  }

  async #on(act: (session: Session) => Promise<Answer>): Promise<Answer> {
    this.#session ??= await Session.open(this.#parts.address, 'write');
    this.#questionCount += 1;
    try {
      return await act(this.#session);
    } catch (error) {
      if (serverFault(error)?.isLost !== false) this.#drop();
      throw error;
    }
  }

  #drop(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #closed(): HoldfastError {
    return new HoldfastError('unavailable', this.#parts.words.op, 'The server is shutting down.');
  }

  #tooBusy(): HoldfastError {
    const { op, database } = this.#parts.words;
    return new HoldfastError('busy', op, `The ${database} is busy. Try again shortly.`);
  }

  /** What is under way is done first. Calm when called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
    const session = this.#session;
    this.#session = undefined;
    await session?.end();
  }
}

/** The row that a turn raises is gone: whoever leaves a database takes it away, so that nobody who
 *  opened it before writes what nobody will read. It is never made anew here. */
export function noTurns({ op, database }: DatabaseWords): HoldfastError {
  return new HoldfastError('unavailable', op, `The ${database} takes no changes any more: it was `
    + 'carried to files by holdfast database move, or restored in part. Begin anew with the '
    + 'settings that hold now. Nothing was changed.', { code: 'database-left' });
}
