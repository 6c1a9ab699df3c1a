import { assert } from '../../../base/assert.ts';
import type { Clock } from '../../../platform/index.ts';
import { LoneStatements, SharedQuestion, TurnWriter } from '../../../platform/mariadb/index.ts';
import type {
  Answer, Ask as AskServer, ChangeMarks, NamedSql, ServerAddress,
} from '../../../platform/mariadb/index.ts';
import { closed } from '../../identity-errors.ts';
import type { IdentityDatabase } from '../sql/identity-database.ts';
import type { Ask, Work } from '../sql/statement.ts';
import {
  IDENTITY_MARK, IDENTITY_TURN_SQL, META_SQL, NAMED_IDENTITY_SQL,
} from './identity-schema.ts';

export const WORDS = { op: 'identity/MariadbIdentityStore', database: 'user database' };

interface AskedMark {
  turns: { identity_turn: number };
  askedMs: number;
}

/**
 * A read is one statement, on one of a few connections. Writes take turns, with those of other
 * processes too; the number of the turn is the change mark.
 */
export class MariadbIdentityDatabase implements IdentityDatabase {
  readonly name = 'MariadbIdentityStore';
  readonly #lone: LoneStatements;
  readonly #turns: TurnWriter;
  readonly #marks: { ask(): Promise<AskedMark> };
  readonly #clock: Clock;
  readonly #markAgeMs: number;
  /** The question that was shared last, and its answer. */
  #asked: { question: Promise<AskedMark>; mark: Promise<number> } | undefined;
  /** The last mark, and when it was asked for. Own changes end it. */
  #known: { mark: number; askedMs: number } | undefined;
  #changeCount = 0;
  #isClosed = false;

  constructor(
    { address, clock, markAgeMs, marks }: {
      address: ServerAddress; clock: Clock; markAgeMs: number; marks?: ChangeMarks | undefined;
    },
  ) {
    this.#clock = clock;
    this.#markAgeMs = markAgeMs;
    const parts = { address, clock, words: WORDS };
    this.#lone = new LoneStatements(parts);
    this.#turns = new TurnWriter({
      ...parts, sql: IDENTITY_TURN_SQL, turns: 'identity_turn',
    });
    const alone = new SharedQuestion(() => this.#askAlone());
    this.#marks = marks ?? { ask: () => alone.answer() };
  }

  /** Round trips so far. */
  get questionCount(): number {
    return this.#lone.questionCount + this.#turns.questionCount;
  }

  changeMark(): number | Promise<number> {
    this.#checkOpen('changeMark');
    const known = this.#known;
    const isYoung = known !== undefined
      && this.#clock.monotonic() - known.askedMs < this.#markAgeMs;
    if (isYoung) return known.mark;
    const asked = this.#marks.ask();
    if (asked !== this.#asked?.question) {
      this.#asked = { question: asked, mark: this.#markOf(asked) };
    }
    return this.#asked.mark;
  }

  async #markOf(asked: Promise<AskedMark>): Promise<number> {
    const changeCount = this.#changeCount;
    const { turns: { identity_turn: mark }, askedMs } = await asked;
    if (changeCount === this.#changeCount) this.#known = { mark, askedMs };
    return mark;
  }

  async #askAlone(): Promise<AskedMark> {
    const askedMs = this.#clock.monotonic();
    const { rows: [row] } = await this.#lone.ask(IDENTITY_MARK, []);
    return { turns: { identity_turn: Number(row?.[0]) }, askedMs };
  }

  async read<T>(method: string, begin: () => Work<T>): Promise<T> {
    this.#checkOpen(method);
    const work = begin();
    const asked = work.next();
    if (asked.done === true) return asked.value;
    const answer = await answerTo(asked.value, (sql, args) => this.#lone.ask(sql, args));
    const ended = work.next(answer);
    assert(ended.done === true, 'a read asks once: two questions would be two moments');
    return ended.value;
  }

  async write<T>(method: string, begin: () => Work<T>): Promise<T> {
    this.#checkOpen(method);
    try {
      return await this.#turns.transact(async (ask) => {
        const work = begin();
        let step = work.next();
        while (step.done !== true) step = work.next(await answerTo(step.value, ask));
        return step.value;
      });
    } finally {
      this.#changeCount += 1; // A mark that was asked for before is not kept.
      this.#known = undefined;
    }
  }

  /** Of the database as a whole. */
  async findFact(name: string): Promise<string | undefined> {
    this.#checkOpen('findFact');
    const { rows: [row] } = await this.#lone.ask(META_SQL.findIdentityFact, [name]);
    return row?.[0] as string | undefined;
  }

  /** Answers the value that counts: the first that was kept. */
  async keepFact(name: string, value: string): Promise<string> {
    this.#checkOpen('keepFact');
    await this.#lone.ask(META_SQL.addIdentityFact, [name, value]);
    return await this.findFact(name) ?? value;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turns.close();
    await this.#lone.close();
  }

  #checkOpen(method: string): void {
    if (this.#isClosed) throw closed(`${WORDS.op}.${method}`);
  }
}

async function answerTo({ statement, way, bind }: Ask, ask: AskServer): Promise<unknown> {
  const named = NAMED_IDENTITY_SQL.get(statement);
  assert(named !== undefined, 'every statement is named');
  if (way === 'run-many') {
    await ask(manyOf(named), [JSON.stringify(bind)]);
    return undefined;
  }
  const answer = await ask(named.one, bind);
  if (way === 'run') return answer.changes;
  const rows = rowsOf(answer, statement.parts.columns);
  return way === 'one' ? rows[0] : rows;
}

function manyOf({ many }: { many?: NamedSql }): NamedSql {
  assert(many !== undefined, 'what is done for many has a statement for it');
  return many;
}

function rowsOf({ rows }: Answer, columns: readonly string[]): unknown[] {
  if (columns.length === 0) return rows.map(([value]) => Number(value));
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
}
