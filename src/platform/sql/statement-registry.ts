/**
 * The statements that may be sent to a database server, each under its name. What is not in here is
 * not sent. A statement is judged when it is entered (see statement-guard.ts); whoever sends one
 * only looks up its text.
 */
import { SqlRefusal } from './sql-refusal.ts';
import { fingerprintOf } from './fingerprint.ts';
import { judge } from './statement-guard.ts';
import type { StatementKind, StatementRules } from './statement-guard.ts';

/** Plain data, so that it can be handed to the thread that sends it. */
export interface RegisteredStatement {
  /** Whose it is, and its name: `metadata.reader.getNode`. */
  readonly name: string;
  readonly fingerprint: string;
  readonly kind: StatementKind;
  /** More affected rows are undone and refused. */
  readonly rowsMax: number;
  /** See Judgement. */
  readonly looksKeyless: boolean;
  /** As it is sent: with its name and fingerprint in front. */
  readonly text: string;
}

/** Who owns statements, and what the guard has to know to judge them. */
export interface StatementOwner extends StatementRules {
  /** The module and the part of it: `metadata.writer`. */
  readonly owner: string;
}

const NAME = /^[a-zA-Z][a-zA-Z0-9.-]{0,60}$/;
/** Each thread has a few hundred; texts for many rows at once included. */
const STATEMENTS_MAX = 8_192;

/** In front, so that it is seen in lists that cut texts off. No user's data is in it. */
export function markOf(name: string, fingerprint: string, requestId?: string): string {
  const request = requestId === undefined ? '' : ` r=${requestId.replaceAll(/[^\w+.-]/g, '')}`;
  return `/*hf op=${name} f=${fingerprint}${request}*/`;
}

export class StatementRegistry implements Iterable<RegisteredStatement> {
  readonly #byText = new Map<string, RegisteredStatement>();

  /** Judges a text and enters it; once more is no matter. @throws SqlRefusal. */
  enter(name: string, sql: string, { owner, ...rules }: StatementOwner): RegisteredStatement {
    const whole = `${owner}.${name}`;
    if (!NAME.test(whole)) throw new SqlRefusal('name', 'its name is none', JSON.stringify(whole));
    const fingerprint = fingerprintOf(sql);
    const text = `${markOf(whole, fingerprint)} ${sql}`;
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const statement = { name: whole, fingerprint, text, ...this.#judged(whole, sql, rules) };
    this.adopt(statement);
    return statement;
  }

  #judged(name: string, sql: string, rules: StatementRules) {
    try {
      return judge(sql, rules);
    } catch (error) {
      if (error instanceof SqlRefusal) throw new SqlRefusal(error.rule, error.reason, name);
      throw error;
    }
  }

  /** Takes what another thread of this process has judged. */
  adopt(statement: RegisteredStatement): void {
    if (this.#byText.size >= STATEMENTS_MAX) {
      throw new SqlRefusal('size', 'there are too many statements', statement.name);
    }
    this.#byText.set(statement.text, statement);
  }

  find(text: string): RegisteredStatement | undefined {
    return this.#byText.get(text);
  }

  /** @throws SqlRefusal: it was never entered. */
  get(text: string): RegisteredStatement {
    const statement = this.#byText.get(text);
    if (statement !== undefined) return statement;
    throw new SqlRefusal('unknown', 'it is not in the registry of statements');
  }

  [Symbol.iterator](): Iterator<RegisteredStatement> {
    return this.#byText.values();
  }
}

/** Of this thread. */
export const statements = new StatementRegistry();
