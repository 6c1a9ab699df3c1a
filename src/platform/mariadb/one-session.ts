/** One connection for small questions that must not wait for long. */
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../clock.ts';
import { RetryBudget } from '../retry-budget.ts';
import { explainedFault } from './faults.ts';
import type { DatabaseWords } from './faults.ts';
import { valuesFor } from './named-sql.ts';
import type { NamedSql } from './named-sql.ts';
import { noteLatest } from './known-database.ts';
import { raisingTurn } from './node-turn.ts';
import { OneByOne } from './one-by-one.ts';
import { patiently } from './patience.ts';
import type { Patience } from './patience.ts';
import { Session } from './session.ts';
import type { Answer, ServerAddress } from './session.ts';

/** Of one question, making the connection included. */
const ANSWER_MS_MAX = 5_000;
/** Of a server that is away for a moment, or not part of its cluster: with the pauses between them
 *  no more than a second. Deadlocks are tried again for longer, see patience.ts. */
const ATTEMPTS_MAX = 5;
/** Nor does a budget of retries that is spent hold them for longer. */
const SLOWED_MAX_MS = 1_000;

/** Of small questions, one after the other, to a server that answers soon or not at all. */
export function patienceOfSmall(
  { address, clock }: Pick<OneSessionParts, 'address' | 'clock'>,
): Patience & { clock: Clock } {
  return {
    clock, budget: RetryBudget.of(address.retries), rank: 'many', triesMax: ATTEMPTS_MAX,
    slowedMaxMs: SLOWED_MAX_MS,
  };
}

export interface OneSessionParts {
  address: ServerAddress;
  clock: Clock;
  words: DatabaseWords;
  /** Whether an older copy of the database is to be known by what it lacks of these changes: see
   *  node-turn.ts. It takes one more question of each transaction that changes something. */
  isKnown?: boolean;
}

/** Says one statement in the transaction of the moment. */
export type AskOne = (statement: NamedSql, ...values: unknown[]) => Promise<Answer>;

export class OneSession {
  readonly #parts: OneSessionParts;
  readonly #patience: ReturnType<typeof patienceOfSmall>;
  #session: Session | undefined;
  readonly #queue: OneByOne;
  #isClosed = false;

  constructor(parts: OneSessionParts) {
    this.#parts = parts;
    this.#patience = patienceOfSmall(parts);
    this.#queue = new OneByOne(parts);
  }

  /** One transaction after the other, each committed when `act` has ended. It may be asked more
   *  than once, also when it was done: so let it be what may be done twice.
   *  @throws unavailable; busy; as `act`. */
  transact<T>(act: (ask: AskOne) => Promise<T>): Promise<T> {
    return this.#queue.run(() => this.#patiently(act));
  }

  async #patiently<T>(act: (ask: AskOne) => Promise<T>): Promise<T> {
    try {
      return await patiently(this.#patience, () => this.#inTime(act));
    } catch (error) {
      throw explainedFault(error, this.#parts.words);
    }
  }

  async #inTime<T>(act: (ask: AskOne) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw this.#closed();
    const { clock, words } = this.#parts;
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(ANSWER_MS_MAX, () => late.reject(new HoldfastError(
      'unavailable', words.op, `The ${words.database} does not answer. Try again shortly.`)));
    const work = this.#work(act);
    work.catch(() => undefined); // One that is late ends with its connection.
    try {
      return await Promise.race([work, late.promise]);
    } catch (error) {
      this.#drop();
      throw error;
    } finally {
      cancel();
    }
  }

  async #work<T>(act: (ask: AskOne) => Promise<T>): Promise<T> {
    if (this.#session?.isCurrent === false) this.#drop();
    const session = this.#session ?? await this.#open();
    this.#session = session;
    let changeCount = 0;
    const answer = await act(async (statement, ...values) => {
      const said = await session.execute(statement.text, valuesFor(statement, values));
      changeCount += said.changes;
      return said;
    });
    const { address: { known }, isKnown = false } = this.#parts;
    const raising = isKnown && changeCount > 0 ? raisingTurn(known) : undefined;
    const turn = raising && (await session.execute(raising.text, raising.values)).insertId;
    await session.run('COMMIT');
    if (turn !== undefined) noteLatest(known, 'node_turn', turn);
    return answer;
  }

  async #open(): Promise<Session> {
    const session = await Session.open(this.#parts.address, 'write');
    if (!this.#isClosed) return session;
    session.destroy();
    throw this.#closed();
  }

  #drop(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#queue.idle();
    this.#drop();
  }

  #closed(): HoldfastError {
    const { op } = this.#parts.words;
    return new HoldfastError('unavailable', op, 'The server is shutting down. Try again shortly.');
  }
}
