/** One connection to a MariaDB server, with the settings that our promises rest on. */
import mysql from 'mysql2/promise';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { SqlValue } from './named-sql.ts';

/** Plain data, so that it can be handed to a thread. */
export interface ServerAddress {
  /** A name or address, and a port; or the path of a socket on this machine. */
  host?: string;
  port?: number;
  socketPath?: string;
  user: string;
  password: string;
  database: string;
  /** Certificates (PEM) of the authority that the server's is judged by; without them the
   *  connection is not encrypted. */
  tlsCa?: string | undefined;
}

export interface Answer {
  /** Each an array of its columns. */
  rows: unknown[][];
  /** Rows that a statement found to change. */
  changes: number;
  /** What LAST_INSERT_ID was given. */
  insertId: number;
}

export const CONNECT_TIMEOUT_MS = 10_000;
/** A statement that takes longer has failed. */
export const STATEMENT_TIMEOUT_MS = 60_000;
const LOCK_WAIT_S = 10;
/** Deeper than any chain of folders. */
const RECURSION_MAX = 100_000;

/** Names are compared byte by byte, blanks at the end included: the plain `utf8mb4_bin` takes `a`
 *  and `a ` for one name. MySQL has the same under another name. */
export function binaryCollation(isMariadb: boolean): string {
  return isMariadb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}

/** Every statement begins a transaction if there is none, so beginning one costs no round trip. */
function sessionSettings(isMariadb: boolean): string {
  const recursion = isMariadb ? 'max_recursive_iterations' : 'cte_max_recursion_depth';
  return `SET SESSION autocommit = 0, sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,`
    + `NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = ${LOCK_WAIT_S}, `
    + `${recursion} = ${RECURSION_MAX}`;
}

/** `schema` alone may make, alter or drop tables: it is opened by who makes a new database, and by
 *  the runner of schema changes. Of a `lone` one each statement is a transaction of its own. */
export type SessionMode = 'write' | 'read' | 'schema' | 'lone';

export class Session {
  readonly #connection: Connection;
  #questionCount = 0;

  private constructor(connection: Connection) {
    this.#connection = connection;
    // Without a listener a broken connection would end the process; the next statement tells.
    connection.on('error', () => undefined);
  }

  /** @throws the driver's error. */
  static async open(address: ServerAddress, mode: SessionMode): Promise<Session> {
    const { tlsCa, ...place } = address;
    const connection = await mysql.createConnection({
      ...place, ...(tlsCa !== undefined && { ssl: { ca: tlsCa, verifyIdentity: true } }),
      charset: 'utf8mb4_bin', rowsAsArray: true, supportBigNumbers: true, decimalNumbers: true,
      multipleStatements: false, connectTimeout: CONNECT_TIMEOUT_MS,
    });
    const session = new Session(connection);
    try {
      const { rows: [[version] = []] } = await session.run('SELECT VERSION()');
      const isMariadb = String(version).includes('MariaDB');
      await session.run(`SET NAMES utf8mb4 COLLATE ${binaryCollation(isMariadb)}`);
      await session.run(sessionSettings(isMariadb));
      const access = mode === 'read' ? 'READ ONLY' : 'READ WRITE';
      await session.run(`SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, ${access}`);
      await session.run(mode === 'lone' ? 'SET SESSION autocommit = 1' : 'COMMIT');
    } catch (error) {
      session.destroy();
      throw error;
    }
    return session;
  }

  /** How often the server was asked for something: a round trip each, settings and ends of
   *  transactions not counted. */
  get questionCount(): number {
    return this.#questionCount;
  }

  /** A statement without values, which is not kept prepared. */
  async run(text: string): Promise<Answer> {
    const [answer] = await this.#connection.query({ sql: text, timeout: STATEMENT_TIMEOUT_MS });
    return toAnswer(answer);
  }

  /** A statement with values, prepared on its first use. Values never become part of its text. */
  async execute(text: string, values: readonly SqlValue[]): Promise<Answer> {
    this.#questionCount += 1;
    const [answer] = await this.#connection.execute({
      sql: text, values: values.map(toParameter), timeout: STATEMENT_TIMEOUT_MS,
    });
    return toAnswer(answer);
  }

  async end(): Promise<void> {
    await this.#connection.end();
  }

  destroy(): void {
    this.#connection.destroy();
  }
}

/** Whole numbers go as such: the driver would make floating ones of them. */
function toParameter(
  value: SqlValue,
): ReturnType<typeof mysql.TypedParameter.LONGLONG> | string | null | Buffer {
  if (typeof value === 'number') return mysql.TypedParameter.LONGLONG(value);
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value;
}

function toAnswer(answer: unknown): Answer {
  if (Array.isArray(answer)) {
    return { rows: answer as RowDataPacket[] as unknown as unknown[][], changes: 0, insertId: 0 };
  }
  const { affectedRows, insertId } = answer as ResultSetHeader;
  return { rows: [], changes: affectedRows, insertId };
}
