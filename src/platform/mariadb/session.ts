/** One connection to a MariaDB or MySQL server, with the settings that our promises rest on. */
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { assert } from '../../base/assert.ts';
import { systemClock } from '../clock.ts';
import { markReads } from '../sql/request-mark.ts';
import { SqlRefusal, tooManyRows } from '../sql/sql-refusal.ts';
import { statements } from '../sql/statement-registry.ts';
import type { RegisteredStatement } from '../sql/statement-registry.ts';
import {
  SESSION_OWNER, counted, endNamed, noteAnswer, unregistered,
} from './counted-statements.ts';
import { dialectOf } from './dialect.ts';
import type { Dialect } from './dialect.ts';
import { loadDriver } from './driver.ts';
import type { Driver } from './driver.ts';
import { DEADLOCK, ServerError, serverFault } from './faults.ts';
import { checkKnown, latestOf } from './known-database.ts';
import type { KnownDatabase } from './known-database.ts';
import type { ServerFault } from './faults.ts';
import type { SqlValue } from './named-sql.ts';
import { CATCH_UP, checkNode, isClustered, isNodeReady } from './node-health.ts';
import { NodeReturn, RETURN_AFTER_MS } from './node-return.ts';
import { NodeWatch, PATIENCE_MS } from './node-watch.ts';
import { runPipeline } from './pipeline.ts';
import type { DriverConnection, PipelineOutcome, PipelineStep } from './pipeline.ts';
import { safelySent } from './safe-updates.ts';
import { NodeChoice, asSchemaUser, nodesOf, wayTo, withChoice } from './nodes.ts';
import type { NodeAddress, ServerHost } from './nodes.ts';

export interface SchemaUser {
  user: string;
  password: string;
}

/** Plain data, so that it can be handed to a thread. */
export interface ServerAddress {
  /** A name or address, and a port; or the path of a socket on this machine. */
  host?: string;
  port?: number;
  socketPath?: string;
  user: string;
  password: string;
  database: string;
  /** Who makes and alters tables and triggers, in place of `user`, who then need not have the
   *  rights for it. */
  schemaUser?: SchemaUser;
  /** Certificates (PEM) of the authority that the server's is judged by; without them the
   *  connection is not encrypted. */
  tlsCa?: string | undefined;
  /** Further nodes of the same Galera cluster, in the order in which they are tried. */
  others?: readonly ServerHost[];
  /** Which of the nodes is in use, for all threads that were given this address: see withChoice. */
  choice?: SharedArrayBuffer;
  /** What was found there when it was opened: whatever else answers is refused. */
  known?: KnownDatabase;
  /** How long a node before the one in use has to be well until it is used again; 0: it never is.
   *  See node-return.ts. */
  returnAfterMs?: number;
  /** Of how many retries this process may ask its server: RetryBudget.shared, for all threads and
   *  all who have an address of that server. Without it each who speaks to it has one alone. */
  retries?: SharedArrayBuffer;
}

export interface Answer {
  /** Each an array of its columns. */
  rows: unknown[][];
  /** Rows that a statement found to change. */
  changes: number;
  /** What LAST_INSERT_ID was given. */
  insertId: number;
}

export const CONNECT_TIMEOUT_MS = 4_000;
/** How long a statement waits before a server without others is asked how it is. */
const ALONE_PATIENCE_MS = 3_000;
/** Where there is another node to turn to. */
const NODE_CONNECT_TIMEOUT_MS = 2_000;
/** A statement that takes longer has failed. */
export const STATEMENT_TIMEOUT_MS = 60_000;
/** Altering a large table may take hours. */
const SCHEMA_TIMEOUT_MS = 24 * 60 * 60 * 1000;
const LOCK_WAIT_S = 10;

/** Every statement begins a transaction if there is none, so beginning one costs no round trip. */
function sessionSettings({ settings }: Dialect): string {
  return `SET SESSION autocommit = 0, sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,`
    + `NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = ${LOCK_WAIT_S}, `
    + settings.join(', ');
}

/** `schema` alone may make, alter or drop tables, and send what is not registered: it is opened by
 *  who makes a new database, by tenant moves, and by the runner of schema changes; as the address's
 *  `schemaUser`, where there is one. Of a `lone` one each statement is
 *  a transaction of its own. */
export type SessionMode = 'write' | 'read' | 'schema' | 'lone';

const TOO_LATE: ServerFault = {
  code: 'ETIMEDOUT', errno: 0, message: 'the server has not answered in time', isLost: true,
};

const CATCH_UP_ALWAYS = statements.enter(
  'catchUpAlways', 'SET SESSION wsrep_sync_wait = 1', SESSION_OWNER).text;
const GET_VERSION = statements.enter('version', 'SELECT VERSION()', SESSION_OWNER).text;

/** Of a cluster: whether this transaction is still there. A node that undoes one for another node
 *  says so to the next statement, but not when that happens while it prepares one: what follows
 *  would be a transaction of its own, without what was undone. (Seen with MariaDB 10.11.) */
const STILL_THERE = statements.enter(
  'stillThere', 'SELECT @@in_transaction', SESSION_OWNER);
const UNDONE: ServerFault = {
  code: 'EUNDONE', errno: DEADLOCK, message: 'another node came first', isLost: false,
};

/** See safe-updates.ts. */
const SAFE = 'sql_safe_updates = 1';
const LONE_SETTINGS = `SET SESSION autocommit = 1, ${SAFE}`;

function settingsFor(
  mode: SessionMode, dialect: Dialect,
): readonly (readonly [name: string, text: string])[] {
  const access = mode === 'read' ? 'READ ONLY' : 'READ WRITE';
  return [
    ['names', `SET NAMES utf8mb4 COLLATE ${dialect.collation}`],
    ['settings', sessionSettings(dialect)],
    ['access', `SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, ${access}`],
    ['ends', mode === 'lone' ? LONE_SETTINGS : 'COMMIT'],
    ...(mode === 'schema' ? [] : [['patience', dialect.patience(STATEMENT_TIMEOUT_MS)] as const]),
    ...(mode === 'write' ? [['safety', `SET SESSION ${SAFE}`] as const] : []),
  ];
}

/** One node of those that an address names. */
interface Place {
  node: NodeAddress;
  place: number;
  choice: NodeChoice;
  isAlone: boolean;
  wayBack: NodeReturn;
}

/**
 * But for a schema session, only registered statements are sent; what affects more rows than it was
 * registered with is undone, with all of its transaction, and refused.
 */
export class Session {
  readonly #connection: Connection;
  readonly #mode: SessionMode;
  readonly #place: Place;
  readonly #watch: NodeWatch;
  readonly #timeoutMs: number;
  readonly #toParameter: (value: SqlValue) => Parameter;
  /** As they were sent: what is new to this connection is prepared first. */
  readonly #prepared = new Set<string>();
  /** Something was written since the last transaction ended. */
  #hasWritten = false;
  #questionCount = 0;
  #dialect: Dialect | undefined;
  #isClustered = false;
  /** Each read waits until all that was acknowledged on any node can be read on this one. */
  #waits = false;

  private constructor(
    connection: Connection,
    { place, mode, driver }: { place: Place; mode: SessionMode; driver: Driver },
  ) {
    this.#toParameter = parametersBy(driver);
    this.#connection = connection;
    this.#mode = mode;
    this.#place = place;
    this.#timeoutMs = mode === 'schema' ? SCHEMA_TIMEOUT_MS : STATEMENT_TIMEOUT_MS;
    // Without a listener a broken connection would end the process; the next statement tells.
    connection.on('error', () => undefined);
    const patienceMs = place.isAlone ? ALONE_PATIENCE_MS : PATIENCE_MS;
    this.#watch = new NodeWatch({ node: place.node, patienceMs }, () => {
      place.choice.leave(place.place);
      this.destroy();
    });
  }

  /** Of several nodes the one that is in use, or else the next that may be worked on: then that is
   *  in use. What anybody was told to be saved can be read there.
   *  @throws the driver's error, ServerError: of the node that said most about it. */
  static async open(address: ServerAddress, mode: SessionMode): Promise<Session> {
    markReads();
    const nodes = nodesOf(mode === 'schema' ? asSchemaUser(address) : address);
    const choice = new NodeChoice(withChoice(address));
    const wayBack = wayBackOf(address, { nodes, choice });
    const { current } = choice;
    const failures: unknown[] = [];
    for (const place of choice.order()) {
      const node = nodes[place];
      if (node === undefined) continue;
      try {
        const session = await Session.#openOn(
          { node, place, choice, isAlone: nodes.length === 1, wayBack }, mode, address.known);
        choice.move(current, place);
        return session;
      } catch (error) {
        if (serverFault(error) === undefined) throw error;
        failures.push(error);
      }
    }
    throw failures.find((error) => serverFault(error)?.isLost === false) ?? failures[0];
  }

  static async #openOn(
    place: Place, mode: SessionMode, known: KnownDatabase | undefined,
  ): Promise<Session> {
    const driver = await loadDriver();
    const latest = known === undefined ? undefined : latestOf(known);
    const connection = await driver.createConnection({
      ...wayTo(place.node), charset: 'utf8mb4_bin', rowsAsArray: true, supportBigNumbers: true,
      decimalNumbers: true, multipleStatements: false, trace: false,
      connectTimeout: place.isAlone ? CONNECT_TIMEOUT_MS : NODE_CONNECT_TIMEOUT_MS,
    });
    const session = new Session(connection, { place, mode, driver });
    try {
      await session.#begin();
      if (known !== undefined && latest !== undefined) await checkKnown(session, known, latest);
    } catch (error) {
      session.destroy();
      throw error;
    }
    return session;
  }

  async #begin(): Promise<void> {
    const { rows: [[version] = []] } = await this.run(GET_VERSION);
    const dialect = dialectOf(String(version));
    const ask = async (text: string): Promise<unknown[][]> => (await this.run(text)).rows;
    this.#isClustered = dialect.mayBeClustered && await isClustered(ask);
    if (this.#isClustered) {
      await checkNode(ask);
      const { wayBack } = this.#place;
      await this.run(CATCH_UP);
      // What stands alone has no turn before it, and others may write on another node.
      this.#waits = this.#mode === 'lone' || (this.#mode === 'read' && wayBack.isUnsettled);
      if (this.#waits) await this.run(CATCH_UP_ALWAYS);
      if (this.#mode === 'write') await this.#connection.execute(STILL_THERE.text);
    }
    for (const [name, text] of settingsFor(this.#mode, dialect)) {
      await this.run(statements.enter(name, text, SESSION_OWNER).text);
    }
    this.#dialect = dialect;
  }

  /** In a session that writes the server refuses what searches no key, and has to be told of what
   *  joins. */
  #sent(statement: RegisteredStatement): string {
    const dialect = this.#mode === 'write' ? this.#dialect : undefined;
    return dialect === undefined ? statement.text : safelySent(statement, dialect);
  }

  /** What tables are made with, so that names are compared byte by byte. */
  get collation(): string {
    assert(this.#dialect !== undefined, 'the session has begun');
    return this.#dialect.collation;
  }

  /** Whether its server is one of a cluster, so that others may be written to at the same time. */
  get isClustered(): boolean {
    return this.#isClustered;
  }

  /** Whether its node is the one that is in use, and it reads there as it has to by now. */
  get isCurrent(): boolean {
    const { choice, place, wayBack } = this.#place;
    if (choice.current !== place) return false;
    return this.#mode !== 'read' || !this.#isClustered || this.#waits === wayBack.isUnsettled;
  }

  /** How often the server was asked for something: a round trip each, settings and ends of
   *  transactions not counted. */
  get questionCount(): number {
    return this.#questionCount;
  }

  /** A statement without values, which is not kept prepared.
   *  @throws SqlRefusal; the driver's error. */
  async run(text: string): Promise<Answer> {
    const end = endNamed(text);
    const statement = end ?? this.#statementOf(text);
    if (end !== undefined) this.#hasWritten = false;
    return counted(statement, async () => {
      const [answer] = await this.#wait(this.#connection.query(this.#sent(statement)));
      return toAnswer(answer);
    });
  }

  /** A statement with values, prepared on its first use. Values never become part of its text.
   *  @throws SqlRefusal; the driver's error. */
  async execute(text: string, values: readonly SqlValue[]): Promise<Answer> {
    const statement = this.#statementOf(text);
    if (this.#mayBeUndone([statement])) {
      const [only] = await this.executeAll([{ text, values }]);
      assert(only !== undefined, 'a statement is answered');
      return only;
    }
    this.#questionCount += 1;
    const answer = await counted(statement, async () => {
      const [raw] = await this.#wait(
        this.#connection.execute(this.#sent(statement), values.map(this.#toParameter)));
      return toAnswer(raw);
    });
    this.#note(statement);
    const excess = excessOf(statement, answer);
    if (excess === undefined) return answer;
    await this.run('ROLLBACK');
    throw excess;
  }

  /** Whether a transaction that has written goes on with what this connection has not prepared yet,
   *  on a cluster. */
  #mayBeUndone(next: readonly RegisteredStatement[]): boolean {
    return this.#isClustered && this.#mode === 'write' && this.#hasWritten
      && next.some((statement) => !this.#prepared.has(this.#sent(statement)));
  }

  /** It was carried out. */
  #note(statement: RegisteredStatement): void {
    if (this.#mode !== 'write' || !this.#isClustered) return;
    this.#prepared.add(this.#sent(statement));
    if (statement.kind === 'write') this.#hasWritten = true;
  }

  /** Several, with one round trip: see pipeline.ts. One that fails does not stop those behind it,
   *  so nothing may follow in vain that cannot be undone. @throws the error of the first that
   *  failed. */
  async executeAll(steps: readonly PipelineStep[]): Promise<Answer[]> {
    const settled = await this.executeEach(steps);
    return settled.map((each) => {
      if (each.status === 'rejected') throw each.reason as Error;
      return each.value;
    });
  }

  /** As executeAll, with the outcome of each. @throws SqlRefusal: one of them is not to be sent;
   *  ServerError: the node is not well. */
  async executeEach(
    steps: readonly PipelineStep[],
  ): Promise<PromiseSettledResult<Answer>[]> {
    if (steps.length === 0) return [];
    const known = steps.map(({ text }) => this.#statementOf(text));
    this.#questionCount += 1;
    const { connection } = this.#connection as unknown as { connection: DriverConnection };
    const guards = this.#mayBeUndone(known) ? [{ sql: STILL_THERE.text, values: [] }] : [];
    const outcomes = await this.#wait(runPipeline(connection, [
      ...guards, ...known.map((statement, at) =>
        ({ sql: this.#sent(statement), values: (steps[at]?.values ?? []).map(this.#toParameter) })),
    ]));
    for (const { settled } of outcomes.splice(0, guards.length)) {
      if (settled.status === 'rejected') throw settled.reason as Error;
      if (Number(toAnswer(settled.value).rows[0]?.[0]) === 1) continue;
      await this.run('ROLLBACK');
      throw new ServerError(UNDONE);
    }
    const settled = known.flatMap((statement, at) => {
      const outcome = outcomes[at];
      return outcome === undefined ? [] : [this.#judged(statement, outcome)];
    });
    const isTooMuch = settled.some((each) =>
      each.status === 'rejected' && each.reason instanceof SqlRefusal);
    if (isTooMuch) await this.run('ROLLBACK');
    return settled;
  }

  #judged(
    statement: RegisteredStatement, { settled, tookMs }: PipelineOutcome,
  ): PromiseSettledResult<Answer> {
    if (settled.status === 'rejected') {
      noteAnswer(statement, tookMs);
      return settled;
    }
    const answer = toAnswer(settled.value);
    this.#note(statement);
    noteAnswer(statement, tookMs, answer);
    const excess = excessOf(statement, answer);
    return excess === undefined ? { status: 'fulfilled', value: answer }
      : { status: 'rejected', reason: excess };
  }

  #statementOf(text: string): RegisteredStatement {
    if (this.#mode !== 'schema') return statements.get(text);
    return statements.find(text) ?? unregistered(text);
  }

  /** The driver's own limit of time goes on running, and keeps the process, when the connection
   *  breaks first. */
  async #wait<T>(work: Promise<T>): Promise<T> {
    this.#place.wayBack.consider();
    const late = Promise.withResolvers<never>();
    const cancel = systemClock.after(this.#timeoutMs, () => {
      this.destroy();
      late.reject(new ServerError(TOO_LATE));
    });
    try {
      return await Promise.race([this.#watch.over(work), late.promise]);
    } finally {
      cancel();
    }
  }

  async end(): Promise<void> {
    await this.#connection.end();
  }

  destroy(): void {
    this.#connection.destroy();
  }
}

function wayBackOf(
  { returnAfterMs = RETURN_AFTER_MS }: ServerAddress,
  { nodes, choice }: { nodes: readonly NodeAddress[]; choice: NodeChoice },
): NodeReturn {
  return new NodeReturn({
    choice, returnAfterMs: nodes.length === 1 ? 0 : returnAfterMs,
    now: () => Number(process.hrtime.bigint() / 1_000_000n),
    isReady: async (place, inUse) => {
      const [node, other] = [nodes[place], nodes[inUse]];
      return node !== undefined && other !== undefined && await isNodeReady(node, other);
    },
  });
}

function excessOf(statement: RegisteredStatement, answer: Answer): SqlRefusal | undefined {
  if (statement.kind !== 'write' || answer.changes <= statement.rowsMax) return undefined;
  return tooManyRows(statement.name, answer.changes, statement.rowsMax);
}

type Parameter = ReturnType<Driver['toInteger']> | string | null | Buffer;

function parametersBy({ toInteger }: Driver): (value: SqlValue) => Parameter {
  return (value) => {
    if (typeof value === 'number') return toInteger(value);
    if (value instanceof Uint8Array) {
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    return value;
  };
}

function toAnswer(answer: unknown): Answer {
  if (Array.isArray(answer)) {
    return { rows: answer as RowDataPacket[] as unknown as unknown[][], changes: 0, insertId: 0 };
  }
  const { affectedRows, insertId } = answer as ResultSetHeader;
  return { rows: [], changes: affectedRows, insertId };
}
