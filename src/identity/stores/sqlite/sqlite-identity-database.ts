import type { Database, Statement as Prepared } from 'better-sqlite3';
import { assert } from '../../../base/assert.ts';
import { prepareTexts, sqliteText, systemClock } from '../../../platform/index.ts';
import type { RunStatement } from '../../../platform/index.ts';
import { closed } from '../../identity-errors.ts';
import type { IdentityDatabase } from '../sql/identity-database.ts';
import { IDENTITY_SQL } from '../sql/identity-statements.ts';
import type { Ask, Bind, Work } from '../sql/statement.ts';
import { explainSqlite } from './open-identity-database.ts';

/** How long a change by another process may stay unseen. */
const MARK_AGE_MS = 5;

type PreparedStatements = ReadonlyMap<Ask['statement'], RunStatement>;

/**
 * Statements run on the calling thread: reads take microseconds, and writes, one fsync each, are
 * rare (somebody signs in or an administrator changes something). Writes begin IMMEDIATE, so that
 * two processes never both read before one of them writes.
 */
export class SqliteIdentityDatabase implements IdentityDatabase {
  readonly name = 'SqliteIdentityStore';
  readonly #database: Database;
  readonly #prepared: PreparedStatements;
  readonly #dataVersionOf: Prepared<[], number>;
  /** SQLite counts other connections' commits only; ours are added here. */
  #mark = 0;
  #dataVersion = -1;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** @throws as SqliteIdentityStore.open. */
  constructor(database: Database) {
    this.#database = database;
    [this.#prepared, this.#dataVersionOf] = explainSqlite(opOf('open'), () => [
      prepareAll(database), database.prepare<[], number>('PRAGMA data_version').pluck(),
    ]);
  }

  changeMark(): number {
    // Asking for each request took a seventh of a small download's time, and once for each turn of
    // the event loop, under load, a thirtieth.
    const now = systemClock.monotonic();
    if (now - this.#askedAtMs < MARK_AGE_MS) return this.#mark;
    const dataVersion = this.#act('changeMark', () => this.#dataVersionOf.get()) ?? -1;
    this.#askedAtMs = now;
    if (dataVersion !== this.#dataVersion) {
      this.#dataVersion = dataVersion;
      this.#mark += 1;
    }
    return this.#mark;
  }

  read<T>(method: string, begin: () => Work<T>): T {
    return this.#act(method, () => this.#run(begin()));
  }

  write<T>(method: string, begin: () => Work<T>): T {
    const result = this.#act(method, () =>
      this.#database.transaction(() => this.#run(begin())).immediate());
    this.#mark += 1;
    return result;
  }

  close(): void {
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
    if (this.#database.open) explainSqlite(opOf('close'), () => this.#database.close());
  }

  #act<T>(method: string, act: () => T): T {
    if (!this.#database.open) throw closed(opOf(method));
    try {
      return act();
    } catch (error) {
      // Only here, not by a wrapper: changeMark runs once per request and should stay cheap.
      return explainSqlite(opOf(method), () => {
        throw error;
      });
    }
  }

  #run<T>(work: Work<T>): T {
    let step = work.next();
    while (step.done !== true) step = work.next(this.#answer(step.value));
    return step.value;
  }

  #answer({ statement, way, bind }: Ask): unknown {
    const prepared = this.#prepared.get(statement);
    assert(prepared !== undefined, 'every statement has been prepared');
    if (way === 'one') return prepared.get(...bind);
    if (way === 'all') return prepared.all(...bind);
    if (way === 'run') return prepared.run(...bind).changes;
    for (const each of bind as readonly Bind[]) prepared.run(...each);
    return undefined;
  }
}

const STATEMENTS = Object.entries<Ask['statement']>(IDENTITY_SQL);

export const IDENTITY_TEXTS = Object.fromEntries(STATEMENTS.map(([name, { parts }]) => {
  const { text, columns, rowsMax } = parts;
  // One number, as COUNT answers it, is answered bare.
  const rowAs = columns.length === 0 ? 'value' : 'object';
  return [name, sqliteText<unknown[], unknown>(text, { rowsMax, rowAs })];
}));

function prepareAll(database: Database): PreparedStatements {
  const prepared = prepareTexts(database, 'identity', IDENTITY_TEXTS);
  return new Map(STATEMENTS.map(([name, statement]) => (
    [statement, prepared[name] as RunStatement])));
}

function opOf(method: string): string {
  return `identity/SqliteIdentityStore.${method}`;
}
