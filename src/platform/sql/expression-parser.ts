/** Reads expressions. Whatever it does not know is refused, so what it lets pass is understood. */
import { SqlRefusal } from './sql-refusal.ts';
import type { Expression, Query } from './syntax.ts';
import { expression } from './syntax.ts';
import { END } from './tokens.ts';
import type { Token } from './tokens.ts';

/** Deeper than anything that is written by hand. */
const DEPTH_MAX = 40;

/** Whatever else a server offers (waiting, files, locks, chance) has no place in our statements. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  'ABS', 'CAST', 'CEIL', 'CHAR', 'CHAR_LENGTH', 'COALESCE', 'CONCAT', 'CONNECTION_ID', 'COUNT',
  'CURRENT_ROLE', 'CURRENT_USER', 'DATABASE', 'FLOOR', 'GREATEST', 'GROUP_CONCAT', 'HEX', 'IF',
  'IFNULL', 'LAST_INSERT_ID', 'LEAST', 'LEFT', 'LENGTH', 'LOWER', 'MAX', 'MIN', 'MOD', 'NULLIF',
  'RIGHT', 'ROUND', 'ROW_NUMBER', 'SHA2', 'SUBSTRING', 'SUM', 'SYSDATE', 'UNHEX',
  'UNIX_TIMESTAMP', 'UPPER', 'VALUES', 'VERSION',
]);

/** Words that begin or go on with something else: no column is called so without back quotes. */
const RESERVED: ReadonlySet<string> = new Set([
  'ALL', 'AND', 'ANY', 'AS', 'ASC', 'BETWEEN', 'BY', 'CASE', 'COLLATE', 'COLUMNS', 'CROSS',
  'DELETE', 'DESC', 'DISTINCT', 'DIV', 'DUPLICATE', 'ELSE', 'END', 'ESCAPE', 'EXCEPT', 'EXISTS',
  'FOR', 'FORCE', 'FROM', 'GROUP', 'HAVING', 'IGNORE', 'IN', 'INNER', 'INSERT', 'INTERSECT',
  'INTO', 'IS', 'JOIN', 'LEFT', 'LIKE', 'LIMIT', 'LOCK', 'NATURAL', 'NOT', 'NULL', 'OFFSET', 'ON',
  'OR', 'ORDER', 'OUTER', 'OVER', 'PROCEDURE', 'REGEXP', 'RETURNING', 'RIGHT', 'RLIKE', 'SELECT',
  'SET', 'SOME', 'STRAIGHT_JOIN', 'THEN', 'UNION', 'UPDATE', 'USE', 'USING', 'VALUES', 'WHEN',
  'WHERE', 'WINDOW', 'WITH', 'XOR',
]);

const COMPARISONS: ReadonlySet<string> = new Set(['=', '<=>', '<>', '!=', '<', '<=', '>', '>=']);

export class ExpressionParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  /** Reads a query in brackets; the parser of statements knows how. */
  protected readQuery: () => Query = () => {
    throw new SqlRefusal('words', 'a query stands where none is known');
  };

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  protected get next(): Token {
    return this.#tokens[this.#at] ?? END;
  }

  protected get afterNext(): Token {
    return this.#tokens[this.#at + 1] ?? END;
  }

  protected take(): Token {
    const token = this.next;
    this.#at += 1;
    return token;
  }

  protected isWord(...words: readonly string[]): boolean {
    return this.next.kind === 'word' && words.includes(this.next.value);
  }

  protected isSign(sign: string): boolean {
    return this.next.kind === 'sign' && this.next.value === sign;
  }

  protected takeWord(word: string): boolean {
    const isThere = this.isWord(word);
    if (isThere) this.#at += 1;
    return isThere;
  }

  protected takeSign(sign: string): boolean {
    const isThere = this.isSign(sign);
    if (isThere) this.#at += 1;
    return isThere;
  }

  protected needWord(word: string): void {
    if (!this.takeWord(word)) throw this.unknown(`it needs ${word}`);
  }

  protected needSign(sign: string): void {
    if (!this.takeSign(sign)) throw this.unknown(`it needs ${sign}`);
  }

  protected unknown(what: string): SqlRefusal {
    return new SqlRefusal('words', `it is not of the SQL that is known here: ${what}`);
  }

  /** A name of a table, a column or an alias. */
  protected name(): string {
    const token = this.take();
    if (token.kind === 'name') return token.value;
    if (token.kind === 'word' && !RESERVED.has(token.value)) return token.raw;
    throw this.unknown('a name is missing');
  }

  protected isName(): boolean {
    const { kind, value } = this.next;
    return kind === 'name' || (kind === 'word' && !RESERVED.has(value));
  }

  protected separated<T>(read: () => T): T[] {
    const all = [read()];
    while (this.takeSign(',')) all.push(read());
    return all;
  }

  protected nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new SqlRefusal('size', 'it is nested too deep');
    try {
      return read();
    } finally {
      this.#depth -= 1;
    }
  }

  /** A condition or a value. */
  protected expression(): Expression {
    return this.nested(() => {
      const arms = [this.#conjunction()];
      while (this.takeWord('OR')) arms.push(this.#conjunction());
      return arms.length === 1 ? arms[0] as Expression : expression('operator', 'OR', arms);
    });
  }

  #conjunction(): Expression {
    const arms = [this.#negation()];
    while (this.takeWord('AND')) arms.push(this.#negation());
    return arms.length === 1 ? arms[0] as Expression : expression('operator', 'AND', arms);
  }

  #negation(): Expression {
    if (!this.takeWord('NOT')) return this.#comparison();
    return this.nested(() => expression('operator', 'NOT', [this.#negation()]));
  }

  #comparison(): Expression {
    let left = this.#sum();
    for (;;) {
      const right = this.#comparedWith(left);
      if (right === undefined) return left;
      left = right;
    }
  }

  #comparedWith(left: Expression): Expression | undefined {
    if (this.next.kind === 'sign' && COMPARISONS.has(this.next.value)) {
      const sign = this.take().value;
      return expression('operator', sign === '!=' ? '<>' : sign, [left, this.#sum()]);
    }
    if (this.takeWord('IS')) {
      const word = this.takeWord('NOT') ? 'IS NOT NULL' : 'IS NULL';
      this.needWord('NULL');
      return expression('operator', word, [left]);
    }
    if (this.isWord('NOT') && this.afterNext.kind === 'word') {
      this.take();
      const positive = this.#comparedWith(left);
      if (positive === undefined || !/^(IN|BETWEEN|LIKE)$/.test(positive.word)) {
        throw this.unknown('a NOT without what it turns round');
      }
      return expression('operator', 'NOT', [positive]);
    }
    if (this.takeWord('IN')) return expression('operator', 'IN', [left, this.#members()]);
    if (this.takeWord('BETWEEN')) {
      const low = this.#sum();
      this.needWord('AND');
      return expression('operator', 'BETWEEN', [left, low, this.#sum()]);
    }
    if (this.takeWord('LIKE')) return expression('operator', 'LIKE', [left, this.#sum()]);
    return undefined;
  }

  #members(): Expression {
    this.needSign('(');
    const members = this.isWord('SELECT', 'WITH') ? this.#query()
      : expression('list', 'list', this.separated(() => this.expression()));
    this.needSign(')');
    return members;
  }

  #query(): Expression {
    const query = this.nested(() => this.readQuery());
    return { kind: 'query', word: 'query', of: '', parts: [], query };
  }

  #sum(): Expression {
    let left = this.#product();
    while (this.isSign('+') || this.isSign('-')) {
      left = expression('operator', this.take().value, [left, this.#product()]);
    }
    return left;
  }

  #product(): Expression {
    let left = this.#factor();
    while (this.isSign('*') || this.isSign('/') || this.isSign('%')) {
      left = expression('operator', this.take().value, [left, this.#factor()]);
    }
    return left;
  }

  #factor(): Expression {
    if (this.isSign('-') || this.isSign('+')) {
      const sign = this.take().value;
      return this.nested(() => expression('operator', sign, [this.#factor()]));
    }
    return this.#primary();
  }

  #primary(): Expression {
    const token = this.next;
    if (token.kind === 'number' || token.kind === 'text') {
      return expression('literal', this.take().raw);
    }
    if (token.kind === 'setting') return expression('literal', this.take().raw);
    if (token.kind === 'place') return expression('place', this.take().value);
    if (this.takeSign('(')) return this.#bracket();
    if (token.kind === 'word') {
      if (token.value === 'NULL' || token.value === 'TRUE' || token.value === 'FALSE') {
        return expression('literal', this.take().value);
      }
      if (token.value === 'CASE') return this.nested(() => this.#choice());
      if (token.value === 'EXISTS') return this.#exists();
      const isCall = this.afterNext.kind === 'sign' && this.afterNext.value === '(';
      if (isCall) return this.nested(() => this.#call());
    }
    return this.#column();
  }

  #bracket(): Expression {
    if (this.isWord('SELECT', 'WITH')) {
      const query = this.#query();
      this.needSign(')');
      return query;
    }
    const inside = this.separated(() => this.expression());
    this.needSign(')');
    return inside.length === 1 ? inside[0] as Expression : expression('list', 'list', inside);
  }

  #exists(): Expression {
    this.take();
    this.needSign('(');
    const query = this.#query();
    this.needSign(')');
    return expression('operator', 'EXISTS', [query]);
  }

  #choice(): Expression {
    this.take();
    const parts: Expression[] = this.isWord('WHEN') ? [] : [this.expression()];
    while (this.takeWord('WHEN')) {
      parts.push(this.expression());
      this.needWord('THEN');
      parts.push(this.expression());
    }
    if (this.takeWord('ELSE')) parts.push(this.expression());
    this.needWord('END');
    return expression('call', 'CASE', parts);
  }

  #call(): Expression {
    const name = this.take().value;
    if (!FUNCTIONS.has(name)) {
      throw new SqlRefusal('function', `it calls ${name}, which no statement may`);
    }
    this.needSign('(');
    this.takeWord('DISTINCT');
    const parts: Expression[] = [];
    if (this.takeSign('*')) parts.push(expression('literal', '*'));
    else if (!this.isSign(')')) parts.push(...this.separated(() => this.expression()));
    if (name === 'CAST') {
      this.needWord('AS');
      this.#type();
    }
    this.needSign(')');
    if (this.takeWord('OVER')) this.#window();
    return expression('call', name, parts);
  }

  #window(): void {
    this.needSign('(');
    if (this.takeWord('PARTITION')) {
      this.needWord('BY');
      this.separated(() => this.expression());
    }
    this.order();
    this.needSign(')');
  }

  protected order(): void {
    if (!this.takeWord('ORDER')) return;
    this.needWord('BY');
    this.separated(() => {
      this.expression();
      if (!this.takeWord('DESC')) this.takeWord('ASC');
    });
  }

  #type(): void {
    this.name();
    if (!this.takeSign('(')) return;
    if (this.take().kind !== 'number') throw this.unknown('a length is missing');
    this.needSign(')');
  }

  #column(): Expression {
    const first = this.name();
    if (!this.takeSign('.')) return expression('column', first);
    if (this.takeSign('*')) return { ...expression('any', '*'), of: first };
    return { ...expression('column', this.name()), of: first };
  }
}
