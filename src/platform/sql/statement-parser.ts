/** Reads one statement of the subset of SQL that this program speaks. */
import { ExpressionParser } from './expression-parser.ts';
import { SqlRefusal } from './sql-refusal.ts';
import type { Assignment, Expression, Query, Select, Source, Statement } from './syntax.ts';
import { expression } from './syntax.ts';
import { tokensOf } from './tokens.ts';
import type { Token } from './tokens.ts';

const OF_SCHEMA: ReadonlySet<string> = new Set([
  'ALTER', 'ANALYZE', 'CREATE', 'DROP', 'OPTIMIZE', 'RENAME', 'TRUNCATE',
]);

/** What a session may be told. */
const SESSION_FORMS: readonly RegExp[] = [
  /^(BEGIN|COMMIT|ROLLBACK)$/, /^START TRANSACTION( READ ONLY)?$/,
  /^SET NAMES [A-Z0-9_]+( COLLATE [A-Z0-9_]+)?$/,
  /^SET SESSION (?!.*\bSELECT\b)[A-Z0-9_ =,?+\-]+$/,
  /^SET STATEMENT WSREP_SYNC_WAIT = \? FOR SELECT \?$/,
  /^SHOW GLOBAL (STATUS|VARIABLES) WHERE VARIABLE_NAME IN \( \?( , \?)* \)$/,
  /^SHOW GRANTS$/, /^SHOW (GLOBAL |SESSION )?(STATUS|VARIABLES) LIKE \?$/,
];

function sessionForm(tokens: readonly Token[]): string {
  return tokens.map(({ kind, value }) =>
    (kind === 'text' || kind === 'number' ? '?' : value)).join(' ');
}

export class StatementParser extends ExpressionParser {
  protected override readonly readQuery = (): Query => this.#query();

  /** @throws SqlRefusal. */
  static parse(text: string): Statement {
    const tokens = tokensOf(text);
    const parser = new StatementParser(tokens);
    const statement = parser.#statement(tokens);
    if (statement.kind !== 'session' && parser.next.kind !== 'end') {
      throw parser.unknown('something follows the statement');
    }
    return statement;
  }

  #statement(tokens: readonly Token[]): Statement {
    if (this.isWord('SELECT', 'WITH')) return { kind: 'read', query: this.#query() };
    if (this.takeWord('INSERT')) return this.#insert();
    if (this.takeWord('REPLACE')) return this.#replace();
    if (this.takeWord('UPDATE')) return this.#update();
    if (this.takeWord('DELETE')) return this.#delete();
    const { kind, value } = this.next;
    if (kind === 'word' && OF_SCHEMA.has(value)) {
      throw new SqlRefusal('schema', `${value} is for the schema runner alone`);
    }
    const form = sessionForm(tokens);
    if (SESSION_FORMS.some((each) => each.test(form))) return { kind: 'session' };
    throw new SqlRefusal('words', 'it begins with a word that no statement may begin with');
  }

  #query(): Query {
    const named: { name: string; query: Query }[] = [];
    if (this.takeWord('WITH')) {
      this.takeWord('RECURSIVE');
      named.push(...this.separated(() => this.#namedQuery()));
    }
    const selects = [this.#select()];
    while (this.takeWord('UNION')) {
      if (!this.takeWord('ALL')) this.takeWord('DISTINCT');
      selects.push(this.#select());
    }
    this.#endOfQuery();
    return { selects, named };
  }

  #namedQuery(): { name: string; query: Query } {
    const name = this.name();
    if (this.takeSign('(')) {
      this.separated(() => this.name());
      this.needSign(')');
    }
    this.needWord('AS');
    this.needSign('(');
    const query = this.nested(() => this.#query());
    this.needSign(')');
    return { name, query };
  }

  #select(): Select {
    this.needWord('SELECT');
    if (!this.takeWord('DISTINCT')) this.takeWord('STRAIGHT_JOIN');
    const columns = this.separated(() => this.#selected());
    const sources = this.takeWord('FROM') ? this.#sources() : [];
    const where = this.#where();
    if (this.takeWord('GROUP')) {
      this.needWord('BY');
      this.separated(() => this.expression());
    }
    const having = this.takeWord('HAVING') ? this.expression() : undefined;
    return {
      columns, sources, ...(where !== undefined && { where }),
      ...(having !== undefined && { having }),
    };
  }

  #selected(): Expression {
    if (this.takeSign('*')) return expression('any', '*');
    const selected = this.expression();
    if (this.takeWord('AS') || this.isName()) this.name();
    return selected;
  }

  #where(): Expression | undefined {
    return this.takeWord('WHERE') ? this.expression() : undefined;
  }

  /** Order, limit and locks change nothing of what the guard looks at. */
  #endOfQuery(): void {
    this.#orderAndLimit();
    if (this.takeWord('FOR')) this.needWord('UPDATE');
    else if (this.takeWord('LOCK')) {
      for (const word of ['IN', 'SHARE', 'MODE']) this.needWord(word);
    }
  }

  /** Answers how many rows at most, if that is written out. */
  #orderAndLimit(): number | undefined {
    this.order();
    if (!this.takeWord('LIMIT')) return undefined;
    const { kind, word } = this.expression();
    if (this.takeWord('OFFSET')) this.expression();
    return kind === 'literal' && /^\d+$/.test(word) ? Number(word) : undefined;
  }

  #sources(): Source[] {
    const sources = [this.#source(false)];
    for (;;) {
      const join = this.#join();
      if (join === undefined) return sources;
      sources.push(this.#source(join === 'optional'));
    }
  }

  #join(): 'whole' | 'optional' | undefined {
    if (this.takeSign(',') || this.takeWord('STRAIGHT_JOIN') || this.takeWord('JOIN')) {
      return 'whole';
    }
    if (this.takeWord('LEFT')) {
      this.takeWord('OUTER');
      this.needWord('JOIN');
      return 'optional';
    }
    if (!this.takeWord('INNER') && !this.takeWord('CROSS')) return undefined;
    this.needWord('JOIN');
    return 'whole';
  }

  #source(isOptional: boolean): Source {
    const rows = this.isSign('(') ? this.#derived() : this.#table();
    const isJoined = this.isWord('ON') && this.afterNext.value !== 'DUPLICATE';
    if (isJoined) this.take();
    const on = isJoined ? this.expression() : undefined;
    return { ...rows, isOptional, ...(on !== undefined && { on }) };
  }

  #derived(): Pick<Source, 'table' | 'alias' | 'query'> {
    this.needSign('(');
    const query = this.nested(() => this.#query());
    this.needSign(')');
    this.takeWord('AS');
    return { table: '', alias: this.name(), query };
  }

  #table(): Pick<Source, 'table' | 'alias' | 'query'> {
    if (this.isWord('JSON_TABLE')) return this.#jsonTable();
    let table = this.name();
    if (this.takeSign('.')) table = `${table.toLowerCase()}.${this.name()}`;
    const isCalled = this.takeWord('AS') || (this.isName() && !this.isWord('INDEXED'));
    const alias = isCalled ? this.name() : table;
    if (this.takeWord('FORCE') || this.takeWord('USE')) {
      this.needWord('INDEX');
      this.needSign('(');
      this.separated(() => this.name());
      this.needSign(')');
    }
    return { table, alias };
  }

  /** Rows made of a value: as many as that has. */
  #jsonTable(): Pick<Source, 'table' | 'alias' | 'query'> {
    this.take();
    this.needSign('(');
    this.expression();
    let open = 1;
    while (open > 0) {
      if (this.next.kind === 'end' || this.isWord('SELECT')) throw this.unknown('JSON_TABLE');
      if (this.isSign('(')) open += 1;
      if (this.isSign(')')) open -= 1;
      this.take();
    }
    this.takeWord('AS');
    return { table: '', alias: this.name(), query: { selects: [], named: [] } };
  }

  #assignments(): Assignment[] {
    return this.separated(() => {
      const compared = this.expression();
      const [column, value] = compared.parts;
      const isAssignment = compared.kind === 'operator' && compared.word === '='
        && column?.kind === 'column' && value !== undefined;
      if (!isAssignment) throw this.unknown('an assignment is missing');
      return { column, value };
    });
  }

  #insert(): Statement {
    this.takeWord('IGNORE');
    this.needWord('INTO');
    const table = this.name();
    if (this.takeSign('(')) {
      this.separated(() => this.name());
      this.needSign(')');
    }
    const isRows = this.takeWord('VALUES');
    const tuples = isRows ? this.separated(() => this.#tuple()) : [];
    const query = isRows ? undefined : this.#query();
    const onDuplicate = this.takeWord('ON') ? this.#onDuplicate() : [];
    return { kind: 'insert', table, tuples, onDuplicate, ...(query !== undefined && { query }) };
  }

  #replace(): Statement {
    const statement = this.#insert();
    if (statement.kind !== 'insert' || statement.query !== undefined) {
      throw this.unknown('REPLACE takes rows of values');
    }
    return { ...statement, isReplacing: true };
  }

  #tuple(): Expression[] {
    this.needSign('(');
    const values = this.separated(() => this.expression());
    this.needSign(')');
    return values;
  }

  #onDuplicate(): Assignment[] {
    for (const word of ['DUPLICATE', 'KEY', 'UPDATE']) this.needWord(word);
    return this.#assignments();
  }

  #update(): Statement {
    const sources = this.#sources();
    this.needWord('SET');
    const assignments = this.#assignments();
    return { kind: 'update', sources, assignments, ...this.#rest() };
  }

  #delete(): Statement {
    const targets = this.isWord('FROM') ? [] : this.separated(() => this.name());
    this.needWord('FROM');
    const sources = this.#sources();
    return { kind: 'delete', targets, sources, ...this.#rest() };
  }

  #rest(): { where?: Expression; limit?: number } {
    const where = this.#where();
    const limit = this.#orderAndLimit();
    return { ...(where !== undefined && { where }), ...(limit !== undefined && { limit }) };
  }
}
