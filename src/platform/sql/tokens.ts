/**
 * The words of a text of SQL. What could be read in two ways is refused in place of being guessed
 * at: comments that a server would run, escapes that SQLite and MariaDB understand differently,
 * quotes without an end.
 */
import { SqlRefusal } from './sql-refusal.ts';

export type TokenKind = 'word' | 'name' | 'number' | 'text' | 'place' | 'setting' | 'sign' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Of a `word` in capitals; of a `name` and a `text` without its quotes; of a `sign` itself. */
  readonly value: string;
  /** As it is written. */
  readonly raw: string;
}

export const TEXT_CHARS_MAX = 256 * 1024;

const SPACE = /[ \t\r\n]+/y;
const LINE_COMMENT = /(?:#|--(?=[ \t\r\n]|$))[^\n]*/y;
const BLOCK_COMMENT = /\/\*(?![!+]|M!)[^]*?\*\//y;
const WORD = /[A-Za-z_][A-Za-z0-9_$]*/y;
const NUMBER = /(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![A-Za-z0-9_$.])/y;
const QUOTED = /'(?:[^'\\]|'')*'|"(?:[^"\\]|"")*"/y;
const NAME = /`[A-Za-z_][A-Za-z0-9_$]*`/y;
const PLACE = /\?\d*/y;
const SETTING = /@@(?:global\.|session\.)?[a-z_]+/iy;
const SIGN = /<=>|<>|<=|>=|!=|[(),.=<>+\-*/%]/y;

export const END: Token = { kind: 'end', value: '', raw: '' };

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isDone(): boolean {
    return this.#at >= this.#text.length;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** What stands here, for a message. Only signs are told, never content. */
  get sign(): string {
    return this.#text.charAt(this.#at);
  }
}

function tokenAt(scanner: Scanner): Token {
  const word = scanner.take(WORD);
  if (word !== undefined) {
    if (/['"]/.test(scanner.sign)) throw new SqlRefusal('quotes', 'a word stands before a quote');
    return { kind: 'word', value: word.toUpperCase(), raw: word };
  }
  const number = scanner.take(NUMBER);
  if (number !== undefined) return { kind: 'number', value: number, raw: number };
  const quoted = scanner.take(QUOTED);
  if (quoted !== undefined) return { kind: 'text', value: quoted.slice(1, -1), raw: quoted };
  const name = scanner.take(NAME);
  if (name !== undefined) return { kind: 'name', value: name.slice(1, -1), raw: name };
  const place = scanner.take(PLACE);
  if (place !== undefined) return { kind: 'place', value: '?', raw: place };
  const setting = scanner.take(SETTING);
  if (setting !== undefined) return { kind: 'setting', value: setting, raw: setting };
  const sign = scanner.take(SIGN);
  if (sign !== undefined) return { kind: 'sign', value: sign, raw: sign };
  throw refusalAt(scanner.sign);
}

function refusalAt(sign: string): SqlRefusal {
  if (sign === ';') return new SqlRefusal('several', 'it holds a semicolon: one statement a text');
  if (/['"`\\]/.test(sign)) {
    return new SqlRefusal('quotes', 'it holds a quote without an end, or a backslash in a text');
  }
  if (sign === '@') return new SqlRefusal('words', 'it holds a variable');
  return new SqlRefusal('words', 'it holds a sign that is none of SQL');
}

function skip(scanner: Scanner): void {
  while (scanner.take(SPACE) !== undefined || scanner.take(LINE_COMMENT) !== undefined
    || scanner.take(BLOCK_COMMENT) !== undefined);
}

/** Without comments and blanks. @throws SqlRefusal. */
export function tokensOf(text: string): Token[] {
  if (text.length > TEXT_CHARS_MAX) throw new SqlRefusal('size', 'its text is too long');
  const scanner = new Scanner(text);
  const tokens: Token[] = [];
  for (skip(scanner); !scanner.isDone; skip(scanner)) tokens.push(tokenAt(scanner));
  return tokens;
}
