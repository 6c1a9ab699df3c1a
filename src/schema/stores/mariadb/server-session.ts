/** A connection to a database of a MariaDB server, which may alter tables. */
import { HoldfastError } from '../../../base/errors.ts';
import {
  Session, Tries, explainedFault, inServersWords, isBeaten, isPassing, rest, serverFault,
  underSchemaLock,
} from '../../../platform/mariadb/index.ts';
import { RetryBudget, failpoint, systemClock } from '../../../platform/index.ts';
import type { AskRows, ServerAddress } from '../../../platform/mariadb/index.ts';
import type { SqlValue } from '../../row-upgrades.ts';
import type { SqlSession } from '../sql/sql-session.ts';
import { inClusterTurn } from './cluster-turn.ts';
import type { CheckTurn, ClusterTurnParts } from './cluster-turn.ts';

const WORDS = { op: 'schema/MariadbSchemaTarget', database: 'database of this shard' };
const LOCK_WAIT_S = 60;
/** While a table waits to be altered nobody can begin to read it. */
const TABLE_WAIT_S = 2;
/** In a cluster, whoever says nothing for so long while it has the turn has lost its connection. It
 *  is less than lies between the last moment in which the turn is trusted and its end: see
 *  cluster-turn.ts. */
const SILENT_MAX_S = 3;
/** Throws where the tables of this database are not to be altered any more. */
export type MayAlter = (ask: AskRows) => Promise<void>;

export class ServerSession implements SqlSession {
  readonly #connection: Session;
  readonly #mayAlter: MayAlter;
  readonly #budget: RetryBudget;
  #isWithin = false;

  private constructor(
    connection: Session, { mayAlter, budget }: { mayAlter: MayAlter; budget: RetryBudget },
  ) {
    this.#connection = connection;
    this.#mayAlter = mayAlter;
    this.#budget = budget;
  }

  /** @throws unavailable. */
  static async open(
    address: ServerAddress, mayAlter: MayAlter = () => Promise.resolve(),
  ): Promise<ServerSession> {
    try {
      const session = await Session.open(address, 'schema');
      await session.run(`SET SESSION lock_wait_timeout = ${TABLE_WAIT_S}`);
      // What others have altered at other nodes is seen, whenever it is looked for.
      if (session.isClustered) await session.run('SET SESSION wsrep_sync_wait = 1');
      return new ServerSession(session, { mayAlter, budget: RetryBudget.of(address.retries) });
    } catch (error) {
      throw explained(error);
    }
  }

  async query(text: string, values: readonly SqlValue[] = []): Promise<unknown[][]> {
    if (this.#isWithin) return (await this.#ask(text, values)).rows;
    return this.#untilFirst(async () => {
      const { rows } = await this.#ask(text, values);
      // A snapshot that stays open would show the same for ever, and keep tables from changes.
      await this.#ask('COMMIT', []);
      return rows;
    });
  }

  async change(text: string, values: readonly SqlValue[] = []): Promise<number> {
    return (await this.#ask(text, values)).changes;
  }

  /** Whether it may is looked at just before, and nobody says otherwise until it has ended.
   *  @throws also as `mayAlter` and `check`. */
  async alter(text: string, check: CheckTurn = () => undefined): Promise<void> {
    await this.exclusively(async () => {
      await this.#mayAlter((question) => this.query(question));
      check(); // Right behind an answer on this connection, so that it counts how old that is.
      failpoint('schema.before-statement');
      await this.#ask(inServersWords(text, this.#connection), []);
    }, undefined);
  }

  atomically<T>(act: () => Promise<T>): Promise<T> {
    return this.#untilFirst(() => this.#once(act));
  }

  /** Whoever alters a table at another node of a cluster, or changes the same rows there, comes
   *  first: what was under way here is undone, and done anew. */
  async #untilFirst<T>(act: () => Promise<T>): Promise<T> {
    const tries = new Tries({ clock: systemClock, budget: this.#budget, rank: 'many' });
    this.#budget.begin();
    for (;;) {
      try {
        const result = await act();
        tries.answered();
        return result;
      } catch (error) {
        if (!await mayTryAgain(tries, error)) throw error;
      }
    }
  }

  async #once<T>(act: () => Promise<T>): Promise<T> {
    this.#isWithin = true;
    try {
      const result = await act();
      await this.#ask('COMMIT', []);
      return result;
    } catch (error) {
      // A connection that is lost has rolled back by itself.
      await this.#connection.run('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      this.#isWithin = false;
    }
  }

  /** Nobody else who takes this lock is at work on this database meanwhile. The server lets go of
   *  it when the connection ends: not before the statement that is running has ended. In a cluster
   *  only those at the same node know of it: there the turn of `cluster` is taken, too. `act` asks
   *  whether all of that still holds before it changes anything. */
  exclusively<T>(
    act: (check: CheckTurn) => Promise<T>, cluster: ClusterTurnParts | undefined,
    waitS = LOCK_WAIT_S,
  ): Promise<T> {
    const { op } = WORDS;
    return underSchemaLock((text) => this.query(text), { op, waitS }, () => {
      const isAlone = !this.#connection.isClustered || cluster === undefined;
      return isAlone ? act(() => undefined)
        : inClusterTurn<T>(cluster, (within) => this.#awake(within), act);
    });
  }

  /** Whoever sleeps meanwhile has no connection when it wakes: the server ends it. */
  async #awake<T>(act: () => Promise<T>): Promise<T> {
    const [[usualS] = []] = await this.query(
      '/* holdfast:getPatience */ SELECT @@SESSION.wait_timeout');
    const wait = (s: unknown) => this.#ask(
      `/* holdfast:setPatience */ SET SESSION wait_timeout = ${Number(s)}`, []);
    await wait(SILENT_MAX_S);
    try {
      return await act();
    } finally {
      await wait(usualS);
    }
  }

  close(): Promise<void> {
    return this.#connection.end();
  }

  async #ask(text: string, values: readonly SqlValue[]) {
    try {
      return values.length === 0 ? await this.#connection.run(text)
        : await this.#connection.execute(text, values);
    } catch (error) {
      throw explained(error);
    }
  }
}

/** Waits, too. */
async function mayTryAgain(tries: Tries, error: unknown): Promise<boolean> {
  const cause = error instanceof HoldfastError ? error.cause : error;
  if (!isBeaten(cause)) return false;
  try {
    for (const pauseMs of tries.pausesAfter(cause)) await rest(systemClock, pauseMs);
    return true;
  } catch (refusal) {
    if (serverFault(refusal) === undefined) throw refusal;
    return false;
  }
}

/** What the server says of a statement that it does not take is what the operator has to read. */
function explained(error: unknown): unknown {
  const fault = serverFault(error);
  const known = explainedFault(error, WORDS);
  const isUnknown = known instanceof HoldfastError && known.kind === 'internal';
  if (fault === undefined || !isUnknown || isPassing(fault)) return known;
  const message = `The shard refuses this statement: ${fault.message}`;
  return new HoldfastError('invalid', WORDS.op, message, { cause: error });
}
