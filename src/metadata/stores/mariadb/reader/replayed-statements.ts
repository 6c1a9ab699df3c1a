/**
 * Readers ask and go on with the answer, as they do on SQLite; here every answer takes a while. So
 * a reader is run again and again on one snapshot: as far as the answers reach that are there, then
 * it is stopped, its next question is put to the server, and it begins anew. Readers change
 * nothing, and on one snapshot they ask the same each time; so the last run is as good as the only
 * one.
 *
 * A read of three statements runs three times up to where it stopped, which costs microseconds.
 */
import { assert } from '../../../../base/assert.ts';
import { valuesFor } from '../../../../platform/mariadb/index.ts';
import type {
  Answer, NamedSql, Session, SqlValue,
} from '../../../../platform/mariadb/index.ts';
import type { Step } from '../line/line-messages.ts';
import type { SqlStatement } from '../../sqlite/statements.ts';

/** Questions of one read. Nothing that the seam offers comes near. */
const QUESTIONS_MAX = 20_000;

/** Statements that find a few rows by their keys, and are all that most reads ask. */
const SHORT: ReadonlySet<string> = new Set([
  'walk', 'getSpace', 'getAccessRev', 'listGrantsTo', 'grantsToAny', 'findLink',
  'findSpaceByOwner', 'getVersion', 'listFewChains', 'listFewStandings', 'findUpload',
  'listProperties', 'locksOf', 'grantsOf', 'usageOf',
]);

export interface Question {
  readonly statement: NamedSql;
  readonly values: SqlValue[];
  readonly key: string;
}

/** Stops a run. It is made once: to note where it was thrown would cost more than the run. */
const UNANSWERED = new Error('a reader has asked what is not answered yet');

export class ReplayedStatements {
  /** Those of the run that is under way. Runs never wait, so there is at most one. */
  #answers: Map<string, unknown[][]> | undefined;
  /** What that run was stopped for. */
  #unanswered: Question | undefined;

  /** Statements to build readers on. What they answer makes sense within `answer` alone. */
  tableOf<Name extends string>(
    named: Readonly<Record<Name, NamedSql>>,
  ): Readonly<Record<Name, SqlStatement>> {
    const entries = Object.entries<NamedSql>(named).map(([name, statement]) =>
      [name, this.#statement(statement)] as const);
    return Object.fromEntries(entries) as Record<Name, SqlStatement>;
  }

  #statement(statement: NamedSql): SqlStatement {
    return {
      get: (...args) => this.#find(statement, args)[0],
      all: (...args) => [...this.#find(statement, args)],
      run: () => ({ changes: 0 }), // A read begins and ends by itself: see read-pool.ts.
    };
  }

  #find(statement: NamedSql, args: readonly unknown[]): unknown[][] {
    assert(this.#answers !== undefined, 'readers run on a snapshot');
    const values = valuesFor(statement, args);
    const key = `${statement.text} ${JSON.stringify(values)}`;
    const rows = this.#answers.get(key);
    if (rows !== undefined) return rows;
    this.#unanswered = { statement, values, key };
    throw UNANSWERED;
  }

  /** Answers what needs no more than one question that stands alone; or says what has to be asked
   *  on a snapshot first. `ask` may give several callers who ask the same one answer.
   *  @throws what `read` does. */
  async answerAlone<T>(
    ask: (key: string, step: Step) => Promise<Answer>, read: () => T,
  ): Promise<{ value: T } | { questions: Question[] }> {
    const first = this.#run(new Map(), read);
    if ('value' in first) return first;
    const { statement: { name, text }, values, key } = first.unanswered;
    if (!SHORT.has(name)) return { questions: [first.unanswered] };
    const { rows } = await ask(key, { text, values });
    const second = this.#run(new Map([[key, rows]]), read);
    return 'value' in second ? second : { questions: [first.unanswered, second.unanswered] };
  }

  /** What each of the reads asks first. @throws what they do before they ask. */
  firstQuestions(reads: readonly (() => unknown)[]): Question[] {
    return reads.flatMap((read) => {
      const outcome = this.#run(new Map(), read);
      return 'value' in outcome ? [] : [outcome.unanswered];
    });
  }

  /** Runs `read` on the session's snapshot until it comes to its end. `questions` are asked
   *  together, before it runs. @throws what `read` does. */
  async answer<T>(
    session: Session, read: () => T, questions: readonly Question[] = [],
  ): Promise<T> {
    const first = await session.executeAll(questions.map(({ statement: { text }, values }) =>
      ({ text, values })));
    const answers = new Map(questions.map(({ key }, at) => [key, first[at]?.rows ?? []]));
    while (answers.size < QUESTIONS_MAX) {
      const outcome = this.#run(answers, read);
      if ('value' in outcome) return outcome.value;
      const { statement, values, key } = outcome.unanswered;
      const { rows } = await session.execute(statement.text, values);
      answers.set(key, rows);
    }
    assert(false, 'a read asks a bounded number of questions');
  }

  #run<T>(
    answers: Map<string, unknown[][]>, read: () => T,
  ): { value: T } | { unanswered: Question } {
    this.#answers = answers;
    this.#unanswered = undefined;
    try {
      return { value: read() };
    } catch (error) {
      if (error !== UNANSWERED || this.#unanswered === undefined) throw error;
      return { unanswered: this.#unanswered };
    } finally {
      this.#answers = undefined;
    }
  }
}
