/**
 * The `If` header (RFC 4918, section 10.4): lists of conditions, each list for one resource. The
 * header is true when one list is; a list is true when all of its conditions are.
 *
 * Reading is one walk from left to right without backtracking, so hostile headers cost no more
 * than friendly ones.
 */
import { HoldfastError } from '../../base/errors.ts';

export interface IfCondition {
  negated: boolean;
  kind: 'token' | 'etag';
  /** A state token without its brackets, or an entity tag with its quotes. */
  value: string;
}

export interface IfList {
  /** The reference it is tagged with, as written; undefined: the resource of the request. */
  tag: string | undefined;
  conditions: readonly IfCondition[];
}

/** Lists in one header; the largest that real clients send have a handful. */
export const IF_LISTS_MAX = 1_000;

/** @throws invalid. */
export function parseIf(raw: string): IfList[] {
  const reader = new IfReader(raw);
  const lists: IfList[] = [];
  let tag: string | undefined;
  let isTagUsed = true;
  for (;;) {
    const next = reader.next();
    if (next === '' || next === '<') {
      if (!isTagUsed) refuse(); // A tag that no list follows.
    }
    if (next === '') break;
    if (next === '<') {
      // Tagged and untagged lists do not mix: a list before the first tag has none.
      if (tag === undefined && lists.length > 0) refuse();
      tag = reader.bracketed();
      isTagUsed = false;
    } else if (next === '(') {
      lists.push({ tag, conditions: reader.list() });
      isTagUsed = true;
      if (lists.length > IF_LISTS_MAX) refuse();
    } else {
      refuse();
    }
  }
  return lists.length === 0 ? refuse() : lists;
}

class IfReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that is no blank; '' at the end. */
  next(): string {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
    return this.#text[this.#at] ?? '';
  }

  /** From `<` to `>`. */
  bracketed(): string {
    const value = this.#until('>');
    return value === '' || /[\s<]/.test(value) ? refuse() : value;
  }

  /** From `(` to `)`. */
  list(): IfCondition[] {
    this.#at += 1;
    const conditions: IfCondition[] = [];
    while (this.next() !== ')') conditions.push(this.#condition());
    this.#at += 1;
    return conditions.length === 0 ? refuse() : conditions;
  }

  #condition(): IfCondition {
    const negated = this.#text.slice(this.#at, this.#at + 3).toLowerCase() === 'not';
    if (negated) this.#at += 3;
    const next = this.next();
    if (next === '<') return { negated, kind: 'token', value: this.bracketed() };
    if (next !== '[') refuse();
    const value = this.#etag();
    return { negated, kind: 'etag', value };
  }

  /** `["tag"]` or `[W/"tag"]`; the tag itself may hold a closing bracket. */
  #etag(): string {
    const start = this.#at + 1;
    const quote = this.#text.startsWith('W/', start) ? start + 2 : start;
    if (this.#text[quote] !== '"') refuse();
    const end = this.#text.indexOf('"', quote + 1);
    if (end < 0 || this.#text[end + 1] !== ']') refuse();
    this.#at = end + 2;
    return this.#text.slice(start, end + 1);
  }

  #until(closing: string): string {
    const end = this.#text.indexOf(closing, this.#at);
    if (end < 0) refuse();
    const value = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return value;
  }
}

function refuse(): never {
  const message = 'The If header of this request is not well-formed.';
  throw new HoldfastError('invalid', 'webdav/parseIf', message, { code: 'if-syntax' });
}
