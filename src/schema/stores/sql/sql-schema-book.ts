/** The book in tables of a database: the same statements for SQLite and MariaDB. */
import { PROBLEM_LENGTH_MAX } from '../../schema-book.ts';
import type { ChangeNote, RunState, SchemaBook, ShardRun } from '../../schema-book.ts';
import type { MakeTable, SqlSession } from './sql-session.ts';

/** Small tables: a row for each shard and change at most. */
export const BOOK_TABLES: Readonly<Record<string, string>> = {
  schema_change: `id VARCHAR(64) NOT NULL, done_at_ms BIGINT, min_code VARCHAR(32) NOT NULL,
    PRIMARY KEY (id)`,
  schema_shard_run: `change_id VARCHAR(64) NOT NULL, shard VARCHAR(128) NOT NULL,
    state VARCHAR(16) NOT NULL, started_at_ms BIGINT NOT NULL, rows_done BIGINT NOT NULL,
    problem TEXT NOT NULL, PRIMARY KEY (change_id, shard)`,
  schema_pause: `id SMALLINT NOT NULL, reason TEXT NOT NULL, since_ms BIGINT NOT NULL,
    PRIMARY KEY (id)`,
};

const PUT_RUN = `/* holdfast:putShardRun */ REPLACE INTO schema_shard_run
  (change_id, shard, state, started_at_ms, rows_done, problem) VALUES (?, ?, ?, ?, ?, ?)`;
const LIST_RUNS = `/* holdfast:listShardRuns */ SELECT shard, state, started_at_ms, rows_done,
  problem FROM schema_shard_run WHERE change_id = ? ORDER BY shard`;
const PUT_CHANGE = `/* holdfast:putSchemaChange */ REPLACE INTO schema_change
  (id, done_at_ms, min_code) VALUES (?, ?, ?)`;
const DROP_CHANGE = '/* holdfast:dropSchemaChange */ DELETE FROM schema_change WHERE id = ?';
const LIST_CHANGES = `/* holdfast:listSchemaChanges */ SELECT id, done_at_ms, min_code
  FROM schema_change ORDER BY id`;
const PAUSE = `/* holdfast:pauseSchema */ REPLACE INTO schema_pause (id, reason, since_ms)
  VALUES (1, ?, ?)`;
const RESUME = '/* holdfast:resumeSchema */ DELETE FROM schema_pause WHERE id = 1';
const FIND_PAUSE = `/* holdfast:findSchemaPause */ SELECT reason, since_ms FROM schema_pause
  WHERE id = 1`;
export class SqlSchemaBook implements SchemaBook {
  readonly #session: SqlSession;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(session: SqlSession) {
    this.#session = session;
  }

  /** Makes those of its tables that `there` does not name. */
  static async open(
    session: SqlSession, { there, makeTable }: {
      there: ReadonlySet<string>; makeTable: MakeTable;
    },
  ): Promise<SqlSchemaBook> {
    for (const [name, columns] of Object.entries(BOOK_TABLES)) {
      if (!there.has(name)) await session.alter(makeTable(name, columns));
    }
    return new SqlSchemaBook(session);
  }

  /** One after the other: a connection does one thing at a time. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(act, act);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #change(text: string, values: readonly (string | number | null)[] = []): Promise<void> {
    return this.#inTurn(async () => {
      await this.#session.atomically(() => this.#session.change(text, values));
    });
  }

  #query(text: string, values: readonly (string | number)[] = []): Promise<unknown[][]> {
    return this.#inTurn(() => this.#session.query(text, values));
  }

  putRun({ changeId, shard, state, startedAtMs, rowsDone, problem }: ShardRun): Promise<void> {
    return this.#change(PUT_RUN, [
      changeId, shard, state, startedAtMs, rowsDone, problem.slice(0, PROBLEM_LENGTH_MAX),
    ]);
  }

  async listRuns(changeId: string): Promise<ShardRun[]> {
    const rows = await this.#query(LIST_RUNS, [changeId]);
    return rows.map(([shard, state, startedAtMs, rowsDone, problem]) => ({
      changeId, shard: String(shard), state: state as RunState, startedAtMs: Number(startedAtMs),
      rowsDone: Number(rowsDone), problem: String(problem),
    }));
  }

  putChange({ changeId, doneAtMs, minCode }: ChangeNote): Promise<void> {
    return this.#change(PUT_CHANGE, [changeId, doneAtMs ?? null, minCode]);
  }

  dropChange(changeId: string): Promise<void> {
    return this.#change(DROP_CHANGE, [changeId]);
  }

  async listChanges(): Promise<ChangeNote[]> {
    return (await this.#query(LIST_CHANGES)).map(([id, doneAtMs, minCode]) => ({
      changeId: String(id), minCode: String(minCode),
      doneAtMs: doneAtMs === null ? undefined : Number(doneAtMs),
    }));
  }

  pause(reason: string, nowMs: number): Promise<void> {
    return this.#change(PAUSE, [reason.slice(0, PROBLEM_LENGTH_MAX), nowMs]);
  }

  resume(): Promise<void> {
    return this.#change(RESUME);
  }

  async findPause(): Promise<{ reason: string; sinceMs: number } | undefined> {
    const [row] = await this.#query(FIND_PAUSE);
    return row === undefined ? undefined : { reason: String(row[0]), sinceMs: Number(row[1]) };
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#session.close();
  }
}
