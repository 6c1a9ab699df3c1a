/** Statements that stand alone: each is a transaction of its own, and one round trip. */
import { explainedFault, serverFault } from './faults.ts';
import type { DatabaseWords } from './faults.ts';
import { noteLatest } from './known-database.ts';
import { raisingTurn } from './node-turn.ts';
import { valuesFor } from './named-sql.ts';
import type { NamedSql } from './named-sql.ts';
import { patiently } from './patience.ts';
import { SessionPool } from './session-pool.ts';
import type { Answer, ServerAddress } from './session.ts';
import type { Clock } from '../clock.ts';
import { RetryBudget } from '../retry-budget.ts';

export interface LoneParts {
  address: ServerAddress;
  clock: Clock;
  words: DatabaseWords;
}

/** A server takes 151 of all that speak to it, unless it is told otherwise. */
const SESSIONS_MAX = 8;

export class LoneStatements {
  readonly #pool: SessionPool;
  readonly #parts: LoneParts;
  readonly #patience: { clock: Clock; budget: RetryBudget };

  constructor(parts: LoneParts) {
    this.#parts = parts;
    const { clock, address } = parts;
    this.#patience = { clock, budget: RetryBudget.of(address.retries) };
    this.#pool = new SessionPool({ ...parts, mode: 'lone', sessionsMax: SESSIONS_MAX });
  }

  /** Round trips so far. */
  get questionCount(): number {
    return this.#pool.questionCount;
  }

  get isClosed(): boolean {
    return this.#pool.isClosed;
  }

  /** When the connection breaks nobody knows whether the statement was done, and it is done again:
   *  so let it be one that may be done twice. Durable, if it changes anything, once resolved.
   *  @throws HoldfastError; ServerError: what the statement itself met, such as a key that is there
   *  twice, when `isExpected` says so. */
  async ask(
    statement: NamedSql, args: readonly unknown[],
    isExpected: (errno: number) => boolean = () => false,
  ): Promise<Answer> {
    const values = valuesFor(statement, args);
    try {
      return await patiently(this.#patience, () => this.#pool.lend(
        (session) => session.execute(statement.text, values),
        (error) => serverFault(error)?.isLost !== false,
      ));
    } catch (error) {
      if (isExpected(serverFault(error)?.errno ?? 0)) throw error;
      throw explainedFault(error, this.#parts.words);
    }
  }

  /** As `ask`, of a change that an older copy of the database is known by, if it lacks it: see
   *  node-turn.ts. It costs no round trip more, and one more commit. */
  async change(
    statement: NamedSql, args: readonly unknown[],
    isExpected: (errno: number) => boolean = () => false,
  ): Promise<Answer> {
    const { address: { known }, words } = this.#parts;
    const raising = raisingTurn(known);
    if (raising === undefined) return this.ask(statement, args, isExpected);
    const steps = [{ text: statement.text, values: valuesFor(statement, args) }, raising];
    try {
      return await patiently(this.#patience, () => this.#pool.lend(async (session) => {
        const [changed, raised] = await session.executeEach(steps);
        if (changed?.status !== 'fulfilled') throw changed?.reason as Error;
        if (raised?.status !== 'fulfilled') throw raised?.reason as Error;
        noteLatest(known, 'node_turn', raised.value.insertId);
        return changed.value;
      }, (error) => serverFault(error)?.isLost !== false));
    } catch (error) {
      if (isExpected(serverFault(error)?.errno ?? 0)) throw error;
      throw explainedFault(error, words);
    }
  }

  /** Calm when called twice. */
  async close(): Promise<void> {
    await this.#pool.close();
  }
}
